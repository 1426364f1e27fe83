import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createClient, inProcessTransport, type RunningPart, silentLogger } from '@berth/kube'
import { decode as decodePacket, type DecodedPacket, encode, streamEncode, type RecordType } from 'dns-packet'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SmallApi } from '../../overlay/test/small-api.ts'
import { type DnsConfig, startDns } from '../src/index.ts'

const services = '/api/v1/namespaces/default/services'
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

// The declarations forget the response code, which is there.
function decode(message: Buffer): DecodedPacket & { rcode?: string } {
  return decodePacket(message)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address && typeof address === 'object' ? address.port : 0
}

async function askUdp(port: number, message: Buffer): Promise<ReturnType<typeof decode>> {
  const socket = createSocket('udp4')
  socket.send(message, port, '127.0.0.1')
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  socket.close()
  return decode(answer)
}

async function askTcp(port: number, ...messages: Buffer[]): Promise<DecodedPacket[]> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.write(Buffer.concat(messages))
  let bytes = Buffer.alloc(0)
  const answers: DecodedPacket[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      answers.push(decode(bytes.subarray(2, 2 + bytes.readUInt16BE(0))))
      bytes = bytes.subarray(2 + bytes.readUInt16BE(0))
    }
    if (answers.length === messages.length) break
  }
  socket.destroy()
  return answers
}

const question = (name: string, type: RecordType = 'A', id = 7) => ({ type: 'query' as const, id, flags: 0x100, questions: [{ name, type, class: 'IN' as const }] })
const data = (packet: DecodedPacket | undefined) => packet?.answers?.map((record) => ('data' in record ? record.data : undefined))

/** An upstream resolver that knows *.example.com, by UDP and TCP. */
async function startUpstream(): Promise<{ port: number; asked: string[]; close(): void }> {
  const port = await freePort()
  const asked: string[] = []
  const respond = (message: Buffer): Buffer => {
    const packet = decode(message)
    const name = packet.questions?.[0]?.name ?? ''
    asked.push(name)
    const found = name.endsWith('example.com')
    return encode({ type: 'response', id: packet.id, flags: found ? 0x180 : 0x183, questions: packet.questions, answers: found ? [{ name, type: 'A', ttl: 77, data: '192.0.2.80' }] : [] })
  }
  const udp = createSocket('udp4').bind(port, '127.0.0.1')
  udp.on('message', (message, from) => udp.send(respond(message), from.port, from.address))
  const tcp = createServer((socket) => socket.on('data', (chunk: Buffer) => {
    const answer = respond(chunk.subarray(2))
    socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]))
  })).listen(port, '127.0.0.1')
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  return { port, asked, close: () => { udp.close(); tcp.close() } }
}

describe.each([{ worker: true }, { worker: false }])('DNS over real sockets, worker: $worker', ({ worker }) => {
  let api: SmallApi
  let dns: RunningPart | undefined
  let upstream: Awaited<ReturnType<typeof startUpstream>>
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
    expect(upstream.asked).toEqual(['www.example.com'])
  })

  test('without any upstream resolver other names get SERVFAIL at once, and the zone is served on', async () => {
    await start({ upstreams: [`127.0.0.1:${await freePort()}`] })
    expect((await askUdp(port, encode(question('a.example.com')))).rcode).toBe('SERVFAIL')
    expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
  })

  test('garbage does no harm', async () => {
    await start()
    const socket = createSocket('udp4')
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(500, 0xff), encode({ type: 'response', id: 1 })]) socket.send(bytes, port, '127.0.0.1')
    expect((await askUdp(port, Buffer.concat([encode({ type: 'query', id: 3 }).subarray(0, 12)]))).rcode).toBe('FORMERR')
    expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
    socket.close()
  })

  test('the Service and this node\'s slice are made, and come to be what they should be again', async () => {
    const stale = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [], endpoints: [], metadata: { name: 'kube-dns-a', namespace: 'kube-system' } }
    api.put('/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', stale)
    await start({ manageService: true })
    await expect.poll(() => api.get('/api/v1/namespaces/kube-system/services', 'kube-dns')).toMatchObject({ spec: { clusterIP: '10.96.0.10', internalTrafficPolicy: 'Local' } })
    await expect.poll(() => api.get('/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', 'kube-dns-a')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/service-name': 'kube-dns' }, ownerReferences: [{ kind: 'Node', name: 'a', uid: 'node-uid' }] },
      endpoints: [{ addresses: ['127.0.0.1'], nodeName: 'a', conditions: { ready: true } }],
      ports: [{ name: 'dns', port, protocol: 'UDP' }, { name: 'dns-tcp', port, protocol: 'TCP' }],
    })
    await expect.poll(async () => data(await askUdp(port, encode(question('kube-dns.kube-system.svc.cluster.local'))))).toEqual(['10.96.0.10'])
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
