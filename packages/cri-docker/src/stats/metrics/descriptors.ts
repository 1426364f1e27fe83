import type { MetricType } from '@berth/cri'
import type { NetworkCounters } from '../net-dev.ts'
import type { MetricSample } from './sample.ts'

/** What a metric's value is taken from. */
export interface MetricInput {
  sample: MetricSample
  /** Milliseconds since 1970. */
  now: number
  /** Of a container only. */
  container?: {
    startedAt: bigint
    resources: { cpuPeriod: number; cpuQuota: number; cpuShares: number; memory: number; memorySwap: number; memoryReservation: number }
    disk: { usage: bigint; limit: bigint; inodesFree: bigint; inodesTotal: bigint; device: string }
  }
  /** Of a pod with a network of its own only. */
  network?: readonly NetworkCounters[]
}

/** One value: its labels beyond those that every metric has. */
export type MetricValue = readonly [value: bigint | number | undefined, ...labels: string[]]

/** One metric as cAdvisor names it. */
export interface MetricDefinition {
  name: string
  help: string
  type: MetricType
  /** Label keys beyond the common ones. */
  labels: readonly string[]
  read(input: MetricInput): readonly MetricValue[]
}

/** The labels that every metric begins with, in this order. */
export const commonLabels = ['container', 'id', 'image', 'name', 'namespace', 'pod'] as const

const second = 1_000_000_000n
const seconds = (nanoseconds: bigint | undefined): bigint | undefined => (nanoseconds === undefined ? undefined : nanoseconds / second)

const counter = (name: string, help: string, read: MetricDefinition['read'], labels: readonly string[] = []): MetricDefinition => ({ name: `container_${name}`, help, type: 'COUNTER', labels, read })
const gauge = (name: string, help: string, read: MetricDefinition['read'], labels: readonly string[] = []): MetricDefinition => ({ name: `container_${name}`, help, type: 'GAUGE', labels, read })

type MemoryKey = Parameters<MetricSample['memory']['get']>[0]
const memory = (key: MemoryKey): MetricDefinition['read'] => ({ sample }) => [[sample.memory.get(key)]]
const ofContainer = (read: (container: NonNullable<MetricInput['container']>) => bigint | number): MetricDefinition['read'] => ({ container }) => (container ? [[read(container)]] : [])
const pressure = (of: 'cpu' | 'memory' | 'io', how: 'some' | 'full'): MetricDefinition['read'] => ({ sample }) => {
  const microseconds = sample.pressure.get(of)?.[how]
  return [[microseconds === undefined ? undefined : microseconds / 1_000_000n]]
}
const perDevice = (operation: 'Read' | 'Write', field: 'bytes' | 'count'): MetricDefinition['read'] => ({ sample }) => sample.devices.filter((device) => device.operation === operation).map((device) => [device[field], `${device.major}:${device.minor}`] as const)
const network = (name: string, help: string, field: Exclude<keyof NetworkCounters, 'name'>): MetricDefinition =>
  counter(`network_${name}`, help, (input) => (input.network ?? []).map((counters) => [counters[field], counters.name] as const), ['interface'])

