import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { createClient, inProcessTransport, type RunningPart, silentLogger } from '@berth/kube'
import { encode, streamEncode } from 'dns-packet'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SmallApi } from '../../overlay/test/small-api.ts'
import { type DnsConfig, startDns } from '../src/index.ts'
import { askTcp, askUdp, data, freePort, question, startUpstream, type Upstream } from './support.ts'

const services = '/api/v1/namespaces/default/services'
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

describe.each([{ worker: true }, { worker: false }])('DNS over real sockets, worker: $worker', ({ worker }) => {
  let api: SmallApi
  let dns: RunningPart | undefined
  let upstream: Upstream
  let port = 0

  const start = async (more: Partial<DnsConfig> = {}): Promise<void> => {
    port = await freePort()
    const client = createClient(inProcessTransport(api.handler, { name: 'test', groups: [] }))
    dns = await startDns({ client, logger: silentLogger(), worker, nodeName: 'a', listen: [`127.0.0.1:${port}`], upstreams: [`127.0.0.1:${upstream.port}`], ...more })
  }

  beforeEach(async () => {
    api = new SmallApi()
    upstream = await startUpstream()
    api.put('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a', uid: 'node-uid' } })
    for (const name of ['default', 'kube-system']) api.put('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const spec = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }
    api.put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec } as never)
    api.put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: 'default' }, spec: { clusterIP: 'None', clusterIPs: ['None'] } } as never)
    api.put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'ext', namespace: 'default' }, spec: { type: 'ExternalName', externalName: 'www.example.com' } } as never)
    const endpoints = Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.244.1.${i}`], conditions: { ready: true } }))
    api.put(slices, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'db-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'db' } }, addressType: 'IPv4', ports: [], endpoints } as never)
  })
  afterEach(async () => {
    await dns?.stop()
    upstream.close()
  })

  test('a service is answered by UDP and TCP, and other names by the upstream resolver', async () => {
    await start()
    expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
    expect((await askUdp(port, encode(question('none.default.svc.cluster.local')))).rcode).toBe('NXDOMAIN')
    const [one, two] = await askTcp(port, streamEncode(question('web.default.svc.cluster.local', 'A', 1)), streamEncode(question('a.example.com', 'A', 2)))
    expect([one, two].map((packet) => packet?.id).toSorted()).toEqual([1, 2])
    const forwarded = await askUdp(port, encode(question('Www.example.com', 'A', 99)))
    expect([forwarded.id, forwarded.questions?.[0]?.name, data(forwarded)]).toEqual([99, 'Www.example.com', ['192.0.2.80']])
    expect((await askUdp(port, encode(question('absent.test')))).rcode).toBe('NXDOMAIN')
  })

  test('names follow the objects', async () => {
    await start()
    api.remove(services, 'web')
    await expect.poll(async () => (await askUdp(port, encode(question('web.default.svc.cluster.local')))).rcode).toBe('NXDOMAIN')
    api.put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'] } } as never)
    await expect.poll(async () => data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.7'])
  })

  test('a large answer is truncated by UDP, larger with EDNS, and whole by TCP', async () => {
    await start()
    const plain = await askUdp(port, encode(question('db.default.svc.cluster.local')))
    expect([plain.flag_tc, (plain.answers?.length ?? 0) < 40]).toEqual([true, true])
    const opt = { type: 'OPT' as const, name: '.' as const, udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }
    const edns = await askUdp(port, encode({ ...question('db.default.svc.cluster.local'), additionals: [opt] }))
    expect([edns.flag_tc, (edns.answers?.length ?? 0) > 60]).toEqual([true, true])
    const [whole] = await askTcp(port, streamEncode(question('db.default.svc.cluster.local')))
    expect([whole?.flag_tc, whole?.answers?.length]).toEqual([false, 100])
  })

  test('an external name comes with the addresses of its target', async () => {
    await start()
    expect(data(await askUdp(port, encode(question('ext.default.svc.cluster.local'))))).toEqual(['www.example.com', '192.0.2.80'])
    expect(upstream.asked).toEqual(['udp www.example.com'])
  })

  test('without any upstream resolver other names get SERVFAIL at once, and the zone is served on', async () => {
    await start({ upstreams: [`127.0.0.1:${await freePort()}`] })
    expect((await askUdp(port, encode(question('a.example.com')))).rcode).toBe('SERVFAIL')
    expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
  })

  test('a question to a silent resolver is under way when it stops: nothing comes of it', async () => {
    const silent = await startUpstream(() => undefined)
    try {
      await start({ upstreams: [`127.0.0.1:${silent.port}`] })
      const socket = createSocket('udp4')
      socket.send(encode(question('a.example.com')), port, '127.0.0.1')
      const tcp = connect(port, '127.0.0.1').on('error', () => {})
      tcp.write(streamEncode(question('b.example.com')))
      await expect.poll(() => silent.asked.toSorted()).toEqual(['tcp b.example.com', 'udp a.example.com'])
      await dns?.stop()
      dns = undefined
      await expect(askTcp(port, streamEncode(question('web.default.svc.cluster.local')))).rejects.toThrow('ECONNREFUSED')
      socket.close()
      tcp.destroy()
    } finally {
      silent.close()
    }
  })

  test('garbage does no harm', async () => {
    await start()
    const socket = createSocket('udp4')
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(500, 0xff), encode({ type: 'response', id: 1 })]) socket.send(bytes, port, '127.0.0.1')
    expect((await askUdp(port, Buffer.concat([encode({ type: 'query', id: 3 }).subarray(0, 12)]))).rcode).toBe('FORMERR')
    expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
    socket.close()
  })

  test('metrics and health are served as CoreDNS serves them', async () => {
    const metrics = await freePort()
    await start({ metricsAddress: `127.0.0.1:${metrics}` })
    await askUdp(port, encode(question('web.default.svc.cluster.local')))
    const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${metrics}${path}`)).text()
    expect([await get('/health'), await get('/ready')]).toEqual(['OK', 'OK'])
    expect(await get('/metrics')).toContain(`coredns_dns_requests_total{server="dns://127.0.0.1:${port}",zone="cluster.local.",view="",proto="udp",family="1",type="A"} 1`)
  })

  test('an address that is taken is an error that names it', async () => {
    await start()
    const client = createClient(inProcessTransport(api.handler, { name: 'test', groups: [] }))
    await expect(startDns({ client, logger: silentLogger(), worker, nodeName: 'b', listen: [`127.0.0.1:${port}`] })).rejects.toThrow(`cannot listen on tcp 127.0.0.1:${port}`)
  })
})
