import { describe, expect, it } from 'vitest'
import type { Container, ContainerStats, PodSandboxStats } from '@berth/cri'
import { cadvisorMetrics } from './cadvisor-metrics.ts'
import { exposition } from './exposition.ts'
import { ofMachine, usageOfFiles, withProcess } from './node-usage.ts'
import { CpuRates } from './rates.ts'
import { resourceMetrics } from './resource-metrics.ts'
import { cpuAndMemory, summaryJson, summaryOf } from './summary.ts'
import type { SummaryInput } from './summary.ts'

describe('what a node uses', () => {
  it('is read of the machine: busy ticks, memory without inactive file pages', () => {
    expect(ofMachine('cpu  100 1 10 5000 50 2 3 4 0 0\ncpu0 1 2 3\n', 'MemTotal: 1000 kB\nMemFree: 300 kB\nInactive(file): 200 kB\nAnonPages: 100 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n', 'pgfault 7\npgmajfault 2\n')).toEqual({
      cpuNanoseconds: 1_200_000_000, usageBytes: 700 * 1024, workingSetBytes: 500 * 1024, rssBytes: 100 * 1024, pageFaults: 7, majorPageFaults: 2, swapBytes: 6 * 1024,
    })
  })
  it.each([
    [2 as const, 'usage_usec 1500\nuser_usec 1\n', '5000\n', 'anon 100\ninactive_file 2000\npgfault 3\npgmajfault 1\n', '9\n', { cpuNanoseconds: 1_500_000, usageBytes: 5000, workingSetBytes: 3000, rssBytes: 100, pageFaults: 3, majorPageFaults: 1, swapBytes: 9 }],
    [1 as const, '1500\n', '1000\n', 'inactive_file 1\ntotal_inactive_file 2000\ntotal_rss 5\ntotal_swap 6\n', undefined, { cpuNanoseconds: 1500, usageBytes: 1000, workingSetBytes: 0, rssBytes: 5, pageFaults: undefined, majorPageFaults: undefined, swapBytes: 6 }],
  ])('or of its cgroup, version %i', (version, cpu, usage, stat, swap, expected) => expect(usageOfFiles(version, cpu, usage, stat, swap)).toEqual(expected))
  it('with what the node\'s own process adds', () => {
    const pods = { cpuNanoseconds: 1000, usageBytes: 5, workingSetBytes: 4, rssBytes: 3, pageFaults: 2, majorPageFaults: 1, swapBytes: 0 }
    expect(withProcess(pods, { user: 1, system: 2 }, 10)).toEqual({ ...pods, cpuNanoseconds: 4000, usageBytes: 15, workingSetBytes: 14, rssBytes: 13 })
  })
})

it('rates are differences, of readings that are not too near; a counter that went back starts anew', () => {
  const rates = new CpuRates()
  expect(rates.of('a', 1_000_000_000, 0)).toBeUndefined()
  expect(rates.of('a', 2_000_000_000, 2000)).toBe(500_000_000)
  expect(rates.of('a', 9_000_000_000, 2500)).toBe(500_000_000)
  expect(rates.of('a', 5, 4000)).toBeUndefined()
  expect(rates.of('b', 5, 4000)).toBeUndefined()
})

const at = 1_700_000_000_123
const nanoseconds = (ms: number): bigint => BigInt(ms) * 1_000_000n
const labelled = (name: string, uid = 'u1'): Record<string, string> => ({ 'io.kubernetes.container.name': name, 'io.kubernetes.pod.name': 'p', 'io.kubernetes.pod.namespace': 'ns', 'io.kubernetes.pod.uid': uid })
const container = (id: string, name: string, createdAt: number): Container => ({ id, podSandboxId: 's1', image: { image: 'i' }, imageRef: '', state: 'CONTAINER_RUNNING', createdAt: nanoseconds(createdAt), labels: labelled(name), annotations: {}, imageId: '' }) as unknown as Container
const stats = (id: string, cpu: bigint, memory: bigint): ContainerStats => ({ attributes: { id, labels: {}, annotations: {} }, cpu: { timestamp: nanoseconds(at), usageCoreNanoSeconds: { value: cpu } }, memory: { timestamp: nanoseconds(at), workingSetBytes: { value: memory } } }) as unknown as ContainerStats
const input = (more: Partial<SummaryInput> = {}): SummaryInput => ({
  now: at, nodeName: 'n1', startedAt: 1000, memoryCapacity: 10_000,
  node: { cpuNanoseconds: 5e9, usageBytes: 700, workingSetBytes: 600, rssBytes: 1, pageFaults: undefined, majorPageFaults: undefined, swapBytes: 3 },
  machine: { memoryAvailable: 0n, memoryCapacity: 0n, fsAvailable: 40n, fsCapacity: 100n, fsInodesFree: 1n, fsInodes: 3n, pidsAvailable: 90n, pidsCapacity: 100n },
  imageFs: [], pods: [{ metadata: { name: 'p', namespace: 'ns', uid: 'u1' }, status: { startTime: '2026-01-01T00:00:00Z' } }, { metadata: { name: 'gone', namespace: 'ns', uid: 'u2' } }] as unknown as SummaryInput['pods'],
  containers: [container('old', 'c', 1000), container('new', 'c', 2000), container('x', 'side', 3000)], containerStats: [stats('old', 9n, 9n), stats('new', 1_500_000_000n, 100n), stats('x', 500_000_000n, 20n), stats('dead', 1n, 1n)],
  sandboxStats: [], ...more,
})

