// berth snapshot, on both storages and between them.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '@berth/kube'
import { startApiServer } from '../src/index.ts'
import type { ApiServer } from '../src/index.ts'
import { snapshotCommand } from '../src/snapshot/command.ts'
import { etcdClient } from '../src/storage/etcd/client.ts'
import { etcdMissing, startEtcd } from './support/etcd.ts'
import type { RunningEtcd } from './support/etcd.ts'
import { configMap, sender, temporary } from './support/harness.ts'
import type { Send } from './support/harness.ts'
import { watching } from './support/watching.ts'

interface Ran { code: number, out: string, err: string }

async function berth(...argv: string[]): Promise<Ran> {
  const ran: Ran = { code: 0, out: '', err: '' }
  ran.code = await snapshotCommand.execute(argv, {
    stdout: { write: (text: string | Uint8Array) => { ran.out += text.toString() } }, stderr: { write: (text: string | Uint8Array) => { ran.err += text.toString() } },
  })
  return ran
}

interface Outcome { revision: number, entries: number, objects: number, sha256: string, contentSha256: string }
async function json(...argv: string[]): Promise<Outcome> {
  const { code, out, err } = await berth(...argv, '-o', 'json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as Outcome
}

const configMaps = '/api/v1/namespaces/default/configmaps'
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.example.com' },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural: 'boats', kind: 'Boat' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { tons: { type: 'integer', format: 'int64' } } } } } } }],
  },
}

/** A place for a store, and how the command line names it. */
interface Store {
  readonly name: 'sqlite' | 'etcd3'
  readonly flags: string[]
  readonly named: string
  serve(): Promise<{ server: ApiServer, send: Send }>
}

let directory: Awaited<ReturnType<typeof temporary>>
let work: string
const etcds: RunningEtcd[] = []
const running: ApiServer[] = []
let made = 0

async function store(name: Store['name']): Promise<Store> {
  const dataDir = join(work, `data-${++made}`)
  const etcd = name === 'etcd3' ? await startEtcd() : undefined
  if (etcd) etcds.push(etcd)
  return {
    name, flags: etcd ? [`--etcd-servers=${etcd.server}`] : [`--data-dir=${dataDir}`], named: etcd?.server ?? dataDir,
    async serve() {
      const server = await startApiServer({
        dataDir, storage: name, ...(etcd && { etcd: { servers: [etcd.server] } }), certDir: join(directory.path, 'pki'), securePort: 0, bindAddress: '127.0.0.1', tokenAuthFile: directory.tokenFile, logger: silentLogger(),
      })
      running.push(server)
      await server.whenReady()
      return { server, send: sender(server.port) }
    },
  }
}

