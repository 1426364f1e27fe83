import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createClient, inProcessTransport, type RunningPart, silentLogger } from '@berth/kube'
import { encode, streamEncode } from 'dns-packet'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SmallApi } from '../../overlay/test/small-api.ts'
import { startDns } from '../src/index.ts'
import { askTcp, askUdp, data, exampleCom, freePort, question, startUpstream, type Upstream } from './support.ts'

const seed = 20_261_121
let state = seed
/** The same numbers in each run, from 0 to below n. */
function random(n: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}
const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
const randomBytes = (n: number): Buffer => Buffer.from(Array.from({ length: n }, () => random(256)))

const names = ['web.default.svc.cluster.local', 'ext.default.svc.cluster.local', 'db.default.svc.cluster.local', 'none.cluster.local', 'cluster.local', '1.0.96.10.in-addr.arpa', 'www.example.com', '']
const plainName = (name: string): Buffer => Buffer.concat([...name.split('.').filter(Boolean).flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.from([0])])

/** Names of all kinds, well-formed and not. */
const nameKinds: (() => Buffer)[] = [
  () => plainName(pick(names)),
  () => Buffer.concat([Buffer.from([2]), randomBytes(2), plainName(pick(names))]),
  () => Buffer.concat([Buffer.from([63]), randomBytes(63), plainName(pick(names))]),
  () => Buffer.from([0xc0, 12]),
  () => Buffer.from([0xc0, random(256)]),
  () => Buffer.from([1, 97, 0xc0, 12]),
  () => Buffer.from([0xff, 0xff]),
  () => Buffer.concat([...Array.from({ length: 60 }, () => Buffer.from([4, 97, 98, 46, 92])), Buffer.from([0])]),
  () => Buffer.concat([Buffer.from([200]), randomBytes(50)]),
  () => Buffer.alloc(0),
]

function header(counts = [1, 0, 0, 0]): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(random(65536), 0)
  bytes.writeUInt16BE(random(4) === 0 ? random(65536) : 0x100, 2)
  counts.forEach((count, i) => bytes.writeUInt16BE(count, 4 + 2 * i))
  return bytes
}

const tail = (): Buffer => Buffer.from([0, pick([1, 5, 6, 12, 28, 33, 255, random(256)]), random(20) === 0 ? random(256) : 0, pick([1, 1, 1, 255, random(256)])])
const opt = (): Buffer => Buffer.concat([Buffer.from([0, 0, 41]), randomBytes(2), Buffer.from([0, random(5) === 0 ? 1 : 0]), randomBytes(2), pick([Buffer.from([0, 0]), Buffer.from([0, 4, 0, 10, 0, 0]), Buffer.from([255, 255])])])

const packetKinds: (() => Buffer)[] = [
  () => Buffer.concat([header(), pick(nameKinds)(), tail()]),
  () => Buffer.concat([header([1, 0, 0, 1]), pick(nameKinds)(), tail(), opt()]),
  () => Buffer.concat([header([random(3), pick([0, 65535]), pick([0, 65535]), 65535]), pick(nameKinds)(), tail(), opt()]),
  () => Buffer.concat([header([1, 0, 0, 2]), plainName(pick(names)), tail(), opt(), opt()]),
  () => randomBytes(random(100)),
  () => Buffer.alloc(0),
  () => Buffer.alloc(random(13)),
]

function packet(): Buffer {
  const bytes = pick(packetKinds)()
  for (let flips = random(4) === 0 ? 1 + random(6) : 0; flips > 0 && bytes.length > 0; flips--) bytes[random(bytes.length)] = random(256)
  return random(5) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
}

/** An upstream resolver's answer, right or spoilt behind its question. */
function spoilt(message: Buffer): Buffer | undefined {
  let answer = Buffer.from(message)
  try {
    answer = Buffer.from(exampleCom(message, 'udp') ?? message)
  } catch {
    answer.writeUInt16BE(0x8180, 2)
  }
  if (random(2) === 0) return answer
  for (let flips = random(8); flips > 0; flips--) answer[2 + random(answer.length - 2)] = random(256)
  answer.writeUInt8((answer[2] ?? 0) | 0x80, 2)
  return answer.subarray(0, 12 + random(answer.length - 11))
}

// What would end the agent's process.
const thrown: unknown[] = []
const note = (error: unknown): void => void thrown.push(error)
let dns: RunningPart | undefined
let port = 0
let upstream: UdpSocket
let tcpUpstream: Upstream

