// Reads what the Summary and the metrics are made of: the runtime's statistics and the machine's files.
import { availableParallelism, uptime } from 'node:os'
import { isCriError } from '@berth/cri'
import type { Container, ContainerStats, PodSandboxStats } from '@berth/cri'
import { readUsage } from '../node/machine.ts'
import type { WorkerContext } from '../workers/context.ts'
import type { PodManager } from '../workers/manager.ts'
import { cadvisorMetrics } from './cadvisor-metrics.ts'
import { exposition } from './exposition.ts'
import { readNodeUsage } from './node-usage.ts'
import { CpuRates } from './rates.ts'
import { resourceMetrics } from './resource-metrics.ts'
import { summaryOf } from './summary.ts'
import type { Summary } from './types.ts'

/** What the server asks for. */
export interface StatsCollector {
  /** Rejects where the runtime does not answer. */
  summary(): Promise<Summary>
  /** /metrics/resource as text; that the runtime does not answer is part of it. */
  resourceMetrics(): Promise<string>
  /** /metrics/cadvisor as text. */
  cadvisorMetrics(): Promise<string>
}

interface RuntimeStats { readonly containers: Container[], readonly containerStats: ContainerStats[], readonly sandboxStats: PodSandboxStats[] }

/** Reads anew each time it is asked. */
export function createStatsCollector(context: WorkerContext, pods: PodManager): StatsCollector {
  const { cri, settings, logger } = context
  const rates = new CpuRates()
  const runtimeStats = async (): Promise<RuntimeStats> => {
    const [{ containers }, { stats: containerStats }, { stats: sandboxStats }] = await Promise.all([
      cri.listContainers({ filter: { id: '', state: { state: 'CONTAINER_RUNNING' }, podSandboxId: '', labelSelector: {} } }),
      cri.listContainerStats({}),
      // Not every runtime tells of pods.
      cri.listPodSandboxStats({}).catch((error: unknown) => {
        if (isCriError(error) && error.code === 'Unimplemented') return { stats: [] }
        throw error
      }),
    ])
    return { containers, containerStats, sandboxStats }
  }
  const summary = async (): Promise<Summary> => {
    const [stats, node, machine, images] = await Promise.all([runtimeStats(), readNodeUsage(context.cgroups, settings.cgroupRoot), readUsage(settings.rootDir), cri.imageFsInfo({})])
    const now = context.clock.now()
    return summaryOf({
      ...stats, now, node, machine, imageFs: images.imageFilesystems, nodeName: settings.nodeName, startedAt: now - uptime() * 1000, memoryCapacity: Number(context.memoryCapacity),
      pods: pods.list().map((pod) => ({ ...pod, status: context.statuses.get(pod.metadata.uid ?? '') ?? pod.status ?? {} })),
    }, rates)
  }
  return {
    summary,
    async resourceMetrics() {
      try {
        return exposition(resourceMetrics(await summary()))
      } catch (error) {
        logger.error(error, 'Error getting summary for resourceMetric prometheus endpoint')
        return exposition(resourceMetrics(undefined))
      }
    },
    cadvisorMetrics: async () => exposition(cadvisorMetrics({ ...await runtimeStats(), cpus: availableParallelism(), memoryBytes: Number(context.memoryCapacity) })),
  }
}
