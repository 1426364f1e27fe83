import { batch } from '@berth/api'
import type { Job } from '@berth/api/types/batch/v1'
import { isNotFound, keyOf } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { finishTime } from './conditions.ts'

/** When a job is to be deleted; undefined for one that is not, or not yet finished. Milliseconds. */
export function expiry(job: Job): number | undefined {
  const ttl = job.spec.ttlSecondsAfterFinished
  const finished = finishTime(job)
  return ttl === undefined || finished === undefined || job.metadata.deletionTimestamp !== undefined ? undefined : finished + ttl * 1000
}

/** Deletes jobs some time after they have finished (`ttlSecondsAfterFinished`). */
export const ttlAfterFinishedController: Controller = {
  name: 'ttl-after-finished-controller',
  async run(context) {
    const { client, clock } = context
    const jobs = context.informers.for(batch.jobs)
    const frame = keyedController({
      name: 'ttl_jobs_to_delete', workers: 5, context, informers: [jobs],
      async sync(key, queue) {
        const known = jobs.store.get(key)
        const at = known && expiry(known)
        if (known === undefined || at === undefined) return
        if (at > clock.now()) return queue.addAfter(key, at - clock.now())
        // The time may have been changed in the meantime: the API server has the last word.
        const { name, namespace, uid } = known.metadata
        const fresh = await client.get(batch.jobs, name, { namespace }).catch(ignore(isNotFound))
        const then = fresh && expiry(fresh)
        if (fresh === undefined || then === undefined) return
        if (then > clock.now()) return queue.addAfter(key, then - clock.now())
        await client.delete(batch.jobs, name, { namespace, propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion: fresh.metadata.resourceVersion } }).catch(ignore(isNotFound))
      },
    })
    const consider = (job: Job): void => {
      if (expiry(job) !== undefined) frame.queue.add(keyOf(job))
    }
    const off = jobs.on({ added: consider, updated: (_old, job) => consider(job) })
    await frame.run()
    off()
  },
}
