import { batch, core } from '@berth/api'
import type { Job, JobCondition, JobStatus } from '@berth/api/types/batch/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, keyOf, labelSelectorMatcher, splitKey } from '@berth/kube'
import { claimObjects, ignore } from '../common/adoption.ts'
import { orphansOf } from '../common/owners.ts'
import { isPodReady, wireTime } from '../common/pods.ts'
import { condition, isFinished, withCondition } from './conditions.ts'
import { manage, type Managed } from './manage.ts'
import { hasTracking, isSuspended, trackingFinalizer } from './pods.ts'
import { each, release, remove, type JobScope } from './scope.ts'
import { deadlineInMs, endOf, isComplete, stateOf, type JobState } from './state.ts'
import { isOurs, maySettle, settled, track } from './track.ts'

/** Forgets what is kept of a job that is gone. */
function forget({ expectations, released, backoff }: JobScope, key: string): void {
  expectations.forget(key)
  released.delete(key)
  backoff.delete(key)
}

/** Brings a job to what it should be: counts what has ended, decides whether that is the end, makes or deletes pods. */
export async function syncJob(scope: JobScope, key: string): Promise<void> {
  const { jobs, queue, backoff, finished, context: { clock } } = scope
  const stored = jobs.store.get(key)
  if (stored === undefined) return forget(scope, key)
  if (!isOurs(stored)) return
  const uid = stored.metadata.uid ?? ''
  if (isFinished(stored)) {
    backoff.delete(key)
    finished.delete(uid)
    return
  }
  // Written as finished, and the API's word is on its way.
  if (finished.has(uid)) return
  const satisfied = scope.expectations.satisfied(key)
  const pods = await podsOf(scope, stored)
  const now = clock.now()
  const started = stored.status?.startTime === undefined && !isSuspended(stored) ? { startTime: wireTime(now) } : {}
  const job: Job = { ...stored, status: { ...stored.status, ...started } }
  const state = stateOf(job, pods, new Set(scope.released.get(key)), backoff.get(key))
  const left = deadlineInMs(job, now)
  if (left !== undefined && left > 0) queue.addAfter(key, left)
  const { managed, end, status } = await act(scope, state, satisfied, now)
  const next: JobStatus = { ...status, active: managed.active, ready: managed.ready, terminating: managed.terminating }
  const changed = status !== job.status || job.status?.active !== next.active || job.status?.ready !== next.ready || job.status?.terminating !== next.terminating
  await writeTracking(scope, { ...state, job: { ...job, status: next } }, end, changed, now)
  if (managed.error !== undefined) throw managed.error
}

/** The pods of a job, adopted where they match; those newly adopted count as tracked. */
async function podsOf({ context: { client }, pods }: JobScope, job: Job): Promise<Pod[]> {
  const { selector } = job.spec
  if (selector === undefined) return []
  const matches = labelSelectorMatcher(selector)
  const objects = [...pods.store.byIndex('controller', job.metadata.uid ?? ''), ...pods.store.byIndex('controller', orphansOf(job.metadata.namespace ?? ''))]
  const claimed = await claimObjects({ client, owner: job, ownerResource: batch.jobs, resource: core.pods, objects, matches: (pod) => matches(pod.metadata.labels) })
  return Promise.all(claimed.map(async (pod) => {
    const isNew = !objects.some((known) => known === pod)
    if (!isNew || hasTracking(pod)) return pod
    const body = { metadata: { finalizers: [trackingFinalizer] } }
    return await client.patch(core.pods, pod.metadata.name, { type: 'strategic', body }, { namespace: pod.metadata.namespace }).catch(ignore(isNotFound)) ?? pod
  }))
}

interface Acted {
  readonly managed: Managed
  readonly end?: JobCondition
  readonly status: JobStatus
}

