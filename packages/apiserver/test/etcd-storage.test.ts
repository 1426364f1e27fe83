// What only a storage on etcd does: others write beside it, connections go, history is compacted away.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { createCa, issueCertificate } from '@berth/kube'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storedResources } from '../src/resources/index.ts'
import type { EtcdClient } from '../src/storage/etcd/client.ts'
import { etcdClient } from '../src/storage/etcd/client.ts'
import { kubernetesCodec } from '../src/storage/etcd/codec.ts'
import { startCompactor } from '../src/storage/etcd/compactor.ts'
import { etcdStorage } from '../src/storage/etcd/etcd-storage.ts'
import type { Storage, StorageEvent } from '../src/storage/storage.ts'
import { etcdMissing, freePort, startEtcd } from './support/etcd.ts'
import type { RunningEtcd } from './support/etcd.ts'
import { openLine } from './support/line-proxy.ts'
import { configMapWrite, keyOf, stateOf } from './support/stores.ts'

const codec = kubernetesCodec({ definitions: storedResources, mediaType: 'application/vnd.kubernetes.protobuf' })
const brief = (event: StorageEvent): string => `${event.key.split('/').at(-1)} ${stateOf(event.entry)?.datum ?? 'gone'}`

describe.skipIf(etcdMissing !== undefined)('a storage on etcd', () => {
  let etcd: RunningEtcd
  let aside: EtcdClient
  const opened: Storage[] = []
  const states: (string | undefined)[] = []
  const open = async (servers: string[] = [etcd.server], prefix = '/registry'): Promise<Storage> => {
    const storage = etcdStorage({ client: etcdClient({ servers }), prefix, codec, healthcheckTimeoutMs: 2_000, onState: (reason) => states.push(reason) })
    opened.push(storage)
    await storage.load()
    return storage
  }
  const put = (storage: Storage, name: string, expected: number, datum: string) => storage.write(configMapWrite(name, expected, datum))
  beforeEach(async () => {
    etcd = await startEtcd()
    aside = etcdClient({ servers: [etcd.server] })
    states.splice(0)
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
    aside.close()
    await etcd.stop()
  })

  it('follows what others write, and knows it for certain when it asks', async () => {
    const [one, other] = [await open(), await open()]
    const told: StorageEvent[] = []
    other.watch((events) => told.push(...events))
    const { revision } = await put(one, 'a', 0, 'one')
    expect(stateOf(await other.confirm(keyOf('a')))).toEqual({ revision: String(revision), datum: 'one' })
    expect(await other.latest()).toBeGreaterThanOrEqual(revision)
    const { revision: next } = await put(other, 'a', revision, 'two')
    expect(stateOf(await one.confirm(keyOf('a')))).toEqual({ revision: String(next), datum: 'two' })
    expect(told.map(brief)).toEqual(['a one', 'a two'])
  })

  it('keeps to its prefix, with and without slashes, and knows of revisions beyond it', async () => {
    const [one, other] = [await open([etcd.server], 'left/'), await open([etcd.server], '/right')]
    const told: number[] = []
    other.watch((events, revision) => told.push(events.length, revision))
    const { revision } = await put(one, 'a', 0, 'one')
    expect(await other.confirm(keyOf('a'))).toBeUndefined()
    await expect.poll(() => told).toEqual([0, revision])
    expect((await aside.range({ key: '/left/configmaps/default/a' })).kvs).toHaveLength(1)
  })

  it('goes on with the watch where a connection was lost: nothing is missed, nothing told twice', async () => {
    const line = await openLine(etcd.server)
    try {
      const far = await open([line.address])
      const near = await open()
      const told: StorageEvent[] = []
      const gaps: boolean[] = []
      far.watch((events, _, gap) => {
        told.push(...events)
        if (gap) gaps.push(gap)
      })
      let revision = 0
      for (let i = 0; i < 30; i++) {
        if (i % 10 === 5) line.cut()
        revision = (await put(near, 'a', revision, String(i))).revision
        if (i % 10 === 9) line.mend()
      }
      await expect.poll(() => told.length, { timeout: 60_000 }).toBe(30)
      expect([told.map(brief), gaps]).toEqual([Array.from({ length: 30 }, (_, i) => `a ${i}`), []])
    } finally {
      await line.close()
    }
  })

  it('reads everything again where the history it needs is compacted away, and tells the difference as a gap', async () => {
    const line = await openLine(etcd.server)
    try {
      const far = await open([line.address])
      const near = await open()
      const { revision: kept } = await put(near, 'kept', 0, 'same')
      const { revision: gone } = await put(near, 'gone', 0, 'one')
      const { revision: changed } = await put(near, 'changed', 0, 'one')
      const told: [string[], number, boolean][] = []
      await far.latest().then((revision) => expect.poll(async () => (await far.current(keyOf('changed')))?.modRevision).toBe(revision))
      far.watch((events, revision, gap) => told.push([events.map(brief), revision, gap]))
      line.cut()
      const { revision: second } = await put(near, 'changed', changed, 'two')
      await near.write({ key: keyOf('gone'), expected: gone, value: undefined })
      await put(near, 'changed', second, 'three')
      const { revision } = await put(near, 'new', 0, 'one')
      await aside.compact(revision)
      line.mend()
      await expect.poll(() => told, { timeout: 60_000 }).toEqual([[['changed three', 'new one', 'gone gone'], revision, true]])
      expect((await far.current(keyOf('kept')))?.modRevision).toBe(kept)
      await put(far, 'new', revision, 'two')
      expect(told.at(-1)).toEqual([['new two'], revision + 1, false])
    } finally {
      await line.close()
    }
  })

  it('reads the past until it is compacted', async () => {
    const storage = await open()
    const { revision: first } = await put(storage, 'a', 0, 'one')
    const { revision: second } = await put(storage, 'a', first, 'two')
    expect((await storage.readAt('/registry/configmaps/', first))?.map(stateOf)).toEqual([{ revision: String(first), datum: 'one' }])
    await aside.compact(second)
    expect(await storage.readAt('/registry/configmaps/', first)).toBeUndefined()
  })

  it('lets keys with a time to live go, and tells of it', async () => {
    const storage = await open()
    const told: string[] = []
    storage.watch((events) => told.push(...events.map(brief)))
    await storage.write({ ...configMapWrite('brief', 0, 'one'), ttlSeconds: 1 })
    await put(storage, 'lasting', 0, 'one')
    await expect.poll(() => told, { timeout: 60_000 }).toEqual(['brief one', 'lasting one', 'brief gone'])
  })

  it('goes to the next server where one does not answer, without writing twice', async () => {
    const storage = await open([`http://127.0.0.1:${await freePort()}`, etcd.server])
    const { revision } = await put(storage, 'a', 0, 'one')
    expect((await storage.confirm(keyOf('a')))?.modRevision).toBe(revision)
  })

  it('fails writes while nobody answers, says why, and is well again afterwards', async () => {
    const storage = await open()
    etcd.kill('SIGKILL')
    await etcd.ended
    await expect(put(storage, 'a', 0, 'one')).rejects.toThrow(/^storage write failed: rpc error: code = Unavailable desc = /)
    await expect(storage.check()).rejects.toThrow('code = Unavailable')
    await expect.poll(() => states.at(-1), { timeout: 60_000 }).toContain('code = Unavailable')
    await etcd.restart()
    await expect.poll(() => storage.check().then(() => 'well', () => 'ill'), { timeout: 60_000 }).toBe('well')
    await put(storage, 'a', 0, 'one')
    expect(states.at(-1)).toBeUndefined()
  })

  it('waits for an etcd that starts after it', async () => {
    etcd.kill('SIGKILL')
    await etcd.ended
    const opening = open()
    await expect.poll(() => states.length, { timeout: 60_000 }).toBeGreaterThan(0)
    await etcd.restart()
    await put(await opening, 'a', 0, 'one')
  })

  it('is ill, and goes on reading from memory, while etcd hangs', async () => {
    const storage = await open()
    await put(storage, 'a', 0, 'one')
    etcd.kill('SIGSTOP')
    try {
      // A signal is not there at once.
      await expect.poll(() => storage.check(200).then(() => 'well', String), { timeout: 60_000 }).toContain('code = DeadlineExceeded')
      expect(stateOf(await storage.current(keyOf('a')))?.datum).toBe('one')
    } finally {
      etcd.kill('SIGCONT')
    }
    await expect.poll(() => storage.check().then(() => 'well', () => 'ill'), { timeout: 60_000 }).toBe('well')
  })

  it('compacts by turns with others, by upstream\'s key', async () => {
    const storage = await open()
    const failures: unknown[] = []
    const stops = [startCompactor(aside, 50, (error) => failures.push(error)), startCompactor(aside, 50, (error) => failures.push(error))]
    try {
      const { revision: first } = await put(storage, 'a', 0, 'one')
      await put(storage, 'a', first, 'two')
      await expect.poll(() => storage.readAt('/registry/', first), { timeout: 60_000 }).toBeUndefined()
      expect(Number(Buffer.from((await aside.range({ key: 'compact_rev_key' })).kvs[0]?.value ?? []).toString())).toBeGreaterThan(first)
      expect(failures).toEqual([])
    } finally {
      for (const stop of stops) stop()
    }
  })
})

