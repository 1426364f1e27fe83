// Processes die by kill -9 at random moments under many writers and watchers: what was acknowledged is there, and watchers are told every revision once, in order.
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { etcdMissing, startEtcd } from './support/etcd.ts'
import { sender, spawnServer, temporary } from './support/harness.ts'
import type { Send } from './support/harness.ts'
import { faultRounds, faultSeed, randomFrom } from './support/random.ts'
import { watching } from './support/watching.ts'
import type { Watching } from './support/watching.ts'
import { storedSteps, writeSteadily, wrongs } from './support/writers.ts'
import type { Fate, Writing } from './support/writers.ts'

const writers = 16
const watchers = 4
const rounds = faultRounds(3)
/** Milliseconds; a round is a few seconds, on a busy machine more. */
const patience = 400_000 + rounds * 30_000
const collection = '/api/v1/namespaces/default/configmaps'

let directory: Awaited<ReturnType<typeof temporary>>
beforeEach(async () => { directory = await temporary() })
afterEach(() => directory.remove())

/** Resolves at a random moment while there are writes. */
async function randomMoment(writing: Writing, random: () => number): Promise<void> {
  const wanted = writing.acknowledged + 50 + Math.floor(random() * 400)
  await expect.poll(() => writing.acknowledged, { timeout: 300_000, interval: 5 }).toBeGreaterThan(wanted)
  // Not at the end of an answer, but anywhere.
  await new Promise((resolve) => setTimeout(resolve, random() * 20))
}

async function watchAll(port: number, send: Send): Promise<{ from: number, watches: Watching[] }> {
  const from = Number((await send('GET', collection)).body['metadata']?.['resourceVersion'])
  return { from, watches: await Promise.all(Array.from({ length: watchers }, () => watching(port, `${collection}?watch=true&resourceVersion=${from}`))) }
}

const line = ({ type, object }: Watching['events'][number]): string => `${type} ${object.metadata.name} ${object.metadata.resourceVersion} ${object.data?.['step']}`

/** Every watch told the same, as far as it came, each revision once and in order; the longest is given. */
function expectOneStory(watches: readonly Watching[]): Watching['events'] {
  const [longest, ...others] = watches.map(({ events }) => events).sort((a, b) => b.length - a.length)
  const revisions = longest?.map(({ object }) => Number(object.metadata.resourceVersion)) ?? []
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
  for (const other of others) expect(other.map(line)).toEqual(longest?.slice(0, other.length).map(line))
  return longest ?? []
}

/** What was acknowledged between two revisions was told; the deletions' answers name no revision of their own. */
function expectTold(fates: ReadonlyMap<string, Fate>, told: Watching['events'], from: number, to: number): void {
  const known = new Set(told.map(({ object }) => `${object.metadata.name} ${object.metadata.resourceVersion}`))
  const missed = [...fates].flatMap(([name, { history }]) => history.filter(({ step, revision }) => step !== 'gone' && revision > from && revision <= to && !known.has(`${name} ${revision}`)).map(({ revision }) => `${name} ${revision}`))
  expect(missed).toEqual([])
}

describe.each([{ store: 'sqlite' as const }, { store: 'etcd3' as const }])('an API server on $store that is killed', ({ store }) => {
  it.skipIf(store === 'etcd3' && etcdMissing !== undefined)('has what it acknowledged; what it told watchers has happened, once and in order', async () => {
    const random = randomFrom(faultSeed())
    const etcd = store === 'etcd3' ? await startEtcd() : undefined
    const settings = etcd ? { storage: store, etcd: { servers: [etcd.server] } } : { storage: store }
    try {
      let highest = 0
      for (let round = 0; round < rounds; round++) {
        const { process: child, port } = await spawnServer(directory, { settings })
        const send = sender(port)
        const { from, watches } = await watchAll(port, send)
        expect(from).toBeGreaterThanOrEqual(highest)
        const writing = writeSteadily(writers, `r${round}`, () => send)
        await randomMoment(writing, random)
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
        await writing.stop()
        await Promise.all(watches.map((watch) => watch.ended))

        const again = await spawnServer(directory, { settings })
        const ask = sender(again.port)
        const stored = new Map([...await storedSteps(ask)].filter(([name]) => writing.fates.has(name)))
        expect(wrongs(writing.fates, stored)).toEqual([])
        const told = expectOneStory(watches)
        highest = Number(told.at(-1)?.object.metadata.resourceVersion ?? from)
        expectTold(writing.fates, told, from, highest)
        // What a watcher was told, acknowledged or not, is there: as it was told, or a step further.
        const last = new Map(told.map((event) => [event.object.metadata.name, event]))
        const untrue = [...last].filter(([name, { type, object }]) => (type === 'DELETED' ? stored.has(name) : stored.has(name) && (stored.get(name) ?? -1) < Number(object.data?.['step'])))
        expect(untrue.map(([, event]) => line(event))).toEqual([])
        expect(Number((await ask('GET', collection)).body['metadata']?.['resourceVersion'])).toBeGreaterThanOrEqual(highest)
        const stopped = once(again.process, 'exit')
        again.process.kill('SIGTERM')
        await stopped
      }
    } finally {
      await etcd?.stop()
    }
  }, patience)
})

describe.skipIf(etcdMissing !== undefined)('an etcd that is killed under API servers that live on', () => {
  it('has what they acknowledged, and no watcher of either misses a revision or is told one twice', async () => {
    const random = randomFrom(faultSeed())
    const etcd = await startEtcd()
    const settings = { storage: 'etcd3' as const, etcd: { servers: [etcd.server] } }
    const servers = await Promise.all([spawnServer(directory, { settings }), spawnServer(directory, { settings })])
    try {
      const sends = servers.map(({ port }) => sender(port))
      const [send] = sends as [Send, Send]
      const { from, watches } = await watchAll(servers[0]?.port ?? 0, send)
      const others = await Promise.all(Array.from({ length: watchers }, () => watching(servers[1]?.port ?? 0, `${collection}?watch=true&resourceVersion=${from}`)))
      const writing = writeSteadily(writers, 'w', () => sends[Math.floor(random() * 2)] as Send)
      for (let round = 0; round < rounds; round++) {
        await randomMoment(writing, random)
        etcd.kill('SIGKILL')
        await etcd.ended
        await etcd.restart()
      }
      await randomMoment(writing, random)
      await writing.stop()
      expect((await send('POST', collection, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'last' } })).status).toBe(201)
      await Promise.all([...watches, ...others].map((watch) => watch.until((events) => events.some(({ object }) => object.metadata.name === 'last'))))
      const told = expectOneStory([...watches, ...others])
      for (const watch of [...watches, ...others]) expect(watch.events.length).toBe(told.length)
      expectTold(writing.fates, told, from, Infinity)
      const stored = new Map([...await storedSteps(send)].filter(([name]) => writing.fates.has(name)))
      expect(wrongs(writing.fates, stored)).toEqual([])
      // The story ends where the store is.
      const last = new Map(told.filter(({ object }) => writing.fates.has(object.metadata.name)).map(({ type, object }) => [object.metadata.name, type === 'DELETED' ? undefined : Number(object.data?.['step'])]))
      for (const [name, step] of last) expect([name, stored.get(name)]).toEqual([name, step])
      for (const watch of [...watches, ...others]) watch.stop()
    } finally {
      for (const { process: child } of servers) child.kill('SIGKILL')
      await etcd.stop()
    }
  }, patience)
})
