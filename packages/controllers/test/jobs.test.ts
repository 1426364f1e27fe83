import { batch, core } from '@berth/api'
import type { Job, JobSpec } from '@berth/api/types/batch/v1'
import type { Pod, PodStatus } from '@berth/api/types/core/v1'
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

const createJob = (name: string, spec: Partial<JobSpec>): Promise<Job> => cluster.client.create(batch.jobs, { metadata: { name, namespace }, spec: { template, ...spec } })
const jobNow = (name: string): Promise<Job> => cluster.client.get(batch.jobs, name, { namespace })

async function podsOf(name: string): Promise<Pod[]> {
  const { items } = await cluster.client.list(core.pods, { namespace, labelSelector: `job-name=${name}` })
  return items
}

const running = (pods: Pod[]): Pod[] => pods.filter(({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined)
const waitRunning = async (name: string, count: number): Promise<Pod[]> => running(await eventually(`${count} pods of ${name} run`, () => podsOf(name), (pods) => running(pods).length === count))

/** What a kubelet writes of a pod whose container has ended. */
async function endPod(pod: Pod, exitCode: number): Promise<void> {
  const finishedAt = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const status: PodStatus = {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [{ name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode, finishedAt, startedAt: finishedAt } } }],
  }
  await cluster.client.patch(core.pods, pod.metadata.name, { type: 'strategic', body: { status } }, { namespace, subresource: 'status' })
}

const condition = (job: Job, type: string): { reason?: string; message?: string } | undefined => job.status?.conditions?.find((each) => each.type === type && each.status === 'True')
const until = (name: string, type: string): Promise<Job> => eventually(`job ${name} is ${type}`, () => jobNow(name), (job) => condition(job, type) !== undefined)

test('a job runs as many pods at once as it may until its completions are there, and lets its pods go', async () => {
  await createJob('three', { completions: 3, parallelism: 2 })
  const first = await waitRunning('three', 2)
  expect(first[0]?.metadata.finalizers).toEqual(['batch.kubernetes.io/job-tracking'])
  expect(first[0]?.metadata.name).toMatch(/^three-[a-z0-9]{5}$/)
  for (const pod of first) await endPod(pod, 0)
  const [last] = await waitRunning('three', 1)
  if (last) await endPod(last, 0)
  const { status } = await until('three', 'Complete')
  expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} })
  expect(status?.completionTime).toBeDefined()
  expect(status?.conditions?.map(({ type, reason }) => [type, reason])).toEqual([['SuccessCriteriaMet', 'CompletionsReached'], ['Complete', 'CompletionsReached']])
  const pods = await podsOf('three')
  expect(pods.map(({ metadata }) => metadata.finalizers)).toEqual([undefined, undefined, undefined])
  const events = await eventually('the events are there', async () => (await cluster.client.list(core.events, { namespace, fieldSelector: 'involvedObject.name=three' })).items, (items) => items.some(({ reason }) => reason === 'Completed'))
  expect(events.filter(({ reason }) => reason === 'SuccessfulCreate')).toHaveLength(3)
})

test('an indexed job gives each pod its index, and names the indexes that are done', async () => {
  await createJob('indexed', { completions: 3, parallelism: 3, completionMode: 'Indexed' })
  const pods = await waitRunning('indexed', 3)
  const byIndex = (index: number): Pod | undefined => pods.find(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === String(index))
  expect(byIndex(1)?.spec.hostname).toBe('indexed-1')
  expect(byIndex(1)?.metadata.name).toMatch(/^indexed-1-[a-z0-9]{5}$/)
  expect(byIndex(1)?.spec.containers[0]?.env).toEqual([{ name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } } }])
  for (const index of [0, 2]) await endPod(byIndex(index) as Pod, 0)
  await eventually('two are counted', () => jobNow('indexed'), ({ status }) => status?.completedIndexes === '0,2' && status.succeeded === 2)
  await endPod(byIndex(1) as Pod, 0)
  const done = await until('indexed', 'Complete')
  expect(done.status?.completedIndexes).toBe('0-2')
})

