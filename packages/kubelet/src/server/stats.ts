import type { ContainerStats } from '@berth/cri'
import { readUsage } from '../node/machine.ts'
import { toTime } from '../pods/time.ts'
import { labels } from '../runtime/records.ts'
import type { WorkerContext } from '../workers/context.ts'
import type { PodManager } from '../workers/manager.ts'

const number = (value: { value: bigint } | undefined): number | undefined => (value === undefined ? undefined : Number(value.value))

function usageOf(stats: ContainerStats): Record<string, unknown> {
  const time = toTime(Number((stats.cpu?.timestamp ?? 0n) / 1_000_000n))
  return {
    cpu: { time, usageNanoCores: number(stats.cpu?.usageNanoCores), usageCoreNanoSeconds: number(stats.cpu?.usageCoreNanoSeconds) },
    memory: {
      time, usageBytes: number(stats.memory?.usageBytes), workingSetBytes: number(stats.memory?.workingSetBytes), rssBytes: number(stats.memory?.rssBytes),
      pageFaults: number(stats.memory?.pageFaults), majorPageFaults: number(stats.memory?.majorPageFaults),
    },
    rootfs: { time, usedBytes: number(stats.writableLayer?.usedBytes), inodesUsed: number(stats.writableLayer?.inodesUsed) },
  }
}

/** /stats/summary: what the runtime measures of each container, and the machine's own figures. */
export async function statsSummary(context: WorkerContext, pods: PodManager): Promise<unknown> {
  const { stats } = await context.cri.listContainerStats({})
  const usage = await readUsage(context.settings.rootDir)
  const now = toTime(context.clock.now())
  const fs = { time: now, availableBytes: Number(usage.fsAvailable), capacityBytes: Number(usage.fsCapacity), usedBytes: Number(usage.fsCapacity - usage.fsAvailable), inodesFree: Number(usage.fsInodesFree), inodes: Number(usage.fsInodes) }
  return {
    node: {
      nodeName: context.settings.nodeName,
      memory: { time: now, availableBytes: Number(usage.memoryAvailable), workingSetBytes: Number(usage.memoryCapacity - usage.memoryAvailable) },
      fs,
    },
    pods: pods.list().map((pod) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime,
      containers: stats.filter((s) => s.attributes?.labels[labels.podUid] === pod.metadata.uid).map((s) => ({ name: s.attributes?.labels[labels.containerName], ...usageOf(s) })),
    })),
  }
}

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** /metrics/cadvisor and /metrics/resource: cpu and memory of each container, by cAdvisor's names. */
export async function containerMetrics(context: WorkerContext): Promise<string> {
  const { stats } = await context.cri.listContainerStats({})
  const series: { name: string; type: string; help: string; value: (s: ContainerStats) => number | undefined }[] = [
    { name: 'container_cpu_usage_seconds_total', type: 'counter', help: 'Cumulative cpu time consumed in seconds.', value: (s) => { const v = number(s.cpu?.usageCoreNanoSeconds); return v === undefined ? undefined : v / 1e9 } },
    { name: 'container_memory_working_set_bytes', type: 'gauge', help: 'Current working set in bytes.', value: (s) => number(s.memory?.workingSetBytes) },
    { name: 'container_memory_usage_bytes', type: 'gauge', help: 'Current memory usage in bytes, including all memory regardless of when it was accessed', value: (s) => number(s.memory?.usageBytes) },
    { name: 'container_memory_rss', type: 'gauge', help: 'Size of RSS in bytes.', value: (s) => number(s.memory?.rssBytes) },
  ]
  const out: string[] = []
  for (const { name, type, help, value } of series) {
    out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const s of stats) {
      const v = value(s)
      const l = s.attributes?.labels ?? {}
      if (v === undefined) continue
      out.push(`${name}{container="${escape(l[labels.containerName] ?? '')}",id="${escape(s.attributes?.id ?? '')}",namespace="${escape(l[labels.podNamespace] ?? '')}",pod="${escape(l[labels.podName] ?? '')}"} ${v}`)
    }
  }
  return `${out.join('\n')}\n`
}
