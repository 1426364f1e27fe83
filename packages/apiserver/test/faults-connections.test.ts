// Connections that are slow, broken or hostile: what they hold is bounded, they are ended, and others are served.
import http2 from 'node:http2'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createCa, issueCertificate } from '@berth/kube'
import { listen, type Listener } from '../src/http/listener.ts'
import { adminToken, configMap, sender, spawnServer, temporary, userToken, type Send } from './support/harness.ts'
import { fieldLine, frame, frameTypes, getRequest, openHttp2 } from './support/http2-frames.ts'
import { exchange, open } from './support/raw.ts'

let directory: Awaited<ReturnType<typeof temporary>>
let server: Awaited<ReturnType<typeof spawnServer>>
let send: Send
const log: string[] = []
const path = '/api/v1/namespaces/default/configmaps'

beforeAll(async () => {
  directory = await temporary()
  server = await spawnServer(directory, { logged: (line) => log.push(line), settings: { storage: 'memory', requestTimeoutSeconds: 2, maxRequestsInflight: 4, maxMutatingRequestsInflight: 2 } })
  send = sender(server.port)
  await send('POST', path, configMap('kept', { a: 'b' }))
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { metadata: { name: 'bob' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }] })
}, 60_000)
afterAll(async () => {
  server.process.kill()
  await directory.remove()
})
afterEach(async () => {
  if ((await send('GET', '/readyz')).status !== 200) throw new Error('it does not serve afterwards')
  if (log.length > 0) throw new Error(log.splice(0).join('\n'))
})

