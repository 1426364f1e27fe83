import type { StatefulSet, StatefulSetStatus } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { scaledValue } from '../common/int-or-percent.ts'
import { isPodAvailable, isPodReady, isPodTerminal } from '../common/pods.ts'
import { inRange, ordinalOf, revisionOf, startOrdinal } from './identity.ts'

/** What the plans look at. The revisions are names: of what there was, and of the present template. */
export interface StatefulView {
  set: StatefulSet
  /** Pods of the set, by the selector and their names. */
  pods: readonly Pod[]
  currentRevision: string
  updateRevision: string
  now: number
  /** The gate MaxUnavailableStatefulSet: off, an update replaces one pod after the other, from the highest ordinal down. */
  severalAtOnce: boolean
}

export type Step =
  /** `current`: of the template that was before. */
  | { kind: 'create'; ordinal: number; current: boolean }
  /** Where its identity, volumes or claims are not as they should be. */
  | { kind: 'repair'; pod: Pod }
  | { kind: 'delete'; pod: Pod; why: 'over' | 'scale' | 'update' }

const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined
export const isReplicaReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod)
const isReplicaAvailable = ({ set, now }: StatefulView, pod: Pod): boolean => isReplicaReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)

/** Whether a missing ordinal is made of the template that was before: those below the partition. */
function fromCurrent({ set }: StatefulView, ordinal: number): boolean {
  if (set.spec.updateStrategy?.type === 'OnDelete') return false
  const rolling = set.spec.updateStrategy?.rollingUpdate
  return ordinal < startOrdinal(set) + (rolling === undefined ? set.status?.currentReplicas ?? 0 : rolling.partition ?? 0)
}

/**
 * The next steps of a set (upstream's updateStatefulSet). OrderedReady: one creation after the other, each waiting until all before it are
 * available, then deletions from the highest ordinal down, one at a time; Parallel: all at once. Updates come when all that is done.
 */
export function planSteps(view: StatefulView): Step[] {
  const { set, pods } = view
  if (set.metadata.deletionTimestamp !== undefined) return []
  const ordered = set.spec.podManagementPolicy !== 'Parallel'
  const wanted = pods.filter((pod) => inRange(set, pod))
  const condemned = pods.filter((pod) => !inRange(set, pod)).toSorted((a, b) => ordinalOf(b) - ordinalOf(a))
  const steps: Step[] = []
  const replicas: Pod[] = []
  let acts = false
  for (let ordinal = startOrdinal(set); ordinal < startOrdinal(set) + (set.spec.replicas ?? 1); ordinal++) {
    const pod = wanted.find((each) => ordinalOf(each) === ordinal)
    if (pod === undefined) steps.push({ kind: 'create', ordinal, current: fromCurrent(view, ordinal) })
    else if (isPodTerminal(pod)) {
      if (!isTerminating(pod)) steps.push({ kind: 'delete', pod, why: 'over' })
      if (!ordered) acts = true
    } else {
      replicas.push(pod)
      steps.push({ kind: 'repair', pod })
      if (isReplicaAvailable(view, pod) && !isTerminating(pod)) continue
      if (ordered) return steps
      continue
    }
    if (ordered) return steps
    acts = true
  }
  const removals = removeCondemned(view, condemned, ordered, replicas)
  steps.push(...removals.steps)
  if (acts || removals.wait || set.spec.updateStrategy?.type === 'OnDelete') return steps
  return [...steps, ...rollReplicas(view, replicas, ordered)]
}

function removeCondemned(view: StatefulView, condemned: readonly Pod[], ordered: boolean, replicas: readonly Pod[]): { steps: Step[]; wait: boolean } {
  const steps: Step[] = []
  // The lowest unhealthy pod of all: it may go though it is not ready, as nothing below it is harmed.
  const unhealthy = [...replicas, ...condemned.toReversed()].find((pod) => isTerminating(pod) || !isReplicaReady(pod))
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (ordered) return { steps, wait: true }
      continue
    }
    if (ordered && pod !== unhealthy && !isReplicaAvailable(view, pod)) return { steps, wait: true }
    steps.push({ kind: 'delete', pod, why: 'scale' })
    if (ordered) return { steps, wait: true }
  }
  return { steps, wait: false }
}

/** How many pods an update may make unavailable: at least one. */
export function maxUnavailable(set: StatefulSet): number {
  return Math.max(1, scaledValue(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, set.spec.replicas ?? 1, true))
}

/** Old pods to delete, from the highest ordinal down to the partition, as many as may be unavailable. */
function rollReplicas(view: StatefulView, replicas: readonly Pod[], ordered: boolean): Step[] {
  const { set, updateRevision } = view
  const partition = startOrdinal(set) + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0)
  const unavailable = (pod: Pod): boolean => isTerminating(pod) || !isReplicaAvailable(view, pod)
  if (!view.severalAtOnce) {
    const next = replicas.filter((pod) => ordinalOf(pod) >= partition).toReversed().find((pod) => revisionOf(pod) !== updateRevision || unavailable(pod))
    return next === undefined || revisionOf(next) === updateRevision || isTerminating(next) ? [] : [{ kind: 'delete', pod: next, why: 'update' }]
  }
  const old = replicas.filter((pod) => ordinalOf(pod) >= partition && revisionOf(pod) !== updateRevision && !isTerminating(pod)).toReversed()
  const room = Math.max(0, maxUnavailable(set) - replicas.filter(unavailable).length)
  // In parallel what is broken already goes first: it costs nothing.
  const doomed = ordered ? old.slice(0, room) : [...old.filter(unavailable), ...old.filter((pod) => !unavailable(pod)).slice(0, room)]
  return doomed.map((pod) => ({ kind: 'delete', pod, why: 'update' }))
}

/** The status of a set with these pods; when all are of the new revision and ready, that is the current one. */
export function statefulSetStatus(view: StatefulView, collisionCount: number): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision } = view
  const created = pods.filter((pod) => pod.status?.phase !== undefined)
  const alive = created.filter((pod) => !isTerminating(pod))
  const count = (which: readonly Pod[], holds: (pod: Pod) => boolean): number => which.filter(holds).length
  const status = {
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
    observedGeneration: set.metadata.generation ?? 0, collisionCount, currentRevision, updateRevision,
    replicas: created.length, readyReplicas: count(created, isReplicaReady), availableReplicas: count(created, (pod) => isReplicaAvailable(view, pod)),
    currentReplicas: count(alive, (pod) => revisionOf(pod) === currentRevision), updatedReplicas: count(alive, (pod) => revisionOf(pod) === updateRevision),
  }
  const complete = set.spec.updateStrategy?.type !== 'OnDelete' && status.updatedReplicas === status.replicas && status.readyReplicas === status.replicas && status.replicas === (set.spec.replicas ?? 1)
  return complete ? { ...status, currentReplicas: status.updatedReplicas, currentRevision: updateRevision } : status
}

/** Whether two statuses say the same; absent numbers are zero. */
export function sameStatefulStatus(a: StatefulSetStatus | undefined, b: StatefulSetStatus): boolean {
  const numbers = ['replicas', 'readyReplicas', 'availableReplicas', 'currentReplicas', 'updatedReplicas', 'observedGeneration', 'collisionCount'] as const
  return a !== undefined && numbers.every((name) => (a[name] ?? 0) === (b[name] ?? 0)) && a.currentRevision === b.currentRevision && a.updateRevision === b.updateRevision
}