async function fill(send: Send): Promise<void> {
  for (let i = 0; i < 20; i++) await send('POST', configMaps, configMap(`c${i}`, { text: `ä ${i}`, long: 'x'.repeat(i * 100) }))
  await send('PATCH', `${configMaps}/c1`, { data: { more: '1' } }, { 'content-type': 'application/merge-patch+json' })
  await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  await expect.poll(async () => (await send('GET', '/apis/example.com/v1/boats')).status, { timeout: 60_000 }).toBe(200)
  await send('POST', '/apis/example.com/v1/namespaces/default/boats', '{"apiVersion":"example.com/v1","kind":"Boat","metadata":{"name":"b"},"spec":{"tons":9007199254740993}}')
  await send('POST', '/api/v1/namespaces/default/services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ port: 80 }] } })
}

/** What clients read of everything of some kinds, without the revisions. */
async function content(send: Send): Promise<unknown[]> {
  const lists = await Promise.all([configMaps, '/apis/example.com/v1/boats', '/api/v1/namespaces/default/services/s', '/apis/networking.k8s.io/v1/ipaddresses', '/api/v1/namespaces', '/apis/rbac.authorization.k8s.io/v1/clusterroles', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'].map((path) => send('GET', path)))
  return lists.map((list) => JSON.parse(list.text.replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":""')) as unknown)
}

beforeAll(async () => { directory = await temporary() })
afterAll(() => directory.remove())
beforeEach(async () => { work = await mkdtemp(join(tmpdir(), 'berth-snapshot-')) })
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
  for (const etcd of etcds.splice(0)) await etcd.stop()
  await rm(work, { recursive: true, force: true })
})

const names = ['sqlite', 'etcd3'] as const
const pairs = names.flatMap((from) => names.map((to) => ({ from, to })))
const skipped = (...involved: readonly string[]): boolean => involved.includes('etcd3') && etcdMissing !== undefined

describe.each(pairs)('from $from to $to', ({ from, to }) => {
  it.skipIf(skipped(from, to))('what was saved of a server that runs is all there after a restore, at higher revisions: whoever watched lists again', async () => {
    const source = await store(from)
    const { server, send } = await source.serve()
    await fill(send)
    const file = join(work, 'saved')
    const saved = await json('save', file, ...source.flags)
    const before = await content(send)
    const later = Number((await send('POST', configMaps, configMap('later'))).body['metadata']?.['resourceVersion'])
    await server.stop()

    const target = await store(to)
    const restored = await json('restore', file, ...target.flags, '--bump-revision=200')
    expect(restored.revision).toBeGreaterThan(later)
    expect(restored.objects).toBe(saved.entries)
    const { server: again, send: ask } = await target.serve()
    expect(await content(ask)).toEqual(before)
    expect((await ask('GET', '/apis/example.com/v1/namespaces/default/boats/b')).text).toContain('"tons":9007199254740993')
    const watch = await watching(again.port, `${configMaps}?watch=true&resourceVersion=${later}`)
    await watch.ended
    expect(watch.events.map(({ type, object }) => [type, object.code])).toEqual([['ERROR', 410]])
    const old = await ask('GET', `${configMaps}/c1`)
    const changed = await ask('PUT', `${configMaps}/c1`, { ...(old.body as object), data: { changed: '1' } })
    expect([changed.status, Number(changed.body['metadata']?.['resourceVersion']) > later]).toEqual([200, true])
  })

  it.skipIf(skipped(from, to))('a migration brings everything, and may go back', async () => {
    const [source, target] = [await store(from), await store(to)]
    const { server, send } = await source.serve()
    await fill(send)
    const before = await content(send)
    await server.stop()
    const there = await json('migrate', `--from=${source.named}`, `--to=${target.named}`)
    const back = await json('migrate', `--from=${target.named}`, `--to=${source.named}`, '--force')
    expect([back.contentSha256, back.objects]).toEqual([there.contentSha256, there.objects])
    expect(back.revision).toBeGreaterThanOrEqual(there.revision)
    for (const one of [source, target]) {
      const served = await one.serve()
      expect(await content(served.send)).toEqual(before)
      await served.server.stop()
    }
  })
})

describe.each(names)('a snapshot of %s', (name) => {
  it.skipIf(skipped(name))('saved while it is written to is of one moment', async () => {
    const source = await store(name)
    const { server, send } = await source.serve()
    // Both of a pair are written one after the other: never is the second ahead of the first, nor more than one behind.
    const stop = new AbortController()
    const writing = Promise.all(['a', 'b', 'c', 'd'].map(async (pair) => {
      for (let n = 0; !stop.signal.aborted; n++) {
        for (const half of ['first', 'second']) {
          const answer = n === 0 ? await send('POST', configMaps, configMap(`${pair}-${half}`, { n: '0' })) : await send('PATCH', `${configMaps}/${pair}-${half}`, { data: { n: String(n) } }, { 'content-type': 'application/merge-patch+json' })
          expect([200, 201]).toContain(answer.status)
        }
      }
    }))
    const files = Array.from({ length: 5 }, (_, i) => join(work, `saved-${i}`))
    for (const file of files) await json('save', file, ...source.flags)
    stop.abort()
    await writing
    await server.stop()
    for (const file of files) {
      const target = await store('sqlite')
      await json('restore', file, ...target.flags)
      const served = await target.serve()
      const list = await served.send('GET', configMaps)
      const values = new Map((list.body['items'] as unknown as { metadata: { name: string }, data?: { n: string } }[]).map((item) => [item.metadata.name, Number(item.data?.n)]))
      for (const pair of ['a', 'b', 'c', 'd']) {
        const ahead = (values.get(`${pair}-first`) ?? -1) - (values.get(`${pair}-second`) ?? -1)
        expect([0, 1]).toContain(ahead)
      }
      await served.server.stop()
    }
  })

  it.skipIf(skipped(name))('is restored over what is there only with --force, and leaves nothing of it', async () => {
    const [source, target] = [await store(name), await store(name)]
    const first = await source.serve()
    await first.send('POST', configMaps, configMap('mine'))
    await first.server.stop()
    const second = await target.serve()
    await second.send('POST', configMaps, configMap('theirs'))
    const newest = Number((await second.send('POST', configMaps, configMap('newest'))).body['metadata']?.['resourceVersion'])
    await second.server.stop()
    const file = join(work, 'saved')
    await json('save', file, ...source.flags)
    const refused = await berth('restore', file, ...target.flags)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('is not empty; with --force what is there is replaced') as string])
    const { revision } = await json('restore', file, ...target.flags, '--force', '--bump-revision=5')
    expect(revision).toBeGreaterThan(newest)
    const { send } = await target.serve()
    const list = await send('GET', configMaps)
    expect((list.body['items'] as unknown as { metadata: { name: string } }[]).map((item) => item.metadata.name)).toEqual(['mine'])
  })

  it.skipIf(skipped(name))('that was cut off or changed is refused, and nothing is written', async () => {
    const [source, target] = [await store(name), await store(name)]
    const { server, send } = await source.serve()
    await fill(send)
    await server.stop()
    const file = join(work, 'saved')
    const { entries } = await json('save', file, ...source.flags)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await json('status', file)).entries).toBe(entries)
    const whole = await readFile(file)
    const text = gunzipSync(whole).toString('utf8')
    const lines = text.split('\n')
    const damaged: [string, Buffer, string][] = [
      ['cut', whole.subarray(0, whole.length / 2), 'cannot be unpacked'],
      ['short', gzipSync(lines.slice(0, -2).join('\n') + '\n'), 'cut off'],
      ['fewer', gzipSync([...lines.slice(0, 3), ...lines.slice(4)].join('\n')), 'its hash does not fit'],
      ['changed', gzipSync(text.replace('"created":', '"created":1')), 'its hash does not fit'],
      ['other', gzipSync('{"hello":"world"}\n'), 'this is no snapshot'],
      ['text', Buffer.from('hello'), 'cannot be unpacked'],
    ]
    for (const [label, bytes, message] of damaged) {
      const bad = join(work, label)
      await writeFile(bad, bytes)
      for (const argv of [['restore', bad, ...target.flags], ['status', bad]]) {
        const { code, err } = await berth(...argv)
        expect([label, code, err]).toEqual([label, 1, expect.stringContaining(message) as string])
      }
    }
    await json('restore', file, ...target.flags, '--bump-revision=1')
  })
})