/** All metrics. Seconds are whole ones, since CRI's values are integers. */
export const metricDefinitions: readonly MetricDefinition[] = [
  counter('cpu_user_seconds_total', 'Cumulative user cpu time consumed in seconds.', ({ sample }) => [[seconds(sample.cpuUserNs)]]),
  counter('cpu_system_seconds_total', 'Cumulative system cpu time consumed in seconds.', ({ sample }) => [[seconds(sample.cpuSystemNs)]]),
  counter('cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', ({ sample }) => [[seconds(sample.cpuNs), 'total']], ['cpu']),
  counter('cpu_cfs_periods_total', 'Number of elapsed enforcement period intervals.', ({ sample }) => [[sample.cfsPeriods]]),
  counter('cpu_cfs_throttled_periods_total', 'Number of throttled period intervals.', ({ sample }) => [[sample.cfsThrottledPeriods]]),
  counter('cpu_cfs_throttled_seconds_total', 'Total time duration the container has been throttled.', ({ sample }) => [[seconds(sample.cfsThrottledNs)]]),

  gauge('memory_cache', 'Number of bytes of page cache memory.', memory('cache')),
  gauge('memory_rss', 'Size of RSS in bytes.', memory('rss')),
  gauge('memory_kernel_usage', 'Size of kernel memory allocated in bytes.', memory('kernel')),
  gauge('memory_mapped_file', 'Size of memory mapped files in bytes.', memory('mappedFile')),
  gauge('memory_swap', 'Container swap usage in bytes.', memory('swap')),
  counter('memory_failcnt', 'Number of memory usage hits limits.', memory('failures')),
  gauge('memory_usage_bytes', 'Current memory usage in bytes, including all memory regardless of when it was accessed.', memory('usage')),
  gauge('memory_max_usage_bytes', 'Maximum memory usage recorded in bytes.', memory('maxUsage')),
  gauge('memory_working_set_bytes', 'Current working set in bytes.', memory('workingSet')),
  counter(
    'memory_failures_total',
    'Cumulative count of memory allocation failures.',
    ({ sample: { memory: of } }) => [
      [of.get('ownPageFaults') ?? of.get('pageFaults'), 'pgfault', 'container'],
      [of.get('pageFaults'), 'pgfault', 'hierarchy'],
      [of.get('ownMajorPageFaults') ?? of.get('majorPageFaults'), 'pgmajfault', 'container'],
      [of.get('majorPageFaults'), 'pgmajfault', 'hierarchy'],
    ],
    ['failure_type', 'scope'],
  ),
  counter('oom_events_total', 'Count of out of memory events observed for the container.', memory('oomKills')),

  gauge('fs_inodes_free', 'Number of available Inodes.', ({ container: c }) => (c ? [[c.disk.inodesFree, c.disk.device]] : []), ['device']),
  gauge('fs_inodes_total', 'Number of Inodes.', ({ container: c }) => (c ? [[c.disk.inodesTotal, c.disk.device]] : []), ['device']),
  gauge('fs_limit_bytes', 'Number of bytes that can be consumed by the container on this filesystem.', ({ container: c }) => (c ? [[c.disk.limit, c.disk.device]] : []), ['device']),
  gauge('fs_usage_bytes', 'Number of bytes that are consumed by the container on this filesystem.', ({ container: c }) => (c ? [[c.disk.usage, c.disk.device]] : []), ['device']),
  counter('fs_reads_bytes_total', 'Cumulative count of bytes read.', perDevice('Read', 'bytes'), ['device']),
  counter('fs_reads_total', 'Cumulative count of reads completed.', perDevice('Read', 'count'), ['device']),
  counter('fs_writes_bytes_total', 'Cumulative count of bytes written.', perDevice('Write', 'bytes'), ['device']),
  counter('fs_writes_total', 'Cumulative count of writes completed.', perDevice('Write', 'count'), ['device']),
  counter(
    'blkio_device_usage_total',
    'Blkio Device bytes usage.',
    ({ sample }) => sample.devices.map(({ major, minor, operation, bytes }) => [bytes, `${major}:${minor}`, major, minor, operation] as const),
    ['device', 'major', 'minor', 'operation'],
  ),

  gauge('hugetlb_usage_bytes', 'Current hugepage usage in bytes.', ({ sample }) => sample.hugePages.map(({ usage, size }) => [usage, size] as const), ['pagesize']),
  gauge('hugetlb_max_usage_bytes', 'Maximum hugepage usage recorded in bytes.', ({ sample }) => sample.hugePages.map(({ maxUsage, size }) => [maxUsage, size] as const), ['pagesize']),

  network('receive_bytes_total', 'Cumulative count of bytes received.', 'rxBytes'),
  network('receive_packets_total', 'Cumulative count of packets received.', 'rxPackets'),
  network('receive_packets_dropped_total', 'Cumulative count of packets dropped while receiving.', 'rxDropped'),
  network('receive_errors_total', 'Cumulative count of errors encountered while receiving.', 'rxErrors'),
  network('transmit_bytes_total', 'Cumulative count of bytes transmitted.', 'txBytes'),
  network('transmit_packets_total', 'Cumulative count of packets transmitted.', 'txPackets'),
  network('transmit_packets_dropped_total', 'Cumulative count of packets dropped while transmitting.', 'txDropped'),
  network('transmit_errors_total', 'Cumulative count of errors encountered while transmitting.', 'txErrors'),

  gauge('file_descriptors', 'Number of open file descriptors for the container.', ({ sample }) => [[sample.fileDescriptors]]),
  gauge('processes', 'Number of processes running inside the container.', ({ sample }) => [[sample.processes]]),
  gauge('sockets', 'Number of open sockets for the container.', ({ sample }) => [[sample.sockets]]),
  gauge('threads', 'Number of threads running inside the container.', ({ sample }) => [[sample.threads]]),
  gauge('threads_max', 'Maximum number of threads allowed inside the container, infinity if value is zero.', ({ sample }) => [[sample.threadsMax]]),
  gauge('ulimits_soft', 'Soft ulimit values for the container root process.', ({ sample }) => [[sample.openFilesLimit, 'max_open_files']], ['ulimit']),

  counter('pressure_cpu_waiting_seconds_total', 'Total time duration tasks in the container have waited due to CPU congestion.', pressure('cpu', 'some')),
  counter('pressure_cpu_stalled_seconds_total', 'Total time duration no tasks in the container could make progress due to CPU congestion.', pressure('cpu', 'full')),
  counter('pressure_memory_waiting_seconds_total', 'Total time duration tasks in the container have waited due to memory congestion.', pressure('memory', 'some')),
  counter('pressure_memory_stalled_seconds_total', 'Total time duration no tasks in the container could make progress due to memory congestion.', pressure('memory', 'full')),
  counter('pressure_io_waiting_seconds_total', 'Total time duration tasks in the container have waited due to IO congestion.', pressure('io', 'some')),
  counter('pressure_io_stalled_seconds_total', 'Total time duration no tasks in the container could make progress due to IO congestion.', pressure('io', 'full')),

  gauge('last_seen', 'Last time a container was seen by the exporter.', ({ now }) => [[Math.floor(now / 1000)]]),
  gauge('start_time_seconds', 'Start time of the container since unix epoch in seconds.', ofContainer(({ startedAt }) => startedAt / second)),
  gauge('spec_cpu_period', 'CPU period of the container.', ofContainer(({ resources }) => resources.cpuPeriod)),
  gauge('spec_cpu_quota', 'CPU quota of the container.', ofContainer(({ resources }) => Math.max(0, resources.cpuQuota))),
  gauge('spec_cpu_shares', 'CPU share of the container.', ofContainer(({ resources }) => resources.cpuShares)),
  gauge('spec_memory_limit_bytes', 'Memory limit for the container.', ofContainer(({ resources }) => Math.max(0, resources.memory))),
  gauge('spec_memory_reservation_limit_bytes', 'Memory reservation limit for the container.', ofContainer(({ resources }) => Math.max(0, resources.memoryReservation))),
  gauge('spec_memory_swap_limit_bytes', 'Memory swap limit for the container.', ofContainer(({ resources }) => Math.max(0, resources.memorySwap))),
]