const bearer = `Authorization: Bearer ${adminToken}\r\n`
const get = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n${bearer}${more}\r\n`
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => {
  socket.on('close', () => resolve())
  socket.resume()
})
const metric = async (name: RegExp): Promise<number> => {
  const { text } = await send('GET', '/metrics')
  return text.split('\n').filter((line) => name.test(line)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
const watching = /^apiserver_longrunning_requests\{.*verb="WATCH"/

describe('a request', () => {
  test('whose body does not come is given up in time, its connection closed, its place free', async () => {
    const stuck = Array.from({ length: 2 }, () => exchange(server.port, `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${userToken}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"metadata"`))
    for (const answer of await Promise.all(stuck)) {
      expect(answer.statuses).toEqual([504])
      expect(answer.closed).toBe(true)
    }
    await vi.waitFor(async () => expect((await send('POST', path, configMap(`after-${Date.now()}`), { authorization: `Bearer ${userToken}` })).status).toBe(201), { timeout: 30_000 })
  })

  test('beyond the limit in flight is told to come again; system:masters and watches are not counted', async () => {
    // A list at a revision of the future waits for it.
    const waiting = Array.from({ length: 4 }, () => send('GET', `${path}?resourceVersion=99999999`, undefined, { authorization: `Bearer ${userToken}` }))
    const as = { authorization: `Bearer ${userToken}` }
    await vi.waitFor(async () => {
      const refused = await send('GET', path, undefined, as)
      expect([refused.status, refused.headers['retry-after'], refused.text]).toEqual([429, '1', 'Too many requests, please try again later.\n'])
    }, { timeout: 10_000 })
    expect((await send('GET', path)).status).toBe(200)
    expect((await send('GET', `${path}?watch=true&timeoutSeconds=1`, undefined, as)).status).toBe(200)
    for (const answer of await Promise.all(waiting)) expect([429, 504]).toContain(answer.status)
    await vi.waitFor(async () => expect((await send('GET', path, undefined, as)).status).toBe(200), { timeout: 30_000 })
    expect(await metric(/^apiserver_request_terminations_total\{.*code="429"/)).toBeGreaterThan(0)
  })

  test('that asks for an upgrade where there is none is answered like any other', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
    for (const [target, status] of [[path, 200], ['/healthz', 200], ['/nothing', 404], ['/api/v1/namespaces/default/pods/none/exec', 404]] as const) {
      const answer = await exchange(server.port, get(target, upgrade))
      expect([target, answer.statuses, answer.closed]).toEqual([target, [status], true])
    }
    const body = JSON.stringify(configMap('upgraded'))
    const made = await exchange(server.port, `POST ${path} HTTP/1.1\r\nHost: x\r\n${bearer}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`, { enough: 1 })
    expect(made.statuses).toEqual([201])
  })

  test('with headers or a path beyond all bounds is refused, and one of 100 KiB is not', async () => {
    expect((await exchange(server.port, get('/version', `X-Long: ${'x'.repeat(2 ** 21)}\r\n`))).statuses).toEqual([431])
    expect((await exchange(server.port, get(`${path}?labelSelector=${'x'.repeat(2 ** 21)}`))).statuses).toEqual([431])
    expect((await exchange(server.port, get(`${path}?labelSelector=a+in+(${'x,'.repeat(50_000)}y)`), { enough: 1 })).statuses).toEqual([200])
  })
})

describe('bytes that two parties could read differently', () => {
  const smuggled = `GET /version HTTP/1.1\r\nHost: x\r\n\r\n`
  const post = (headers: string, body: string): string => `POST ${path}?dryRun=All HTTP/1.1\r\nHost: x\r\n${bearer}Content-Type: application/json\r\n${headers}\r\n${body}`
  test.each<[string, string]>([
    ['a length and chunks', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['two lengths', post('Content-Length: 0\r\nContent-Length: 40\r\n', smuggled)],
    ['a length with a sign', post('Content-Length: +5\r\n', smuggled)],
    ['a length list', post('Content-Length: 5, 5\r\n', smuggled)],
    ['an unknown encoding', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['chunked twice', post('Transfer-Encoding: chunked, chunked, identity\r\n', `0\r\n\r\n${smuggled}`)],
    ['a space before the colon', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a folded line', post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a chunk size that overflows', post('Transfer-Encoding: chunked\r\n', `FFFFFFFFFFFFFFFFF\r\n${smuggled}`)],
    ['a null byte in a header', get('/version', 'X: a\0b\r\n')],
    ['no HTTP at all', `${'\x16\x03\x01'.repeat(100)}\r\n\r\n`],
    ['a version of its own', 'GET /version HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['no host', 'GET /version HTTP/1.1\r\n\r\n'],
  ])('%s: are refused, and nothing after them is served', async (_, bytes) => {
    const answer = await exchange(server.port, bytes)
    expect(answer.closed).toBe(true)
    expect(answer.statuses.length).toBeLessThanOrEqual(1)
    for (const status of answer.statuses) expect([400, 431, 501, 505]).toContain(status)
    expect(answer.text).not.toContain('gitVersion')
  })

  test('requests in one go are answered in their order', async () => {
    const names = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? '/version' : '/nothing'))
    const answer = await exchange(server.port, names.map((name, i) => get(name, i === 199 ? 'Connection: close\r\n' : '')).join(''))
    expect(answer.statuses).toEqual(names.map((name) => (name === '/version' ? 200 : 404)))
  })
})

describe('a client that', () => {
  test('never reads its watch is cut off, and its memory is given back', async () => {
    const before = await server.memory()
    const sockets = await Promise.all(Array.from({ length: 3 }, () => open(server.port)))
    for (const socket of sockets) {
      socket.pause()
      socket.write(get(`${path}?watch=true`))
    }
    const ended = sockets.map((socket) => new Promise<void>((resolve) => socket.on('close', () => resolve())))
    await vi.waitFor(async () => expect(await metric(watching)).toBe(3), { timeout: 30_000 })
    const large = 'x'.repeat(900_000)
    for (let i = 0; i < 60 && await metric(watching) > 0; i++) expect((await send('PATCH', `${path}/kept`, { data: { large, i: String(i) } }, { 'content-type': 'application/merge-patch+json' })).status).toBe(200)
    expect(await metric(watching)).toBe(0)
    for (const socket of sockets) socket.resume()
    await Promise.all(ended)
    await send('PATCH', `${path}/kept`, { data: { large: null } }, { 'content-type': 'application/merge-patch+json' })
    // The history holds 8 MiB of changes; the rest goes.
    await vi.waitFor(async () => expect((await server.memory()).external - before.external).toBeLessThan(40 * 2 ** 20), { timeout: 30_000, interval: 500 })
  })

  test('never reads a long list is held back, and gone when it goes', async () => {
    await send('POST', path, configMap('long', { a: 'x'.repeat(900_000) }))
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(server.port)))
    for (const socket of sockets) {
      socket.pause()
      socket.write(get(path).repeat(50))
    }
    expect((await send('GET', `${path}/kept`)).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })

  test('leaves in the middle of a handshake, a request or an answer leaves nothing behind', async () => {
    for (let i = 0; i < 200; i++) {
      const socket = connectTcp(server.port, '127.0.0.1')
      socket.on('error', () => {})
      const bytes = [Buffer.from('160301020001', 'hex'), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(0), Buffer.alloc(1000, i)][i % 4]
      socket.write(bytes ?? '', () => { if (i % 2 === 0) socket.resetAndDestroy(); else socket.end() })
    }
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      const socket = await open(server.port)
      socket.write([get(`${path}?watch=true`), get(path), `POST ${path} HTTP/1.1\r\nHost: x\r\n${bearer}Content-Length: 500\r\n\r\n{"me`, 'GET /v'][i % 4] ?? '')
      await new Promise((resolve) => setImmediate(resolve))
      socket.destroy()
    }))
    await vi.waitFor(async () => expect(await metric(watching)).toBe(0), { timeout: 30_000 })
    await vi.waitFor(async () => expect(await metric(/^apiserver_current_inflight_requests\{request_kind="mutating"/)).toBe(0), { timeout: 30_000 })
  })

  test('only holds connections, hundreds of them, does not keep others from being served', async () => {
    const sockets = await Promise.all(Array.from({ length: 500 }, () => open(server.port)))
    expect((await send('GET', `${path}/kept`)).status).toBe(200)
    expect(sockets.every((socket) => !socket.destroyed)).toBe(true)
    for (const socket of sockets) socket.destroy()
  })
})