test('failures beyond the limit end a job, and its other pods with it', async () => {
  await createJob('failing', { completions: 2, parallelism: 2, backoffLimit: 0 })
  const [pod] = await waitRunning('failing', 2)
  await endPod(pod as Pod, 3)
  const { status } = await until('failing', 'Failed')
  expect(status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({ reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' })
  expect(status).toMatchObject({ failed: 2, terminating: 0 })
})

test('a pod failure policy ends a job at once, or lets a failure not count', async () => {
  const podFailurePolicy = { rules: [
    { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] }, onPodConditions: [] },
    { action: 'Ignore', onExitCodes: { operator: 'In', values: [43] }, onPodConditions: [] },
  ] } as JobSpec['podFailurePolicy']
  await createJob('strict', { podFailurePolicy })
  const [pod] = await waitRunning('strict', 1)
  await endPod(pod as Pod, 42)
  const failed = await until('strict', 'Failed')
  expect(condition(failed, 'Failed')?.message).toBe(`Container c for pod default/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`)
  expect(condition(failed, 'Failed')?.reason).toBe('PodFailurePolicy')
  await createJob('lenient', { podFailurePolicy, backoffLimit: 0 })
  const [ignored] = await waitRunning('lenient', 1)
  await endPod(ignored as Pod, 43)
  await eventually('the ignored pod is let go', () => podsOf('lenient'), (pods) => pods.some(({ metadata }) => metadata.uid === ignored?.metadata.uid && metadata.finalizers === undefined))
  const lenient = await jobNow('lenient')
  expect(condition(lenient, 'Failed')).toBeUndefined()
  expect(lenient.status?.failed ?? 0).toBe(0)
})

test('an indexed job with a limit for each index goes on with the others', async () => {
  await createJob('each', { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 0 })
  const pods = await waitRunning('each', 2)
  for (const pod of pods) await endPod(pod, pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === '0' ? 1 : 0)
  const { status } = await until('each', 'Failed')
  expect(status).toMatchObject({ failedIndexes: '0', completedIndexes: '1', succeeded: 1, failed: 1 })
  expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' })
})

test('a success policy ends a job before all is done', async () => {
  await createJob('leader', { completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0' }] } })
  const pods = await waitRunning('leader', 3)
  await endPod(pods.find(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-completion-index'] === '0') as Pod, 0)
  const { status } = await until('leader', 'Complete')
  expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Complete', reason: 'SuccessPolicy', message: 'Matched rules at index 0' })
  expect(status?.completedIndexes).toBe('0')
})

test('a suspended job has no pods, and has them again when it is resumed', async () => {
  await createJob('pausing', { suspend: true })
  const suspended = await until('pausing', 'Suspended')
  expect(suspended.status?.startTime).toBeUndefined()
  const set = (suspend: boolean): Promise<Job> => cluster.client.patch(batch.jobs, 'pausing', { type: 'merge', body: { spec: { suspend } } }, { namespace })
  await set(false)
  await waitRunning('pausing', 1)
  const resumed = await eventually('the job is resumed', () => jobNow('pausing'), (job) => condition(job, 'Suspended') === undefined && job.status?.startTime !== undefined)
  expect(resumed.status?.conditions?.find(({ type }) => type === 'Suspended')).toMatchObject({ status: 'False', reason: 'JobResumed' })
  await set(true)
  await eventually('the pods are gone', () => podsOf('pausing'), (pods) => pods.length === 0)
  const again = await until('pausing', 'Suspended')
  expect(again.status?.startTime).toBeUndefined()
})

test('a job that takes too long fails', async () => {
  await createJob('slow', { activeDeadlineSeconds: 1 })
  await waitRunning('slow', 1)
  const { status } = await until('slow', 'Failed')
  expect(status?.conditions?.at(-1)).toMatchObject({ reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' })
})

test('a job is deleted some time after it has finished, and its pods with it', async () => {
  await createJob('brief', { ttlSecondsAfterFinished: 1 })
  const [pod] = await waitRunning('brief', 1)
  await endPod(pod as Pod, 0)
  await eventually('the job is gone', async () => (await cluster.client.list(batch.jobs, { namespace })).items, (items) => items.every(({ metadata }) => metadata.name !== 'brief'))
  await eventually('its pod is gone', () => podsOf('brief'), (pods) => pods.length === 0)
})

test('the pods of a job that is deleted while it works are let go', async () => {
  await createJob('dropped', { parallelism: 2, completions: 2 })
  await waitRunning('dropped', 2)
  await cluster.client.delete(batch.jobs, 'dropped', { namespace, propagationPolicy: 'Background' })
  await eventually('the pods are gone', () => podsOf('dropped'), (pods) => pods.length === 0)
})