describe('the Summary', () => {
  it('has the pods that run, the newest container of each name, and the sum where the runtime tells nothing of pods', () => {
    const summary = summaryOf(input(), new CpuRates())
    expect(summary.node).toMatchObject({ nodeName: 'n1', cpu: { usageCoreNanoSeconds: 5e9 }, memory: { workingSetBytes: 600, availableBytes: 9400 }, swap: { swapUsageBytes: 3 }, fs: { usedBytes: 60, inodesUsed: 2 }, rlimit: { maxpid: 100, curproc: 10 } })
    expect(summary.pods).toMatchObject([{
      podRef: { name: 'p', namespace: 'ns', uid: 'u1' }, cpu: { usageCoreNanoSeconds: 2e9 }, memory: { workingSetBytes: 120 },
      containers: [{ name: 'c', cpu: { usageCoreNanoSeconds: 1.5e9 }, memory: { workingSetBytes: 100 } }, { name: 'side', memory: { workingSetBytes: 20 } }],
    }])
  })

  it('takes a pod\'s own figures and its network where the runtime tells them', () => {
    const network = { timestamp: nanoseconds(at), interfaces: [], defaultInterface: { name: 'eth0', rxBytes: { value: 7n }, txBytes: { value: 8n } } }
    const sandbox = { attributes: { id: 's1', metadata: { name: 'p', namespace: 'ns', uid: 'u1', attempt: 0 } }, linux: { cpu: { timestamp: nanoseconds(at), usageCoreNanoSeconds: { value: 3n } }, memory: { timestamp: nanoseconds(at), workingSetBytes: { value: 200n } }, network, process: { timestamp: 0n, processCount: { value: 4n } }, containers: [] } } as unknown as PodSandboxStats
    const [pod] = summaryOf(input({ sandboxStats: [sandbox] }), new CpuRates()).pods
    expect(pod).toMatchObject({ cpu: { usageCoreNanoSeconds: 3 }, memory: { workingSetBytes: 200 }, network: { name: 'eth0', rxBytes: 7, interfaces: [{ name: 'eth0', txBytes: 8 }] }, process_stats: { process_count: 4 } })
    expect(exposition(cadvisorMetrics({ ...input({ sandboxStats: [sandbox] }), cpus: 2, memoryBytes: 5 }))).toContain('container_network_receive_bytes_total{container="",id="s1",image="",interface="eth0",name="",namespace="ns",pod="p"} 7 1700000000123\n')
  })

  it('is JSON with whole seconds, of CPU and memory alone where that is asked', () => {
    const summary = summaryOf(input(), new CpuRates())
    expect(summaryJson(summary)).toContain('"time":"2023-11-14T22:13:20Z"')
    expect(Object.keys(cpuAndMemory(summary).node).sort()).toEqual(['cpu', 'memory', 'nodeName', 'startTime'])
  })
})

it('/metrics/resource has upstream\'s names, with the time of each measurement', () => {
  expect(exposition(resourceMetrics(summaryOf(input({ containers: [container('new', 'c', 2500)] }), new CpuRates())))).toBe(`# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="c",namespace="ns",pod="p"} 1.5 1700000000123
# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container="c",namespace="ns",pod="p"} 100 1700000000123
# HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds
# TYPE container_start_time_seconds gauge
container_start_time_seconds{container="c",namespace="ns",pod="p"} 2.5
# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total 5 1700000000123
# HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes
# TYPE node_memory_working_set_bytes gauge
node_memory_working_set_bytes 600 1700000000123
# HELP node_swap_usage_bytes [ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems
# TYPE node_swap_usage_bytes gauge
node_swap_usage_bytes 3 1700000000123
# HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds
# TYPE pod_cpu_usage_seconds_total counter
pod_cpu_usage_seconds_total{namespace="ns",pod="p"} 1.5 1700000000123
# HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes
# TYPE pod_memory_working_set_bytes gauge
pod_memory_working_set_bytes{namespace="ns",pod="p"} 100 1700000000123
# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise
# TYPE resource_scrape_error gauge
resource_scrape_error 0
`)
  expect(exposition(resourceMetrics(undefined))).toMatch(/resource_scrape_error 1\n$/)
})