beforeEach(async () => {
  thrown.length = 0
  process.on('uncaughtException', note).on('unhandledRejection', note)
  const api = new SmallApi()
  api.put('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } })
  api.put('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  const put = (name: string, spec: object): void => api.put('/api/v1/namespaces/default/services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec } as never)
  put('web', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] })
  put('db', { clusterIP: 'None' })
  put('ext', { type: 'ExternalName', externalName: 'www.example.com' })
  const endpoints = Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.244.1.${i}`] }))
  api.put('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'db-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'db' } }, addressType: 'IPv4', ports: [], endpoints } as never)
  tcpUpstream = await startUpstream()
  upstream = createSocket('udp4').bind(0, '127.0.0.1')
  await once(upstream, 'listening')
  upstream.on('message', (message, from) => {
    const answer = spoilt(message)
    if (answer) upstream.send(answer, from.port, from.address, () => {})
  })
  port = await freePort()
  dns = await startDns({
    client: createClient(inProcessTransport(api.handler, { name: 'test', groups: [] })), logger: silentLogger(), worker: false, nodeName: 'a', listen: [`127.0.0.1:${port}`],
    upstreams: [`127.0.0.1:${upstream.address().port}`, `127.0.0.1:${tcpUpstream.port}`], publishEndpoint: false,
  })
})
afterEach(async () => {
  await dns?.stop()
  upstream.close()
  tcpUpstream.close()
  process.off('uncaughtException', note).off('unhandledRejection', note)
  if (thrown.length > 0) throw new AggregateError(thrown, `the process would have ended (seed ${seed})`)
})

/** Everything that comes back is an answer, and repeats the question byte by byte where it has one. */
function check(answer: Buffer, sent: ReadonlyMap<number, Buffer[]>): void {
  expect(answer.length).toBeGreaterThanOrEqual(12)
  expect(answer.readUInt16BE(2) & 0x8000).toBe(0x8000)
  const queries = sent.get(answer.readUInt16BE(0)) ?? []
  const firstRecord = answer.readUInt16BE(4) === 0 ? 12 : endOfQuestion(answer)
  expect(queries.some((query) => query.subarray(12, firstRecord).equals(answer.subarray(12, firstRecord))), `an answer to nothing: ${answer.toString('hex')}`).toBe(true)
}

function endOfQuestion(bytes: Buffer): number {
  let at = 12
  for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) at += 1 + length
  return at + 5
}

test('4000 datagrams of any bytes do no harm, and what comes back are answers to them', async () => {
  const client = createSocket('udp4').bind(0, '127.0.0.1')
  await once(client, 'listening')
  const sent = new Map<number, Buffer[]>()
  const received: Buffer[] = []
  client.on('message', (bytes) => received.push(bytes))
  for (let i = 0; i < 4000; i++) {
    const bytes = packet()
    if (bytes.length >= 2) sent.set(bytes.readUInt16BE(0), [...(sent.get(bytes.readUInt16BE(0)) ?? []), bytes])
    client.send(bytes, port, '127.0.0.1')
    // The kernel's buffers are small: what they drop is not tested.
    if (i % 50 === 0) await askUdp(port, encode(question('web.default.svc.cluster.local')))
  }
  expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
  expect(received.length).toBeGreaterThan(1000)
  // An upstream resolver's bytes go through as they are: they are its own to answer for, but for id and question.
  for (const answer of received) if (answer.length > 12) check(answer, sent)
  client.close()
})

test('1000 messages of any bytes over TCP, in pieces and with wrong lengths, do no harm', async () => {
  for (let i = 0; i < 200; i++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const stream = Buffer.concat(Array.from({ length: 5 }, () => {
      const bytes = packet()
      const length = Buffer.alloc(2)
      length.writeUInt16BE(random(10) === 0 ? random(65536) : bytes.length)
      return Buffer.concat([length, bytes])
    }))
    const cut = random(stream.length)
    socket.write(stream.subarray(0, cut))
    if (random(2) === 0) await new Promise((resolve) => setImmediate(resolve))
    if (random(4) === 0) socket.resetAndDestroy()
    else if (random(2) === 0) socket.end(stream.subarray(cut))
    else {
      socket.write(stream.subarray(cut))
      socket.on('data', () => {})
    }
    if (i % 20 === 0) expect(data((await askTcp(port, streamEncode(question('web.default.svc.cluster.local'))))[0])).toEqual(['10.96.0.1'])
    if (random(2) === 0) setImmediate(() => socket.destroy())
  }
  expect(data(await askUdp(port, encode(question('web.default.svc.cluster.local'))))).toEqual(['10.96.0.1'])
})
