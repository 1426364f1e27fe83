import { core } from '@berth/api'
import type { Job } from '@berth/api/types/batch/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { errorText, isNotFound, type EventRecorder, type Informer, type WorkQueue } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import type { Expectations } from '../common/expectations.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import type { ControllerContext } from '../context.ts'
import type { BackoffRecord } from './backoff.ts'
import { hasTracking, trackingFinalizer } from './pods.ts'

/** What the job controller works with. */
export interface JobScope {
  readonly context: ControllerContext
  readonly jobs: Informer<Job>
  readonly pods: Informer<Pod>
  readonly recorder: EventRecorder
  readonly expectations: Expectations
  readonly queue: WorkQueue
  /** Pods whose finalizer we took off and that have not come back without it, by job. */
  readonly released: Map<string, Set<string>>
  readonly backoff: Map<string, BackoffRecord>
  /** Jobs that we wrote as finished, by uid, until the API shows them so. */
  readonly finished: Set<string>
}

/** Takes the finalizer off a pod. Gone is as good. */
export async function release({ context: { client } }: JobScope, pod: Pod): Promise<void> {
  if (!hasTracking(pod)) return
  const { name, namespace } = pod.metadata
  const body = { metadata: { '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } }
  await client.patch(core.pods, name, { type: 'strategic', body }, { namespace }).catch(ignore(isNotFound))
}

/** Deletes a pod and says so. Throws where the API refuses. */
export async function remove({ context: { client }, recorder }: JobScope, job: Job, pod: Pod): Promise<void> {
  try {
    await client.delete(core.pods, pod.metadata.name, { namespace: pod.metadata.namespace, preconditions: { uid: pod.metadata.uid } })
    recorder.event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  } catch (error) {
    if (isNotFound(error)) return
    recorder.event(job, 'Warning', 'FailedDelete', `Error deleting: ${errorText(error)}`)
    throw error
  }
}

/** Makes a pod and says so. Throws where the API refuses; a namespace that goes away is no reason to. */
export async function create({ context: { client }, recorder }: JobScope, job: Job, pod: Pod): Promise<void> {
  try {
    const made = await client.create(core.pods, pod)
    recorder.event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`)
  } catch (error) {
    if (isNamespaceTerminating(error)) return
    recorder.event(job, 'Warning', 'FailedCreate', `Error creating: ${errorText(error)}`)
    throw error
  }
}

/** Does something for each pod at once; gives how many succeeded, and the first error. */
export async function each(pods: readonly Pod[], act: (pod: Pod) => Promise<void>): Promise<{ done: Pod[]; error?: unknown }> {
  const results = await Promise.allSettled(pods.map(act))
  const failed = results.find((result) => result.status === 'rejected')
  return { done: pods.filter((_, i) => results[i]?.status === 'fulfilled'), ...(failed === undefined ? {} : { error: failed.reason }) }
}

