import { core } from '@berth/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient, createInformers, httpsTransport, type Informers, type InformersOptions, type Transport } from '../src/index.ts'
import { answer, SmallApiServer, status, until } from './small-api-server.ts'

let server: SmallApiServer
let transport: Transport
let controller: AbortController

beforeEach(async () => {
  server = await SmallApiServer.start()
  transport = httpsTransport({ server: server.url, ca: server.ca })
  controller = new AbortController()
})
afterEach(async () => {
  controller.abort()
  await transport.close()
  await server.close()
})

function informers(options: InformersOptions = {}): Informers {
  return createInformers(createClient(transport), { random: () => 0, ...options })
}

function lists(): string[] {
  return server.requests.filter((r) => !r.url.includes('watch=true')).map((r) => r.url)
}

/** Starts an informer of config maps that records what its handler is told. */
async function recording(): Promise<{ seen: string[]; store: { keys(): string[] } }> {
  const all = informers()
  const informer = all.for(core.configmaps)
  const seen: string[] = []
  informer.on({
    added: (o) => seen.push(`+${o.metadata.name}`),
    updated: (old, now) => seen.push(`~${now.metadata.name} ${old.metadata.labels?.['v'] ?? '-'}>${now.metadata.labels?.['v'] ?? '-'}`),
    deleted: (o) => seen.push(`-${o.metadata.name}`),
  })
  all.start(controller.signal)
  await all.whenSynced(AbortSignal.timeout(10_000))
  await until('it watches', () => server.watching === 1)
  return { seen, store: informer.store }
}

test('handlers see the list, then each change, in order', async () => {
  server.put('a')
  const { seen, store } = await recording()
  server.put('b')
  server.put('a', { v: '2' })
  server.remove('b')
  await until('the removal arrives', () => seen.includes('-b'))
  expect(seen).toEqual(['+a', '+b', '~a ->2', '-b'])
  expect(store.keys()).toEqual(['d/a'])
})

test('a watch that breaks off resumes where it was, without a new list', async () => {
  const { seen } = await recording()
  server.put('a')
  await until('a arrives', () => seen.includes('+a'))
  server.breakWatches()
  server.put('b')
  await until('b arrives', () => seen.includes('+b'))
  expect(seen).toEqual(['+a', '+b'])
  expect(lists()).toHaveLength(1)
})

test('a bookmark moves the version that a watch resumes from', async () => {
  await recording()
  server.bookmark()
  server.forget()
  server.bookmark()
  await new Promise((resolve) => setTimeout(resolve, 50))
  server.endWatches()
  await until('it watches again', () => server.requests.filter((r) => r.url.includes('watch=true')).length === 2)
  const last = new URL(server.requests.at(-1)?.url ?? '', 'https://x').searchParams
  expect([last.get('resourceVersion'), last.get('allowWatchBookmarks')]).toEqual(['12', 'true'])
  expect(lists()).toHaveLength(1)
})

test('after 410 the list is taken again and only differences are reported', async () => {
  server.put('same')
  server.put('changed')
  server.put('gone')
  server.put('reborn')
  const { seen } = await recording()
  server.breakWatches()
  server.put('changed', { v: '2' })
  server.remove('gone')
  server.remove('reborn')
  server.put('reborn', {}, 'another-uid')
  server.put('new')
  server.forget()
  await until('the new one arrives', () => seen.includes('+new') && seen.includes('-gone'))
  expect(seen.slice(4).toSorted()).toEqual(['+new', '+reborn', '-gone', '-reborn', '~changed ->2'])
  expect(lists()).toEqual(['/api/v1/configmaps?resourceVersion=0', '/api/v1/configmaps'])
})

test('a list that fails is tried again', async () => {
  for (let i = 0; i < 2; i += 1) server.scripted.push((_req, res) => answer(res, 500, status(500, 'InternalError', 'no')))
  const { store } = await recording()
  expect(store.keys()).toEqual([])
  expect(lists()).toHaveLength(3)
})

test('the same arguments share one watch, other selectors have their own, and a late handler is told what is known', async () => {
  server.put('a', { app: 'x' })
  const all = informers()
  const project = (o: { metadata: { name: string } }): never => o as never
  const first = all.for(core.configmaps, { indexers: { app: (o) => [o.metadata.labels?.['app'] ?? ''] } })
  const second = all.for(core.configmaps, { indexers: { app: () => ['other'] } })
  all.for(core.configmaps, { labelSelector: 'app=x' })
  all.for(core.configmaps, { project })
  all.start(controller.signal)
  await all.whenSynced(AbortSignal.timeout(10_000))
  expect(lists().toSorted()).toEqual(['/api/v1/configmaps?labelSelector=app%3Dx&resourceVersion=0', '/api/v1/configmaps?resourceVersion=0', '/api/v1/configmaps?resourceVersion=0'])
  expect([first.store.byIndex('app', 'x').length, first.store.byIndex('app', 'other').length, second.store.byIndex('app', 'other').length]).toEqual([1, 0, 1])
  expect(() => first.store.byIndex('nope', '')).toThrow('the informer has no index "nope"')
  const late: string[] = []
  const off = second.on({ added: (o) => late.push(o.metadata.name) })
  expect(late).toEqual(['a'])
  off()
  server.put('b', { app: 'x' })
  await until('b is indexed', () => first.store.byIndex('app', 'x').length === 2)
  server.put('a', { app: 'y' })
  await until('a moves in the index', () => first.store.byIndex('app', 'y').length === 1)
  expect(first.store.byIndex('app', 'x').map((o) => o.metadata.name)).toEqual(['b'])
  expect(late).toEqual(['a'])
})

test('a projection decides what is kept, and a handler that throws disturbs nobody', async () => {
  server.put('a', { big: 'x' })
  const all = informers()
  const informer = all.for(core.configmaps, { project: (o) => ({ metadata: { name: o.metadata.name, namespace: o.metadata.namespace, uid: o.metadata.uid, resourceVersion: o.metadata.resourceVersion } }) })
  const seen: string[] = []
  informer.on({ added: () => { throw new Error('handler') } })
  informer.on({ added: (o) => seen.push(o.metadata.name) })
  all.start(controller.signal)
  await all.whenSynced(AbortSignal.timeout(10_000))
  expect(informer.store.get('d/a')?.metadata.labels).toBeUndefined()
  expect(seen).toEqual(['a'])
})

test('waiting for an informer that cannot sync ends with its signal', async () => {
  const all = informers()
  all.for(core.configmaps)
  await expect(all.whenSynced(AbortSignal.timeout(20))).rejects.toThrow()
})
