import type { NoNode } from '../cycle/decision.ts'
import type { Profile } from '../framework/profile.ts'
import type { SchedulerMetrics } from '../metrics.ts'
import type { SchedulingQueue, WaitingPod } from '../queue/scheduling-queue.ts'
import type { KnownCluster } from './known-cluster.ts'
import type { Placement } from './placement.ts'
import type { PodCycle } from './pod-cycle.ts'

export interface GroupCycleOptions {
  readonly known: KnownCluster
  readonly queue: SchedulingQueue
  readonly cycle: PodCycle
  readonly metrics: SchedulerMetrics
  profileOf(pod: WaitingPod): Profile | undefined
}

interface Without {
  readonly waiting: WaitingPod
  readonly profile: Profile
  readonly decision: NoNode
  readonly started: number
}

/** The group is decided on as one: all of it that waits, and either enough have a place or nobody has. */
export function scheduleGroup(options: GroupCycleOptions, first: WaitingPod, group: string): void {
  const { known, queue, cycle, metrics } = options
  const members = [first, ...known.groups.waiting(group, first.key).flatMap((key) => queue.take(key) ?? [])]
  const { placements, without } = placeEach(options, members)
  const { needed, placed } = known.groups.quorum(group, known.cache)
  metrics.groupAttempt(placed < needed ? 'unschedulable' : 'scheduled', first.info.pod.spec.schedulerName ?? 'default-scheduler')
  if (placed < needed) {
    for (const placement of placements.reverse()) {
      cycle.undo(placement)
      // It had a place, but its group has not enough of them.
      cycle.giveBack(placement, new Set(['GangScheduling']), 'waiting for minCount pods from a gang to be scheduled')
    }
  } else {
    for (const placement of placements) {
      // Whoever came first was asked when the others had no place yet.
      const refused = placement.waits.size > 0 ? placement.permit(metrics) : undefined
      if (!refused) cycle.start(placement)
      else {
        cycle.undo(placement)
        cycle.refused(placement, refused)
      }
    }
  }
  // Nobody has to go for a group that would not start all the same.
  const isHopeless = placed + without.filter(({ decision }) => decision.preemption?.nominatedNode).length < needed
  for (const { waiting, profile, decision, started } of without) cycle.noNode(waiting, profile, isHopeless ? { misfit: decision.misfit } : decision, started)
}

function placeEach({ known, cycle, profileOf }: GroupCycleOptions, members: readonly WaitingPod[]): { placements: Placement[]; without: Without[] } {
  const placements: Placement[] = []
  const without: Without[] = []
  for (const waiting of members) {
    const profile = profileOf(waiting)
    if (!profile || known.cache.placeOf(waiting.key) !== undefined) continue
    const started = performance.now()
    const decision = cycle.decide(waiting, profile, started)
    if (decision === undefined) continue
    if (decision instanceof Promise) {
      // What a group comes to is one decision; asking others in between would let the cluster change under it.
      decision.catch(() => undefined)
      cycle.failed(waiting, profile, new Error('pods of pod groups cannot be decided on with extenders'), started)
      continue
    }
    cycle.note(waiting, decision)
    if (decision.node === undefined) without.push({ waiting, profile, decision, started })
    else {
      const placement = cycle.place(waiting, profile, decision, started)
      if (placement) placements.push(placement)
    }
  }
  return { placements, without }
}
