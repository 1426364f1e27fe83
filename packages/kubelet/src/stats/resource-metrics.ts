// /metrics/resource: the CPU and memory of the node, its pods and their containers, under upstream's names.
import type { Metric, Sample } from './exposition.ts'
import type { CpuStats, MemoryStats, Summary, SwapStats } from './types.ts'

type Labels = Record<string, string>

/** The metrics of a Summary; without one, that there was an error. */
export function resourceMetrics(summary: Summary | undefined): Metric[] {
  const error: Metric = { name: 'resource_scrape_error', type: 'gauge', help: '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise', samples: [{ labels: {}, value: summary ? 0 : 1 }] }
  if (!summary) return [error]
  const { node, pods } = summary
  const ofPods = pods.map((pod) => ({ ...pod, labels: { namespace: pod.podRef.namespace, pod: pod.podRef.name } }))
  const ofContainers = ofPods.flatMap(({ containers, labels }) => containers.map((container) => ({ ...container, labels: { container: container.name, ...labels } })))
  const all = <T extends { labels: Labels }>(items: readonly T[], sample: (item: T) => Sample | undefined): Sample[] => items.flatMap((item) => sample(item) ?? [])
  const counter = (name: string, help: string, samples: Sample[]): Metric => ({ name, type: 'counter', help, samples })
  const gauge = (name: string, help: string, samples: Sample[]): Metric => ({ name, type: 'gauge', help, samples })
  const nodes = [{ ...node, labels: {} }]
  return [
    counter('node_cpu_usage_seconds_total', '[STABLE] Cumulative cpu time consumed by the node in core-seconds', all(nodes, cpu)),
    gauge('node_memory_working_set_bytes', '[STABLE] Current working set of the node in bytes', all(nodes, memory)),
    gauge('node_swap_usage_bytes', '[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems', all(nodes, swap)),
    gauge('container_start_time_seconds', '[STABLE] Start time of the container since unix epoch in seconds', all(ofContainers, ({ labels, startTime }) => ({ labels, value: Date.parse(startTime) / 1000 }))),
    counter('container_cpu_usage_seconds_total', '[STABLE] Cumulative cpu time consumed by the container in core-seconds', all(ofContainers, cpu)),
    gauge('container_memory_working_set_bytes', '[STABLE] Current working set of the container in bytes', all(ofContainers, memory)),
    gauge('container_swap_usage_bytes', '[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems', all(ofContainers, swap)),
    gauge('container_swap_limit_bytes', '[ALPHA] Current amount of the container swap limit in bytes. Reported only on non-windows systems', all(ofContainers, swapLimit)),
    counter('pod_cpu_usage_seconds_total', '[STABLE] Cumulative cpu time consumed by the pod in core-seconds', all(ofPods, cpu)),
    gauge('pod_memory_working_set_bytes', '[STABLE] Current working set of the pod in bytes', all(ofPods, memory)),
    gauge('pod_swap_usage_bytes', '[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems', all(ofPods, swap)),
    error,
  ]
}

function cpu({ labels, cpu }: { labels: Labels, cpu?: CpuStats }): Sample | undefined {
  return cpu?.usageCoreNanoSeconds === undefined ? undefined : { labels, value: cpu.usageCoreNanoSeconds / 1e9, timeMs: Date.parse(cpu.time) }
}

function memory({ labels, memory }: { labels: Labels, memory?: MemoryStats }): Sample | undefined {
  return memory?.workingSetBytes === undefined ? undefined : { labels, value: memory.workingSetBytes, timeMs: Date.parse(memory.time) }
}

function swap({ labels, swap }: { labels: Labels, swap?: SwapStats }): Sample | undefined {
  return swap?.swapUsageBytes === undefined ? undefined : { labels, value: swap.swapUsageBytes, timeMs: Date.parse(swap.time) }
}

function swapLimit({ labels, swap }: { labels: Labels, swap?: SwapStats }): Sample | undefined {
  return swap?.swapAvailableBytes === undefined ? undefined : { labels, value: swap.swapAvailableBytes + (swap.swapUsageBytes ?? 0), timeMs: Date.parse(swap.time) }
}
