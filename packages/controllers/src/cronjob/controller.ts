import { batch } from '@berth/api'
import type { CronJob, Job } from '@berth/api/types/batch/v1'
import { keyOf } from '@berth/kube'
import { keyedController } from '../common/keyed-controller.ts'
import { controllerIndex, controllerOf } from '../common/owners.ts'
import type { Controller } from '../context.ts'
import { nextLookMs } from './missed.ts'
import { readSchedule, syncCronJob, type CronJobScope } from './sync.ts'

/** Makes Jobs at the times of a schedule. */
export const cronJobController: Controller = {
  name: 'cronjob-controller',
  async run(context) {
    const cronJobs = context.informers.for(batch.cronjobs)
    const jobs = context.informers.for(batch.jobs, { indexers: { controller: controllerIndex } })
    const scope: CronJobScope = { context, cronJobs, jobs, recorder: context.recorder('cronjob-controller') }
    const frame = keyedController({
      name: 'cronjob', workers: 5, context, informers: [cronJobs, jobs],
      async sync(key, queue) {
        const again = await syncCronJob(scope, key)
        if (again !== undefined) queue.addAfter(key, again)
      },
    })
    const look = (cronJob: CronJob): void => frame.queue.add(keyOf(cronJob))
    const ownerChanged = (job: Job): void => {
      const owner = controllerOf(job)
      if (owner?.kind !== 'CronJob') return
      const cronJob = cronJobs.store.get(`${job.metadata.namespace ?? ''}/${owner.name}`)
      if (cronJob?.metadata.uid === owner.uid) look(cronJob)
    }
    const off = [
      jobs.on({
        added: ownerChanged,
        updated(old, job) {
          if (controllerOf(old)?.uid !== controllerOf(job)?.uid) ownerChanged(old)
          ownerChanged(job)
        },
        deleted: ownerChanged,
      }),
      cronJobs.on({
        added: look,
        deleted: look,
        updated(old, cronJob) {
          const { schedule, timeZone } = cronJob.spec
          if (old.spec.schedule === schedule && old.spec.timeZone === timeZone) return look(cronJob)
          // A new schedule does not begin with a time that has passed under it.
          const read = readSchedule(scope, cronJob, () => ['UnParseableCronJobSchedule', `unparseable schedule for cronjob: ${schedule}`])
          if (read) frame.queue.addAfter(keyOf(cronJob), nextLookMs(cronJob, read, context.clock.now()) ?? 0)
        },
      }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}
