import type { Pod } from '@berth/api/types/core/v1'
import { keyOf } from '@berth/kube'
import { isPodReady, isPodTerminating } from '../common/pods.ts'
import { slowStartBatch } from '../common/slow-start.ts'
import { podsToDelete } from '../replicaset/deletion-rank.ts'
import { remainingForIndexMs, remainingMs } from './backoff.ts'
import { firstMissing, indexesOf, merge } from './indexes.ts'
import { podOf } from './pod-template.ts'
import { completionIndex, isIndexed, isSuspended, replacesFailedOnly, superfluous } from './pods.ts'
import { create, each, release, remove, type JobScope } from './scope.ts'
import { wantedActive, type JobState } from './state.ts'

/** The most pods that one look makes or deletes. */
const burst = 500

/** What making and deleting pods came to. */
export interface Managed {
  readonly active: number
  readonly ready: number
  readonly terminating: number
  readonly error?: unknown
}

/** Makes or deletes pods towards what the job wants; never both at once. */
export async function manage(scope: JobScope, state: JobState): Promise<Managed> {
  const { job, active } = state
  const wanted = wantedActive(state)
  const doomed = tooMany(state, wanted, scope.context.clock.now()).slice(0, isSuspended(job) ? undefined : burst)
  if (doomed.length > 0 || isSuspended(job)) return deletePods(scope, state, doomed)
  const missing = Math.min(burst, wanted - active.length - (replacesFailedOnly(job) ? state.terminating : 0))
  return missing > 0 ? createPods(scope, state, missing) : unchanged(state)
}

const unchanged = ({ active, ready, terminating }: JobState): Managed => ({ active: active.length, ready, terminating })

function tooMany({ job, active }: JobState, wanted: number, now: number): Pod[] {
  const worst = (pods: readonly Pod[], count: number): Pod[] => podsToDelete(pods, new Map(), count, now)
  const { doomed, left } = isIndexed(job) ? superfluous(active, job.spec.completions ?? 0, worst) : { doomed: [], left: active }
  const more = active.length - wanted - doomed.length
  return more > 0 ? [...doomed, ...worst(left, more)] : doomed
}

async function deletePods(scope: JobScope, state: JobState, doomed: readonly Pod[]): Promise<Managed> {
  const { expectations } = scope
  const key = keyOf(state.job)
  expectations.expectDeletions(key, doomed.map(keyOf))
  const { done, error } = await each(doomed, async (pod) => {
    try {
      await release(scope, pod)
      await remove(scope, state.job, pod)
    } catch (caught) {
      expectations.deletionObserved(key, keyOf(pod))
      throw caught
    }
  })
  return {
    active: state.active.length - done.length, ready: state.ready - done.filter(isPodReady).length, terminating: state.terminating + done.length,
    ...(error === undefined ? {} : { error }),
  }
}

async function createPods(scope: JobScope, state: JobState, missing: number): Promise<Managed> {
  const { job } = state
  const { queue, expectations, context: { clock } } = scope
  const key = keyOf(job)
  const now = clock.now()
  const perIndex = state.failedIndexes !== undefined
  const wait = perIndex ? 0 : remainingMs(state.backoff, now)
  if (wait > 0) {
    queue.addAfter(key, wait)
    return unchanged(state)
  }
  const pending = isIndexed(job) ? pendingIndexes(state, missing) : undefined
  const ready = perIndex ? pending?.filter((index) => remainingForIndexMs(state.waiting.get(index), now) === 0) : pending
  if (pending && ready?.length === 0 && pending.length > 0) {
    queue.addAfter(key, Math.min(...pending.map((index) => remainingForIndexMs(state.waiting.get(index), now))))
    return unchanged(state)
  }
  const todo: (number | undefined)[] = ready ? [...ready] : Array.from({ length: missing }, () => undefined)
  expectations.expectCreations(key, todo.length)
  let next = 0
  const { successes, error } = await slowStartBatch(todo.length, async () => {
    const index = todo[next++]
    await create(scope, job, podOf(job, index, index === undefined ? undefined : state.waiting.get(index)))
  })
  if (error !== undefined) expectations.creationObserved(key, todo.length - successes)
  return { active: state.active.length + successes, ready: state.ready, terminating: state.terminating, ...(error === undefined ? {} : { error }) }
}

/** The next indexes that need a pod. */
function pendingIndexes(state: JobState, count: number): number[] {
  const held = replacesFailedOnly(state.job) ? [...state.active, ...state.pods.filter(isPodTerminating)] : state.active
  const taken = merge(merge(state.succeededIndexes, state.failedIndexes ?? []), indexesOf(held.flatMap((pod) => completionIndex(pod) ?? [])))
  return firstMissing(taken, count, state.job.spec.completions ?? 0)
}