describe('berth snapshot', () => {
  it('touches no data directory that a server uses', async () => {
    const [source, other] = [await store('sqlite'), await store('sqlite')]
    const { send } = await source.serve()
    await send('POST', configMaps, configMap('a'))
    const file = join(work, 'saved')
    await json('save', file, ...source.flags)
    for (const argv of [['restore', file, ...source.flags, '--force'], ['migrate', `--from=${source.named}`, `--to=${other.named}`]]) {
      const { code, err } = await berth(...argv)
      expect([code, err]).toEqual([1, expect.stringContaining(`a server uses ${source.named}: stop it first`) as string])
    }
    expect((await send('GET', `${configMaps}/a`)).status).toBe(200)
  })

  it.skipIf(etcdMissing !== undefined)('gives events that it writes to etcd a time to live', async () => {
    const [source, target] = [await store('sqlite'), await store('etcd3')]
    const { server, send } = await source.serve()
    await send('POST', '/api/v1/namespaces/default/events', { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { kind: 'Node', name: 'n' }, reason: 'R', message: 'm', type: 'Normal' })
    await server.stop()
    await json('migrate', `--from=${source.named}`, `--to=${target.named}`, '--event-ttl=1s')
    const client = etcdClient({ servers: [target.named] })
    try {
      await expect.poll(async () => (await client.range({ key: '/registry/events/default/e' })).kvs.length, { timeout: 60_000 }).toBe(0)
    } finally {
      client.close()
    }
  })

  it('explains itself, and refuses what it does not know', async () => {
    const help = await berth('--help')
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('berth snapshot migrate') as string])
    expect((await berth('save', '--help')).out).toContain('--etcd-servers')
    for (const argv of [[], ['constructor'], ['save'], ['save', 'a', 'b'], ['migrate', '--from=/tmp/x'], ['save', join(work, 'f'), '--data-dir=/x', '--etcd-servers=http://127.0.0.1:1'], ['save', join(work, 'f'), '-o', 'xml']]) {
      const { code, err } = await berth(...argv)
      expect([argv, code, err === '']).toEqual([argv, 2, false])
    }
    const gone = await berth('save', join(work, 'f'), `--data-dir=${work}`)
    expect([gone.code, gone.err]).toEqual([1, `Error: there is no ${join(work, 'state.db')}\n`])
  })

  it('is a command of berth', async () => {
    const launcher = new URL('../../berth/bin/berth.js', import.meta.url).pathname
    const out = await new Promise<string>((resolve) => { execFile(process.execPath, [launcher, 'snapshot', '--help'], (_error, stdout) => resolve(stdout)) })
    expect(out).toContain('berth snapshot restore')
  })
})