describe('HTTP/2', () => {
  test('streams that are reset as soon as they are opened end the connection', async () => {
    const { socket, closed: ended } = await openHttp2(server.port)
    socket.resume()
    const request = getRequest(path, adminToken)
    for (let id = 1; id < 20_000 && !socket.destroyed; id += 2) {
      const more = socket.write(Buffer.concat([frame(frameTypes.headers, 5, id, request), frame(frameTypes.reset, 0, id, Buffer.from([0, 0, 0, 8]))]))
      if (!more) await new Promise<void>((resolve) => { socket.once('drain', resolve); socket.once('close', resolve) })
    }
    await ended
  })

  test.each<[string, () => Buffer[]]>([
    ['a header block that never ends', () => [frame(frameTypes.headers, 1, 1, getRequest(path, adminToken)), ...Array.from({ length: 5000 }, (_, i) => frame(frameTypes.continuation, 0, 1, fieldLine(`x-${i}`, 'y'.repeat(1000))))]],
    ['settings over and over', () => Array.from({ length: 50_000 }, () => frame(frameTypes.settings, 0, 0, Buffer.from('000300000064', 'hex')))],
    ['pings over and over', () => Array.from({ length: 50_000 }, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8)))],
    ['windows beyond all bounds', () => Array.from({ length: 10 }, () => frame(frameTypes.windowUpdate, 0, 0, Buffer.from('7fffffff', 'hex')))],
    ['a frame beyond its size', () => [frame(frameTypes.headers, 5, 1, Buffer.alloc(100_000))]],
    ['data of no stream', () => [frame(frameTypes.data, 0, 7, Buffer.alloc(10))]],
    ['even streams', () => [frame(frameTypes.headers, 5, 2, getRequest(path, adminToken))]],
    ['garbage for headers', () => [frame(frameTypes.headers, 5, 1, Buffer.alloc(1000, 0xff))]],
  ])('%s: end the connection', async (_, frames) => {
    const { socket, closed: ended } = await openHttp2(server.port)
    // Nothing is read: answers to what floods in pile up at the server.
    socket.pause()
    for (const each of frames()) {
      if (socket.destroyed || socket.writableEnded) break
      if (!socket.write(each)) {
        socket.resume()
        await new Promise<void>((resolve) => { socket.once('drain', resolve); socket.once('close', resolve) })
        socket.pause()
      }
    }
    socket.resume()
    // What can be answered may be: then the client is the one to leave.
    await Promise.race([ended, vi.waitFor(async () => expect((await send('GET', '/readyz')).status).toBe(200), { timeout: 30_000 })])
    socket.destroy()
  })

  test('a method, a path and headers that HTTP/1.1 would not let through are answered', async () => {
    const session = http2.connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false })
    session.on('error', () => {})
    const ask = (headers: http2.OutgoingHttpHeaders): Promise<number> => new Promise((resolve) => {
      const stream = session.request({ ':path': path, authorization: `Bearer ${adminToken}`, ...headers })
      stream.on('response', (head) => resolve(Number(head[':status'])))
      stream.on('error', () => resolve(0))
      stream.resume()
      stream.end()
    })
    expect(await ask({ ':method': 'constructor' })).toBe(405)
    expect(await ask({ ':method': '__proto__' })).toBe(405)
    expect(await ask({ ':path': '//[' })).toBe(404)
    expect(await ask({ ':path': 'relative' })).toBe(0)
    expect(await ask({ ':path': '/api/v1/namespaces/default/configmaps/%' })).toBe(400)
    session.destroy()
    expect((await send('GET', '/metrics')).text).not.toContain('constructor')
  })
})