describe.skipIf(etcdMissing !== undefined)('an etcd behind TLS', () => {
  it('is reached with the certificates that the flags name, and not without them', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'berth-etcd-tls-'))
    const [ca, other] = [await createCa('etcd-ca'), await createCa('other-ca')]
    const { certificate, key } = await issueCertificate(ca, { commonName: 'etcd', organizations: [], ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'], usages: ['server', 'client'] })
    const write = async (name: string, content: string): Promise<string> => {
      await writeFile(join(dir, name), content)
      return join(dir, name)
    }
    const tls = { caFile: await write('ca.crt', ca.certificate), certFile: await write('etcd.crt', certificate), keyFile: await write('etcd.key', key) }
    const etcd = await startEtcd({ tls })
    const wrongs = [{ caFile: tls.caFile }, { ...tls, caFile: await write('other.crt', other.certificate) }]
    const clients = [etcdClient({ servers: [etcd.server], ...tls }), ...wrongs.map((files) => etcdClient({ servers: [etcd.server], ...files }))]
    try {
      const [right, ...others] = clients
      expect((await right?.range({ key: 'a' }))?.kvs).toEqual([])
      for (const wrong of others) await expect(wrong.range({ key: 'a' }, 1_000)).rejects.toThrow(/code = (Unavailable|DeadlineExceeded)/)
      expect(() => etcdClient({ servers: [etcd.server], caFile: join(dir, 'none') })).toThrow('ENOENT')
    } finally {
      for (const client of clients) client.close()
      await etcd.stop()
      await rm(dir, { recursive: true })
    }
  })
  it('must be who the address says', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'berth-etcd-tls-'))
    const ca = await createCa('etcd-ca')
    const { certificate, key } = await issueCertificate(ca, { commonName: 'etcd', organizations: [], ipAddresses: ['192.0.2.1'], dnsNames: ['etcd'], usages: ['server'] })
    const caFile = join(dir, 'ca.crt')
    await writeFile(caFile, ca.certificate)
    const impostor = createTlsServer({ cert: certificate, key, ALPNProtocols: ['h2'] })
    impostor.listen(0, '127.0.0.1')
    await once(impostor, 'listening')
    const client = etcdClient({ servers: [`https://127.0.0.1:${(impostor.address() as AddressInfo).port}`], caFile })
    try {
      await expect(client.range({ key: 'a' }, 2_000)).rejects.toThrow('does not match certificate\'s altnames')
    } finally {
      client.close()
      impostor.close()
      await rm(dir, { recursive: true })
    }
  })
})
