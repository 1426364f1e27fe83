import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '@berth/kube'
import { afterEach, expect, test } from 'vitest'
import type { Engine } from '../engine/connect.ts'
import { labelsOf, type SandboxSpec } from './labels.ts'
import { Store } from './store.ts'

const spec = { kind: 'sandbox', metadata: { name: 'p', namespace: 'd', uid: 'u', attempt: 0 }, labels: {}, annotations: {} } as unknown as SandboxSpec

/** An Engine with containers that are told of by hand. */
function stubEngine(): { engine: Engine; containers: Map<string, string>; inspected: string[]; hold: { until?: Promise<void> }; say(action: string, id: string): void; cut(): void } {
  const containers = new Map<string, string>()
  const inspected: string[] = []
  const hold: { until?: Promise<void> } = {}
  let events = new PassThrough()
  const inspect = async (id: string): Promise<object> => {
    inspected.push(id)
    const status = containers.get(id)
    await hold.until
    if (status === undefined) throw Object.assign(new Error('gone'), { statusCode: 404 })
    const state = { Status: status, Running: status === 'running', ExitCode: 0, Pid: status === 'running' ? 7 : 0, StartedAt: '2026-01-01T00:00:00Z', FinishedAt: '', OOMKilled: false, Error: '' }
    return { Id: id, Name: `/${id}`, Created: '2026-01-01T00:00:00Z', Image: 'i', State: state, Config: { Labels: labelsOf(spec, 'n'), Tty: false, OpenStdin: false, StdinOnce: false, User: '' }, HostConfig: {} }
  }
  const engine = {
    docker: { listContainers: async () => [...containers.keys()].map((Id) => ({ Id })), getContainer: (id: string) => ({ inspect: () => inspect(id) }) },
    events: async () => (events = new PassThrough()),
  } as unknown as Engine
  return {
    engine,
    containers,
    inspected,
    hold,
    say: (Action, ID) => void events.write(`${JSON.stringify({ Action, Actor: { ID }, timeNano: Date.now() * 1e6 })}\n`),
    cut: () => void events.end(),
  }
}

let store: Store | undefined
afterEach(() => store?.stop())

async function started(stub: ReturnType<typeof stubEngine>): Promise<Store> {
  store = new Store(stub.engine, 'n', silentLogger())
  await store.start()
  return store
}
const ids = async (of: Store): Promise<string[]> => (await of.sandboxes()).map(({ id }) => id)
async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 400 && !(await condition()); round++) await sleep(5)
  expect(await condition()).toBe(true)
}

test('an inspection that began before a container was removed does not bring it back', async () => {
  const stub = stubEngine()
  stub.containers.set('a', 'running')
  const of = await started(stub)
  const held = Promise.withResolvers<void>()
  stub.hold.until = held.promise
  const looking = of.refresh('a')
  await eventually(() => stub.inspected.length === 2)
  stub.say('destroy', 'a')
  await eventually(async () => (await ids(of)).length === 0)
  held.resolve()
  await looking
  expect(await ids(of)).toEqual([])
})

test('a start that somebody has looked at since is not looked at again; an end is looked at at once', async () => {
  const stub = stubEngine()
  stub.containers.set('a', 'running')
  const of = await started(stub)
  stub.say('start', 'a')
  await sleep(5)
  await of.refresh('a')
  await sleep(80)
  expect(stub.inspected).toEqual(['a', 'a'])
  stub.containers.set('a', 'exited')
  stub.say('die', 'a')
  await eventually(async () => (await of.sandbox('a'))?.state === 'exited')
})

test('a start that nobody looked at is seen all the same', async () => {
  const stub = stubEngine()
  const of = await started(stub)
  stub.containers.set('b', 'running')
  stub.say('start', 'b')
  await eventually(async () => (await ids(of)).includes('b'))
})

test('after a cut of the events everything is read again, and the difference told', async () => {
  const stub = stubEngine()
  stub.containers.set('a', 'running')
  const of = await started(stub)
  const told: string[] = []
  of.on('change', ({ kind, record }) => told.push(`${record.id} ${kind}`))
  stub.containers.delete('a')
  stub.containers.set('b', 'running')
  stub.cut()
  await eventually(() => told.length === 4)
  expect(told).toEqual(['a stopped', 'a deleted', 'b created', 'b started'])
})