describe('a listener', () => {
  let listener: Listener
  const certificate = async () => {
    const ca = await createCa('test')
    const { certificate: servingCert, key: servingKey } = await issueCertificate(ca, { commonName: 'x', usages: ['server'] })
    return { servingCert, servingKey, servingCa: ca.certificate }
  }
  beforeAll(async () => {
    listener = await listen({
      address: '127.0.0.1', port: 0, certificates: await certificate(), maxRequestBytes: 1000, log: { info() {}, error() {} }, timeouts: { headers: 300, idle: 300, ping: 100, pong: 300 },
      handler: async ({ url }) => ({ status: 200, headers: {}, body: url === '/endless' ? endless() : 'ok' }),
    })
  })
  afterAll(() => listener.close())

  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('begun')
    await new Promise(() => {})
  }

  test('closes connections whose handshake or headers do not come, and idle ones', async () => {
    const tcp = connectTcp(listener.port, '127.0.0.1')
    const half = await open(listener.port)
    half.write('GET / HTTP/1.1\r\nHost')
    const idle = await open(listener.port)
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const { socket, closed: ended } = await openHttp2(listener.port)
    socket.resume()
    await Promise.all([closed(tcp), closed(half), closed(idle), ended])
  })

  test('keeps an HTTP/2 connection whose client lives, and cuts one whose client gives no sign', async () => {
    const session = http2.connect(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false })
    const stream = session.request({ ':path': '/endless' })
    await new Promise((resolve) => stream.once('data', resolve))
    let dead = false
    session.on('error', () => {})
    stream.on('error', () => {})
    session.on('close', () => { dead = true })
    const { socket, closed: ended } = await openHttp2(listener.port)
    socket.write(Buffer.concat([frame(frameTypes.settings, 1, 0), frame(frameTypes.headers, 5, 1, getRequest('/endless', 'x'))]))
    // This one reads and never answers a ping.
    socket.resume()
    await ended
    expect(dead).toBe(false)
    session.destroy()
  })
})
