import { batch, core } from '@berth/api'
import type { CronJob, CronJobSpec, Job } from '@berth/api/types/batch/v1'
import { isNotFound } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.addNode('n1')
  await eventually('the namespace is ready', () => cluster.client.get(core.serviceaccounts, 'default', { namespace: 'default' }), () => true)
})
afterAll(() => cluster.stop())

const namespace = 'default'
const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } }

/** Made with a past last time, so that one is due at once. */
async function createDue(name: string, spec: Partial<CronJobSpec> = {}): Promise<CronJob> {
  const made = await cluster.client.create(batch.cronjobs, { metadata: { name, namespace }, spec: { schedule: '* * * * *', suspend: true, jobTemplate: { spec: { template } }, ...spec } })
  return due(made)
}

async function due(cronJob: Pick<CronJob, 'metadata'>): Promise<CronJob> {
  const { name } = cronJob.metadata
  const lastScheduleTime = new Date(Date.now() - 150_000).toISOString().replace(/\.\d+Z$/, 'Z')
  await cluster.client.patch(batch.cronjobs, name, { type: 'merge', body: { status: { lastScheduleTime } } }, { namespace, subresource: 'status' })
  return cluster.client.patch(batch.cronjobs, name, { type: 'merge', body: { spec: { suspend: false } } }, { namespace })
}

const cronJobNow = (name: string): Promise<CronJob> => cluster.client.get(batch.cronjobs, name, { namespace })
async function jobsOf(name: string): Promise<Job[]> {
  const { items } = await cluster.client.list(batch.jobs, { namespace })
  return items.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === name)
}
async function finish(job: Job): Promise<void> {
  const { items } = await eventually('its pod runs', () => cluster.client.list(core.pods, { namespace, labelSelector: `job-name=${job.metadata.name}` }), (list) => list.items[0]?.status?.phase === 'Running')
  await cluster.client.patch(core.pods, items[0]?.metadata.name ?? '', { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { namespace, subresource: 'status' })
}
const eventsOf = async (name: string): Promise<(string | undefined)[]> => (await cluster.client.list(core.events, { namespace, fieldSelector: `involvedObject.name=${name}` })).items.map(({ reason }) => reason)

test('the job of the last time that has passed is made, and its end is noted', async () => {
  await createDue('tick')
  const [job] = await eventually('the job is made', () => jobsOf('tick'), (jobs) => jobs.length === 1)
  expect(job?.metadata.name).toMatch(/^tick-\d{8}$/)
  const active = await eventually('it is known as active', () => cronJobNow('tick'), ({ status }) => status?.active?.length === 1)
  expect(active.status?.active?.[0]).toMatchObject({ kind: 'Job', apiVersion: 'batch/v1', name: job?.metadata.name, uid: job?.metadata.uid })
  const scheduled = job?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']
  expect(Date.parse(active.status?.lastScheduleTime ?? '')).toBe(Date.parse(scheduled ?? ''))
  await finish(job as Job)
  const done = await eventually('its end is noted', () => cronJobNow('tick'), ({ status }) => (status?.active ?? []).length === 0 && status?.lastSuccessfulTime !== undefined)
  expect(done.status?.lastSuccessfulTime).toBe((await jobsOf('tick'))[0]?.status?.completionTime)
  await eventually('the events are there', () => eventsOf('tick'), (reasons) => reasons.includes('SuccessfulCreate') && reasons.includes('SawCompletedJob'))
  // No more than are to be kept.
  await cluster.client.patch(batch.cronjobs, 'tick', { type: 'merge', body: { spec: { successfulJobsHistoryLimit: 0 } } }, { namespace })
  await eventually('the finished job is gone', () => jobsOf('tick'), (jobs) => jobs.length === 0)
})

/** A cron job whose next time has come while the job of another time, as an earlier look would have left it, still runs. */
async function createBusy(name: string, concurrencyPolicy: CronJobSpec['concurrencyPolicy']): Promise<void> {
  const { metadata } = await cluster.client.create(batch.cronjobs, { metadata: { name, namespace }, spec: { schedule: '* * * * *', suspend: true, concurrencyPolicy, jobTemplate: { spec: { template } } } })
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true }
  const old = await cluster.client.create(batch.jobs, { metadata: { name: `${name}-1`, namespace, ownerReferences: [owner] }, spec: { template } })
  const active = [{ apiVersion: 'batch/v1', kind: 'Job', name: `${name}-1`, namespace, uid: old.metadata.uid }]
  await cluster.client.patch(batch.cronjobs, name, { type: 'merge', body: { status: { active } } }, { namespace, subresource: 'status' })
  await due({ metadata })
}

test('no job is made while another runs, where that is forbidden', async () => {
  await createBusy('alone', 'Forbid')
  await eventually('the refusal is told', () => eventsOf('alone'), (reasons) => reasons.includes('JobAlreadyActive'))
  expect(await jobsOf('alone')).toHaveLength(1)
})

test('a job that still runs is replaced, and the jobs go with their cron job', async () => {
  await createBusy('swap', 'Replace')
  const jobs = await eventually('it is replaced', () => jobsOf('swap'), (all) => all.length === 1 && all[0]?.metadata.name !== 'swap-1')
  const { status } = await eventually('the new one is active', () => cronJobNow('swap'), (cronJob) => cronJob.status?.active?.[0]?.uid === jobs[0]?.metadata.uid)
  expect(status?.active).toHaveLength(1)
  await cluster.client.delete(batch.cronjobs, 'swap', { namespace, propagationPolicy: 'Background' }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
  await eventually('nothing is left', () => jobsOf('swap'), (all) => all.length === 0)
})
