import type { ResourceInfo } from '@berth/api'
import type { Event } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import type { KubeClient, Patch } from '../client/client.ts'
import { fakeClock } from '../clock/system-clock.ts'
import { ApiError } from '../errors.ts'
import { createEventRecorder } from './create-event-recorder.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'd', uid: 'u1', resourceVersion: '7' } }

function recording(fail?: (call: number) => Error | undefined): { client: KubeClient; created: Event[]; patched: { name: string; body: unknown }[] } {
  const created: Event[] = []
  const patched: { name: string; body: unknown }[] = []
  let calls = 0
  const check = (): void => {
    const error = fail?.(calls += 1)
    if (error !== undefined) throw error
  }
  const client = {
    async create(_r: ResourceInfo, event: Event) {
      check()
      created.push(event)
      return event
    },
    async patch(_r: ResourceInfo, name: string, patch: Patch) {
      check()
      patched.push({ name, body: patch.body })
    },
  } as unknown as KubeClient
  return { client, created, patched }
}

test('an event names its object, source and times; the same again is counted by a patch', async () => {
  const clock = fakeClock(start)
  const { client, created, patched } = recording()
  const recorder = createEventRecorder({ client, component: 'kubelet', host: 'n1', clock })
  recorder.event(pod, 'Warning', 'BackOff', 'Back-off restarting')
  await recorder.flush()
  await clock.advance(60_000)
  recorder.event(pod, 'Warning', 'BackOff', 'Back-off restarting')
  await recorder.flush()
  expect(created).toHaveLength(1)
  expect(created[0]).toMatchObject({
    metadata: { namespace: 'd', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) as string },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'd', name: 'web', uid: 'u1', resourceVersion: '7' },
    reason: 'BackOff', message: 'Back-off restarting', type: 'Warning', count: 1, source: { component: 'kubelet', host: 'n1' },
    firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z', reportingComponent: 'kubelet', reportingInstance: 'n1',
  })
  expect(patched).toEqual([{ name: created[0]?.metadata.name, body: { count: 2, lastTimestamp: '2026-01-01T00:01:00Z', message: 'Back-off restarting' } }])
})

test('an event about a node goes to the default namespace', async () => {
  const { client, created } = recording()
  const recorder = createEventRecorder({ client, component: 'kubelet', clock: fakeClock(start) })
  recorder.event({ kind: 'Node', name: 'n1', uid: 'n1' }, 'Normal', 'Starting', 'Starting kubelet.')
  await recorder.flush()
  expect(created[0]).toMatchObject({ metadata: { namespace: 'default' }, involvedObject: { kind: 'Node', name: 'n1', uid: 'n1' } })
})

test('the tenth similar message within ten minutes starts one combined event', async () => {
  const { client, created, patched } = recording()
  const recorder = createEventRecorder({ client, component: 'scheduler', clock: fakeClock(start) })
  for (let i = 1; i <= 12; i += 1) recorder.event(pod, 'Warning', 'FailedScheduling', `try ${i}`)
  await recorder.flush()
  expect(created.map((e) => e.message)).toEqual([...Array.from({ length: 9 }, (_, i) => `try ${i + 1}`), '(combined from similar events): try 10'])
  expect(patched.map((p) => p.body)).toMatchObject([{ count: 2, message: '(combined from similar events): try 11' }, { count: 3, message: '(combined from similar events): try 12' }])
})

test('an object that floods is cut off after its burst, and heard again later', async () => {
  const clock = fakeClock(start)
  const { client, created, patched } = recording()
  const recorder = createEventRecorder({ client, component: 'kubelet', clock })
  for (let i = 0; i < 40; i += 1) recorder.event(pod, 'Normal', 'Pulled', 'same')
  await recorder.flush()
  expect(created.length + patched.length).toBe(25)
  await clock.advance(300_000)
  recorder.event(pod, 'Normal', 'Pulled', 'same')
  await recorder.flush()
  expect(patched.at(-1)?.body).toMatchObject({ count: 41 })
})

test('what the server refuses for good is given up; an outage is waited out; a forgotten event is made anew', async () => {
  const clock = fakeClock(start)
  const refusal = (code: number, reason: string): Error => new ApiError(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, code, reason })
  const answers: Record<number, Error> = { 1: refusal(403, 'Forbidden'), 2: refusal(503, 'ServiceUnavailable'), 4: refusal(404, 'NotFound') }
  const { client, created } = recording((call) => answers[call])
  const recorder = createEventRecorder({ client, component: 'kubelet', clock })
  recorder.event(pod, 'Normal', 'A', 'a')
  await recorder.flush()
  expect(created).toHaveLength(0)
  recorder.event(pod, 'Normal', 'B', 'b')
  await clock.advance(10_000)
  expect(created.map((e) => e.reason)).toEqual(['B'])
  recorder.event(pod, 'Normal', 'B', 'b')
  await recorder.flush()
  expect(created.map((e) => [e.reason, e.count])).toEqual([['B', 1], ['B', 2]])
  expect(new Set(created.map((e) => e.metadata.name)).size).toBe(2)
})