/** Ends the pods of a job that is to end, or brings their number to what is wanted. */
async function act(scope: JobScope, state: JobState, satisfied: boolean, now: number): Promise<Acted> {
  const { job } = state
  const before = job.status ?? {}
  const asIs: Managed = { active: state.active.length, ready: state.ready, terminating: state.terminating }
  const end = endOf(state, now)
  if (end) {
    const { done, error } = await each(state.active, (pod) => remove(scope, job, pod))
    const managed = { active: asIs.active - done.length, ready: asIs.ready - done.filter(isPodReady).length, terminating: asIs.terminating + done.length, ...(error === undefined ? {} : { error }) }
    // Pods may be left whose finalizers are to go first, or that have not come to be seen.
    return { managed, status: before, ...(managed.active === 0 && satisfied ? { end } : {}) }
  }
  const manages = satisfied && job.metadata.deletionTimestamp === undefined
  const managed = manages ? await manage(scope, state) : asIs
  if (isComplete(state, managed.active)) {
    return { managed, status: before, end: condition('SuccessCriteriaMet', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods', now) }
  }
  return { managed, status: manages ? withSuspension(scope, job, before, now) : before }
}

function withSuspension({ recorder }: JobScope, job: Job, status: JobStatus, now: number): JobStatus {
  const suspended = isSuspended(job)
  const wanted = suspended ? condition('Suspended', 'True', 'JobSuspended', 'Job suspended', now) : condition('Suspended', 'False', 'JobResumed', 'Job resumed', now)
  const { conditions, changed } = withCondition(status.conditions ?? [], wanted)
  if (!changed) return status
  recorder.event(job, 'Normal', suspended ? 'Suspended' : 'Resumed', suspended ? 'Job suspended' : 'Job resumed')
  const { startTime: _, ...rest } = status
  // A job's time begins anew when it goes on.
  return suspended ? { ...rest, conditions } : { ...rest, conditions, startTime: wireTime(now) }
}

/** Writes who has ended, lets those pods go, counts them for good, and ends the job when nothing is left. */
async function writeTracking(scope: JobScope, state: JobState, end: JobCondition | undefined, changed: boolean, now: number): Promise<void> {
  const { context: { client }, recorder, backoff, finished } = scope
  const key = keyOf(state.job)
  const tracking = track(state, end, now)
  let job: Job = { ...state.job, status: tracking.status }
  let pending = changed || tracking.mustWrite
  const write = async (): Promise<void> => {
    job = await client.update(batch.jobs, job, { subresource: 'status' })
    pending = false
  }
  if (pending) {
    await write()
    backoff.set(key, state.backoff)
  }
  const { done, error } = await each(tracking.release, (pod) => release(scope, pod))
  const gone = scope.released.get(key) ?? new Set()
  for (const pod of done) gone.add(pod.metadata.uid ?? '')
  if (gone.size > 0) scope.released.set(key, gone)
  const withFinalizer = new Set(state.pods.filter((pod) => hasTracking(pod) && !gone.has(pod.metadata.uid ?? '')).map((pod) => pod.metadata.uid ?? ''))
  const counted = settled(job.status ?? {}, withFinalizer, state.job.spec.completionMode === 'Indexed')
  if (counted !== job.status) {
    job = { ...job, status: counted }
    pending = true
  }
  const ends = tracking.end !== undefined && !tracking.more && error === undefined && maySettle(job.status ?? {})
  if (ends && tracking.end) {
    const { conditions } = withCondition(job.status?.conditions ?? [], tracking.end)
    job = { ...job, status: { ...job.status, conditions, ...(tracking.end.type === 'Complete' ? { completionTime: tracking.end.lastTransitionTime ?? wireTime(now) } : {}) } }
    pending = true
  }
  if (pending) await write()
  if (ends && tracking.end) {
    finished.add(job.metadata.uid ?? '')
    if (tracking.end.type === 'Complete') {
      if (job.spec.completions !== undefined && (job.status?.succeeded ?? 0) > job.spec.completions) recorder.event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
      recorder.event(job, 'Normal', 'Completed', 'Job completed')
    } else recorder.event(job, 'Warning', tracking.end.reason ?? '', tracking.end.message ?? '')
  }
  if (error !== undefined) throw error
}

/** Takes the finalizer off a pod that no unfinished job of ours has. */
export async function syncOrphan(scope: JobScope, key: string): Promise<void> {
  const pod = scope.pods.store.get(key)
  if (pod === undefined || !hasTracking(pod)) return
  const owner = (pod.metadata.ownerReferences ?? []).find(({ controller }) => controller === true)
  if (owner && (owner.kind !== 'Job' || !owner.apiVersion.startsWith('batch/'))) return
  const job = owner && scope.jobs.store.get(`${splitKey(key).namespace}/${owner.name}`)
  if (job && job.metadata.uid === owner.uid && (!isOurs(job) || !isFinished(job))) return
  await release(scope, pod)
}
