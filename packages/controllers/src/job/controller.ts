import { batch, core } from '@berth/api'
import type { Job } from '@berth/api/types/batch/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { createWorkQueue, keyOf, runWorkers, type Informer } from '@berth/kube'
import { Expectations } from '../common/expectations.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { controllerIndex, controllerOf } from '../common/owners.ts'
import type { Controller } from '../context.ts'
import { isFinished } from './conditions.ts'
import { hasTracking, isPodFailed } from './pods.ts'
import type { JobScope } from './scope.ts'
import { syncJob, syncOrphan } from './sync.ts'

/** Changes of pods are looked at together. */
const batchMs = 1000

/** Runs pods until as many as wanted have succeeded. */
export const jobController: Controller = {
  name: 'job-controller',
  async run(context) {
    const jobs = context.informers.for(batch.jobs)
    const pods = context.informers.for(core.pods, { indexers: { controller: controllerIndex } })
    const frame = keyedController({ name: 'job', workers: 5, context, informers: [jobs, pods], sync: (key) => syncJob(scope, key) })
    const scope: JobScope = { context, jobs, pods, queue: frame.queue, recorder: context.recorder('job-controller'), expectations: new Expectations(context.clock), released: new Map(), backoff: new Map(), finished: new Set() }
    const orphans = createWorkQueue({ name: 'job_orphan_pod', clock: context.clock, observer: context.queueObserver?.('job_orphan_pod') })
    const off = [watchJobs(scope, orphans), watchPods(scope, orphans)]
    await Promise.all([
      frame.run(),
      Promise.all([jobs.whenSynced(context.signal), pods.whenSynced(context.signal)])
        .then(() => runWorkers(orphans, 2, (key) => syncOrphan(scope, key), { logger: context.logger, signal: context.signal }), (error: unknown) => {
          if (!context.signal.aborted) throw error
          orphans.shutDown()
        }),
    ])
    for (const each of off) each()
  },
}

function watchJobs({ jobs, pods, queue }: JobScope, orphans: { add(key: string): void }): () => void {
  const letGo = (job: Job): void => {
    for (const pod of pods.store.byIndex('controller', job.metadata.uid ?? '')) if (hasTracking(pod)) orphans.add(keyOf(pod))
  }
  return jobs.on({
    added(job) {
      queue.add(keyOf(job))
      if (isFinished(job)) letGo(job)
    },
    updated(old, job) {
      // What only the status says came from us: the pods that it is about tell more soon enough.
      if (old.metadata.generation === job.metadata.generation && old.metadata.deletionTimestamp === job.metadata.deletionTimestamp) queue.addAfter(keyOf(job), batchMs)
      else queue.add(keyOf(job))
      if (isFinished(job) && !isFinished(old)) letGo(job)
    },
    deleted(job) {
      queue.add(keyOf(job))
      letGo(job)
    },
  })
}

function jobOf(jobs: Informer<Job>, pod: Pod): Job | undefined {
  const owner = controllerOf(pod)
  const job = owner?.kind === 'Job' ? jobs.store.get(`${pod.metadata.namespace ?? ''}/${owner.name}`) : undefined
  return job?.metadata.uid === owner?.uid ? job : undefined
}

function watchPods({ jobs, pods, queue, expectations, released }: JobScope, orphans: { add(key: string): void }): () => void {
  const forgetReleased = (job: Job, pod: Pod): void => {
    const uids = released.get(keyOf(job))
    uids?.delete(pod.metadata.uid ?? '')
    if (uids?.size === 0) released.delete(keyOf(job))
  }
  const gone = (pod: Pod): void => {
    const job = jobOf(jobs, pod)
    if (job) {
      expectations.deletionObserved(keyOf(job), keyOf(pod))
      forgetReleased(job, pod)
      queue.addAfter(keyOf(job), batchMs)
    } else if (hasTracking(pod)) orphans.add(keyOf(pod))
  }
  return pods.on({
    added(pod) {
      const job = jobOf(jobs, pod)
      if (pod.metadata.deletionTimestamp !== undefined) return gone(pod)
      if (job) {
        expectations.creationObserved(keyOf(job))
        queue.addAfter(keyOf(job), batchMs)
      } else if (controllerOf(pod) === undefined) {
        for (const candidate of jobs.store.list()) if (candidate.metadata.namespace === pod.metadata.namespace) queue.addAfter(keyOf(candidate), batchMs)
      }
      if (!job && hasTracking(pod)) orphans.add(keyOf(pod))
    },
    updated(old, pod) {
      if (old.metadata.resourceVersion === pod.metadata.resourceVersion) return
      if (pod.metadata.deletionTimestamp !== undefined && !hasTracking(pod)) return gone(pod)
      const job = jobOf(jobs, pod)
      if (!job) {
        if (hasTracking(pod)) orphans.add(keyOf(pod))
        return
      }
      if (!hasTracking(pod)) forgetReleased(job, pod)
      // Failures make a job wait; they are looked at at once, so that its waiting begins.
      if (isPodFailed(pod, job) && !isPodFailed(old, job)) queue.add(keyOf(job))
      else queue.addAfter(keyOf(job), batchMs)
    },
    deleted: gone,
  })
}
