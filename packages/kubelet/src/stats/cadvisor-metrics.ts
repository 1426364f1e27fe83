// /metrics/cadvisor: what dashboards ask for of each container, under cAdvisor's names.
import type { Container, ContainerStats, PodSandboxStats, UInt64Value } from '@berth/cri'
import { labels as runtimeLabels } from '../runtime/records.ts'
import type { Metric, Sample } from './exposition.ts'

type Labels = Record<string, string>

/** The metrics of running containers, of the networks of their pods, and of the machine. */
export function cadvisorMetrics(input: { containers: readonly Container[], containerStats: readonly ContainerStats[], sandboxStats: readonly PodSandboxStats[], cpus: number, memoryBytes: number }): Metric[] {
  const byId = new Map(input.containers.map((container) => [container.id, container]))
  const running = input.containerStats.flatMap((stats) => {
    const container = byId.get(stats.attributes?.id ?? '')
    return container ? [{ stats, container, labels: labelsOf(container) }] : []
  })
  const of = (read: (each: (typeof running)[number]) => { value: number | undefined, timestamp?: bigint | undefined }): Sample[] => running.flatMap((each) => {
    const { value, timestamp } = read(each)
    return value === undefined ? [] : [{ labels: each.labels, value, ...(timestamp !== undefined && { timeMs: Number(timestamp / 1_000_000n) }) }]
  })
  const network = (read: (usage: NonNullable<NonNullable<NonNullable<PodSandboxStats['linux']>['network']>['defaultInterface']>) => UInt64Value | undefined): Sample[] => input.sandboxStats.flatMap(({ attributes, linux }) => {
    const { timestamp = 0n, interfaces = [], defaultInterface } = linux?.network ?? {}
    const metadata = attributes?.metadata
    return (interfaces.length > 0 ? interfaces : defaultInterface ? [defaultInterface] : []).flatMap((usage): Sample[] => {
      const value = number(read(usage))
      const labels = { container: '', id: attributes?.id ?? '', image: '', interface: usage.name, name: '', namespace: metadata?.namespace ?? '', pod: metadata?.name ?? '' }
      return value === undefined ? [] : [{ labels, value, timeMs: Number(timestamp / 1_000_000n) }]
    })
  })
  const memory = (name: 'usageBytes' | 'workingSetBytes' | 'rssBytes'): Sample[] => of(({ stats }) => ({ value: number(stats.memory?.[name]), timestamp: stats.memory?.timestamp }))
  const counter = (name: string, help: string, samples: Sample[]): Metric => ({ name, type: 'counter', help, samples })
  const gauge = (name: string, help: string, samples: Sample[]): Metric => ({ name, type: 'gauge', help, samples })
  return [
    counter('container_cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', of(({ stats: { cpu } }) => ({ value: seconds(cpu?.usageCoreNanoSeconds), timestamp: cpu?.timestamp }))),
    gauge('container_memory_usage_bytes', 'Current memory usage in bytes, including all memory regardless of when it was accessed', memory('usageBytes')),
    gauge('container_memory_working_set_bytes', 'Current working set in bytes.', memory('workingSetBytes')),
    gauge('container_memory_rss', 'Size of RSS in bytes.', memory('rssBytes')),
    gauge('container_memory_swap', 'Container swap usage in bytes.', of(({ stats: { swap } }) => ({ value: number(swap?.swapUsageBytes), timestamp: swap?.timestamp }))),
    gauge('container_fs_usage_bytes', 'Number of bytes that are consumed by the container on this filesystem.', of(({ stats: { writableLayer } }) => ({ value: number(writableLayer?.usedBytes), timestamp: writableLayer?.timestamp }))),
    gauge('container_start_time_seconds', 'Start time of the container since unix epoch in seconds.', of(({ container }) => ({ value: Number(container.createdAt / 1_000_000_000n) }))),
    counter('container_network_receive_bytes_total', 'Cumulative count of bytes received', network(({ rxBytes }) => rxBytes)),
    counter('container_network_receive_errors_total', 'Cumulative count of errors encountered while receiving', network(({ rxErrors }) => rxErrors)),
    counter('container_network_transmit_bytes_total', 'Cumulative count of bytes transmitted', network(({ txBytes }) => txBytes)),
    counter('container_network_transmit_errors_total', 'Cumulative count of errors encountered while transmitting', network(({ txErrors }) => txErrors)),
    gauge('machine_cpu_cores', 'Number of logical CPU cores.', [{ labels: {}, value: input.cpus }]),
    gauge('machine_memory_bytes', 'Amount of memory installed on the machine.', [{ labels: {}, value: input.memoryBytes }]),
  ]
}

const number = (value: UInt64Value | undefined): number | undefined => (value === undefined ? undefined : Number(value.value))
const seconds = (nanoseconds: UInt64Value | undefined): number | undefined => (nanoseconds === undefined ? undefined : Number(nanoseconds.value) / 1e9)

function labelsOf({ id, image, labels }: Container): Labels {
  return {
    container: labels[runtimeLabels.containerName] ?? '', id, image: image?.image ?? '', name: id, namespace: labels[runtimeLabels.podNamespace] ?? '', pod: labels[runtimeLabels.podName] ?? '',
  }
}
