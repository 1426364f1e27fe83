// Two API servers on one etcd: to clients they are one.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '@berth/kube'
import { startApiServer } from '../src/index.ts'
import type { ApiServer } from '../src/index.ts'
import { etcdClient } from '../src/storage/etcd/client.ts'
import { prefixEnd } from '../src/storage/etcd/etcd-storage.ts'
import { etcdMissing, startEtcd } from './support/etcd.ts'
import type { RunningEtcd } from './support/etcd.ts'
import { configMap, sender, spawnServer, temporary } from './support/harness.ts'
import type { Send } from './support/harness.ts'
import { watching } from './support/watching.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const services = '/api/v1/namespaces/default/services'

describe.skipIf(etcdMissing !== undefined)('two API servers on one etcd', () => {
  let etcd: RunningEtcd
  let directory: Awaited<ReturnType<typeof temporary>>
  const servers: ApiServer[] = []
  let one: Send
  let other: Send

  beforeAll(async () => {
    etcd = await startEtcd()
    directory = await temporary()
    const open = () => startApiServer({
      dataDir: join(directory.path, 'data'), storage: 'etcd3', etcd: { servers: [etcd.server] }, securePort: 0, bindAddress: '127.0.0.1', tokenAuthFile: directory.tokenFile, logger: silentLogger(),
      serviceNodePortRange: { from: 30_000, to: 30_199 },
    })
    servers.push(await open(), await open())
    for (const server of servers) await server.whenReady()
    ;[one, other] = servers.map((server) => sender(server.port)) as [Send, Send]
  })
  afterAll(async () => {
    for (const server of servers) await server.stop()
    await etcd?.stop()
    await directory?.remove()
  })

  it('what one has acknowledged, the other reads', async () => {
    for (let i = 0; i < 20; i++) {
      const [writer, reader] = i % 2 === 0 ? [one, other] : [other, one]
      const made = await writer('POST', configMaps, configMap(`read-${i}`, { i: String(i) }))
      expect(made.status).toBe(201)
      const read = await reader('GET', `${configMaps}/read-${i}`)
      expect([read.status, read.body['metadata']?.['resourceVersion'], read.body['data']?.['i']]).toEqual([200, made.body['metadata']?.['resourceVersion'], String(i)])
      const list = await reader('GET', configMaps)
      expect(Number(list.body['metadata']?.['resourceVersion'])).toBeGreaterThanOrEqual(Number(made.body['metadata']?.['resourceVersion']))
    }
  })

  it('what is written at either is told by both, in one order, each change once', async () => {
    const path = `${configMaps}?watch=true&resourceVersion=${(await one('GET', configMaps)).body['metadata']?.['resourceVersion']}`
    const watches = await Promise.all(servers.map((server) => watching(server.port, path)))
    await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      const send = writer % 2 === 0 ? one : other
      expect((await send('POST', configMaps, configMap(`told-${writer}`, { n: '0' }))).status).toBe(201)
      for (let n = 1; n < 10; n++) {
        const far = n % 2 === 0 ? one : other
        const answer = await far('PATCH', `${configMaps}/told-${writer}`, { data: { n: String(n) } }, { 'content-type': 'application/merge-patch+json' })
        expect(answer.status).toBe(200)
      }
      expect((await send('DELETE', `${configMaps}/told-${writer}`)).status).toBe(200)
    }))
    await Promise.all(watches.map((watch) => watch.until((events) => events.length >= 88)))
    const [mine, theirs] = watches.map((watch) => watch.events.map(({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.resourceVersion} ${object.data?.['n']}`))
    expect(theirs).toEqual(mine)
    const revisions = watches[0]?.events.map(({ object }) => Number(object.metadata.resourceVersion)) ?? []
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
    for (const watch of watches) watch.stop()
  })

  it('of two updates of the same version, one at each, one is a conflict', async () => {
    const made = await one('POST', configMaps, configMap('contested'))
    let { body } = made
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all([one, other].map((send, i) => send('PUT', `${configMaps}/contested`, { ...(body as object), data: { round: `${round}-${i}` } })))
      expect(answers.map((a) => a.status).sort()).toEqual([200, 409])
      expect(answers.find((a) => a.status === 409)?.body).toMatchObject({ reason: 'Conflict', message: expect.stringContaining('the object has been modified; please apply your changes to the latest version and try again') as string })
      body = (answers.find((a) => a.status === 200) ?? made).body
    }
    expect((await other('POST', configMaps, configMap('contested'))).body).toMatchObject({ code: 409, reason: 'AlreadyExists' })
  })

  it('a change at one that says nothing of versions is built on the other\'s, and a version of the other\'s is known at once', async () => {
    let { body } = await one('POST', configMaps, configMap('shared', { a: '0' }))
    for (let n = 0; n < 20; n++) {
      const [first, second] = n % 2 === 0 ? [one, other] : [other, one]
      const put = await first('PUT', `${configMaps}/shared`, { ...(body as object), data: { ...(body['data'] as object), a: String(n) } })
      expect(put.status).toBe(200)
      const patched = await second('PATCH', `${configMaps}/shared`, { data: { b: String(n) } }, { 'content-type': 'application/merge-patch+json' })
      expect(patched.body['data']).toEqual({ a: String(n), b: String(n) })
      body = patched.body
    }
    expect((await other('DELETE', `${configMaps}/shared`)).status).toBe(200)
    expect((await one('DELETE', `${configMaps}/shared`)).status).toBe(404)
    expect((await one('PATCH', `${configMaps}/shared`, { data: {} }, { 'content-type': 'application/merge-patch+json' })).status).toBe(404)
    expect((await other('POST', configMaps, configMap('shared'))).status).toBe(201)
    expect((await one('DELETE', `${configMaps}/shared`)).status).toBe(200)
  })

  it('no cluster IP and no node port is given twice, and all are given back', async () => {
    const made = await Promise.all(Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? one : other)('POST', services, {
      apiVersion: 'v1', kind: 'Service', metadata: { name: `svc-${i}` }, spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ name: 'a', port: 80 }, { name: 'b', port: 81 }] },
    })))
    expect(made.map((m) => m.status)).toEqual(made.map(() => 201))
    const specs = made.map((m) => m.body['spec'] as unknown as { clusterIP: string, ports: { nodePort: number }[] })
    expect(new Set(specs.map((s) => s.clusterIP)).size).toBe(80)
    expect(new Set(specs.flatMap((s) => s.ports.map((p) => p.nodePort))).size).toBe(160)
    const gone = await Promise.all(made.map((m, i) => (i % 4 < 2 ? one : other)('DELETE', `${services}/${m.body['metadata']?.['name']}`)))
    expect(gone.map((g) => g.status)).toEqual(gone.map(() => 200))
    const addresses = await other('GET', '/apis/networking.k8s.io/v1/ipaddresses')
    expect((addresses.body['items'] as unknown as { spec: { parentRef: { name: string } } }[]).map((a) => a.spec.parentRef.name)).toEqual(['kubernetes'])
    const again = await one('POST', services, {
      apiVersion: 'v1', kind: 'Service', metadata: { name: 'all' }, spec: { type: 'NodePort', selector: { a: 'b' }, ports: Array.from({ length: 200 }, (_, i) => ({ name: `p${i}`, port: i + 1 })) },
    })
    expect(again.status).toBe(201)
    await other('DELETE', `${services}/all`)
  })

  it('a page that one begins, the other continues', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps'
    for (let i = 0; i < 7; i++) await one('POST', path, configMap(`page-${i}`))
    const names: string[] = []
    let token = ''
    for (let i = 0; ; i++) {
      const page = await (i % 2 === 0 ? one : other)('GET', `${path}?limit=2&continue=${token}`)
      names.push(...(page.body['items'] as unknown as { metadata: { name: string } }[]).map((item) => item.metadata.name).filter((name) => name.startsWith('page-')))
      token = page.body['metadata']?.['continue'] ?? ''
      if (token === '') break
      if (i === 1) await other('DELETE', `${path}/page-6`)
    }
    expect(names).toEqual(Array.from({ length: 7 }, (_, i) => `page-${i}`))
  })

  it('a definition that one takes is served by the other', async () => {
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.example.com' },
      spec: {
        group: 'example.com', scope: 'Namespaced', names: { plural: 'boats', kind: 'Boat' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { masts: { type: 'integer' } } } } } } }],
      },
    }
    expect((await one('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)).status).toBe(201)
    await expect.poll(async () => (await other('GET', '/apis/example.com/v1/namespaces/default/boats')).status, { timeout: 60_000 }).toBe(200)
    const boat = { apiVersion: 'example.com/v1', kind: 'Boat', metadata: { name: 'sloop' }, spec: { masts: 1 } }
    expect((await other('POST', '/apis/example.com/v1/namespaces/default/boats', boat)).status).toBe(201)
    await expect.poll(async () => (await one('GET', '/apis/example.com/v1/namespaces/default/boats/sloop')).body['spec'], { timeout: 60_000 }).toEqual({ masts: 1 })
  })

  it('both are behind the Service kubernetes, until one is gone', async () => {
    const third = await startApiServer({
      dataDir: join(directory.path, 'data'), storage: 'etcd3', etcd: { servers: [etcd.server], prefix: '/elsewhere' }, securePort: 0, bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', logger: silentLogger(),
    })
    const fourth = await startApiServer({
      dataDir: join(directory.path, 'data'), storage: 'etcd3', etcd: { servers: [etcd.server], prefix: '/elsewhere' }, securePort: 0, bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.2', tokenAuthFile: directory.tokenFile, logger: silentLogger(),
    })
    const send = sender(fourth.port)
    const addresses = async (): Promise<unknown> => ((await send('GET', '/api/v1/namespaces/default/endpoints/kubernetes')).body['subsets']?.[0]?.['addresses'] as unknown as { ip: string }[] | undefined)?.map(({ ip }) => ip)
    try {
      await Promise.all([third.whenReady(), fourth.whenReady()])
      await expect.poll(addresses, { timeout: 60_000 }).toEqual(['192.0.2.1', '192.0.2.2'])
      await third.stop()
      await expect.poll(addresses, { timeout: 90_000 }).toEqual(['192.0.2.2'])
    } finally {
      await third.stop()
      await fourth.stop()
    }
  }, 200_000)

  it('lies in etcd as a stock server lays it', async () => {
    await one('POST', '/api/v1/namespaces/default/events', {
      apiVersion: 'v1', kind: 'Event', metadata: { name: 'seen' }, involvedObject: { kind: 'Node', name: 'n' }, reason: 'Seen', message: 'seen', type: 'Normal', source: { component: 'test' },
    })
    const client = etcdClient({ servers: [etcd.server] })
    try {
      const text = new TextDecoder()
      const head = async (key: string): Promise<string | undefined> => text.decode((await client.range({ key })).kvs[0]?.value).slice(0, 4)
      for (const key of ['configmaps/default/read-0', 'services/specs/default/kubernetes', 'namespaces/default', 'events/default/seen', 'ranges/servicenodeports', 'ipaddresses/10.96.0.1']) expect([key, await head(`/registry/${key}`)]).toEqual([key, 'k8s\0'])
      const stored = text.decode((await client.range({ key: '/registry/example.com/boats/default/sloop' })).kvs[0]?.value)
      expect(JSON.parse(stored)).toMatchObject({ apiVersion: 'example.com/v1', kind: 'Boat', spec: { masts: 1 } })
      expect(stored).not.toContain('resourceVersion')
      expect(await head('/registry/apiextensions.k8s.io/customresourcedefinitions/boats.example.com')).toBe('{"ki')
      const all: string[] = []
      for await (const page of client.rangeAll({ key: '/', rangeEnd: prefixEnd('/') })) all.push(...page.kvs.map((kv) => kv.key))
      expect(all.filter((key) => !key.startsWith('/registry/') && !key.startsWith('/elsewhere/'))).toEqual([])
    } finally {
      client.close()
    }
  })

  it('when etcd is away, writes fail, /readyz says so, the cache is still read; when it is back all goes on, and watchers miss nothing', async () => {
    const server = servers[0] as ApiServer
    const watch = await watching(server.port, `${configMaps}?watch=true&resourceVersion=${(await one('GET', configMaps)).body['metadata']?.['resourceVersion']}`)
    etcd.kill('SIGKILL')
    await etcd.ended
    const refused = await one('POST', configMaps, configMap('while-away'))
    expect([refused.status, refused.body['reason']]).toEqual([500, 'InternalError'])
    expect((await one('GET', `${configMaps}/read-0`)).status).toBe(500)
    expect((await one('GET', `${configMaps}/read-0?resourceVersion=0`)).status).toBe(200)
    expect((await one('GET', `${configMaps}?resourceVersion=0`)).status).toBe(200)
    const ready = await one('GET', '/readyz?verbose')
    expect([ready.status, ready.text]).toEqual([500, expect.stringContaining('[-]etcd failed: reason withheld') as string])
    await etcd.restart()
    await expect.poll(async () => (await one('GET', '/readyz')).status, { timeout: 60_000 }).toBe(200)
    expect((await other('POST', configMaps, configMap('back'))).status).toBe(201)
    await watch.until((events) => events.some(({ object }) => object.metadata.name === 'back'))
    expect(watch.events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED back'])
    watch.stop()
  })
})

describe.skipIf(etcdMissing !== undefined)('one of two API servers', () => {
  it('is killed with -9: the other goes on with all that either has acknowledged', async () => {
    const etcd = await startEtcd()
    const directory = await temporary()
    const settings = { storage: 'etcd3' as const, etcd: { servers: [etcd.server] } }
    const pair = await Promise.all([spawnServer(directory, { settings }), spawnServer(directory, { settings })])
    try {
      const [victim, survivor] = pair.map(({ port }) => sender(port)) as [Send, Send]
      const watch = await watching(pair[1].port, `${configMaps}?watch=true`)
      const acknowledged = new Set<string>()
      let killed = false
      await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; acknowledged.size < 400; n++) {
          const name = `w${writer}-${n}`
          try {
            const answer = await (writer % 2 === 0 && !killed ? victim : survivor)('POST', configMaps, configMap(name))
            if (answer.status === 201) acknowledged.add(name)
          } catch (error) {
            if (!killed) throw error
          }
          if (!killed && acknowledged.size > 150) {
            killed = true
            pair[0].process.kill('SIGKILL')
          }
        }
      }))
      const list = await survivor('GET', configMaps)
      const stored = new Set((list.body['items'] as unknown as { metadata: { name: string } }[]).map((item) => item.metadata.name))
      expect([...acknowledged].filter((name) => !stored.has(name))).toEqual([])
      await watch.until((events) => [...acknowledged].every((name) => events.some(({ object }) => object.metadata.name === name)))
      const told = watch.events.map(({ object }) => object.metadata.name)
      expect(told.length).toBe(new Set(told).size)
      watch.stop()
    } finally {
      for (const { process: child } of pair) child.kill('SIGKILL')
      await etcd.stop()
      await directory.remove()
    }
  })
})
