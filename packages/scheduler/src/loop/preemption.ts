import type { Pod } from '@berth/api/types/core/v1'
import type { Logger } from '@berth/kube'
import type { PostFilterResult } from '../framework/plugin.ts'
import { podKey, priorityOf, type PodInfo } from '../framework/pod-info.ts'
import type { SchedulerMetrics } from '../metrics.ts'
import type { SchedulingQueue } from '../queue/scheduling-queue.ts'
import type { KnownCluster } from './known-cluster.ts'
import type { Permits } from './permits.ts'
import type { Placement } from './placement.ts'
import type { Evictor } from './evictor.ts'
import type { Reporter } from './report.ts'
import type { UnderWay } from './under-way.ts'

export interface PreemptionOptions {
  readonly known: KnownCluster
  readonly queue: SchedulingQueue
  readonly permits: Permits
  /** Pods on their way to their node. */
  readonly placements: ReadonlyMap<string, Placement>
  readonly evictor: Evictor
  readonly reporter: Reporter
  readonly underWay: UnderWay
  readonly metrics: SchedulerMetrics
  readonly logger: Logger
}

/** Does what postFilter decided: the pod has its room on the node from now on, and the victims are told to go. */
export function carryOutPreemption(options: PreemptionOptions, info: PodInfo, { nominatedNode, victims }: PostFilterResult): void {
  const { known, queue, evictor, reporter, underWay, metrics, logger } = options
  const { key } = info
  metrics.preemption(victims.length)
  if (nominatedNode === '') known.endNomination(key)
  if (!nominatedNode) return
  // Pods of lower priority that had their room there look for another; they need not wait for the victims.
  for (const other of [...known.cache.nominatedOn(nominatedNode)?.values() ?? []]) {
    if (other.key === key || priorityOf(other) >= priorityOf(info)) continue
    known.dropNomination(other.key)
    reporter.nominationLost(other)
    queue.activate(other.key)
  }
  known.nominate(info.pod, nominatedNode)
  const leaving = victims.filter(({ pod }) => !pod.metadata.deletionTimestamp && !givesWay(options, pod))
  if (leaving.length === 0) return
  // Until all are told, a second look would find some of them and choose others.
  queue.hold(key)
  const started = performance.now()
  underWay.follow(evictor.evict(info, nominatedNode, leaving).then(() => {
    metrics.evicted('success', (performance.now() - started) / 1000)
    queue.release(key)
  }, (error: unknown) => {
    metrics.evicted('error', (performance.now() - started) / 1000)
    queue.release(key)
    if (underWay.isOver) return
    logger.error(error, 'Failed to preempt', { pod: key, node: nominatedNode })
    known.endNomination(key)
    queue.activate(key)
  }))
}

/** A victim that is not bound yet need not be deleted: it loses its place. */
function givesWay({ permits, placements }: PreemptionOptions, victim: Pod): boolean {
  const key = podKey(victim)
  if (permits.reject(key, { plugin: 'DefaultPreemption', message: 'preempted' })) return true
  const placement = placements.get(key)
  if (!placement?.isPreparing) return false
  placement.abort.abort(new Error('preempted'))
  return true
}
