import { core } from '@berth/api'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ApiError, createClient, httpsTransport, inProcessTransport, isConflict, isNotFound, messagePortTransport, serveMessagePort, TransportError, type KubeClient, type Transport, type TransportResponse } from '../src/index.ts'
import { answer, SmallApiServer, status, until } from './small-api-server.ts'

let server: SmallApiServer
let transport: Transport
let client: KubeClient

beforeEach(async () => {
  server = await SmallApiServer.start()
  transport = httpsTransport({ server: server.url, ca: server.ca, ...server.clientCert, token: 'secret' })
  client = createClient(transport, { userAgent: 'kubelet/v1', fieldManager: 'kubelet' })
})
afterEach(async () => {
  await transport.close()
  await server.close()
})

test('a request carries the client certificate, the token and the user agent', async () => {
  await client.list(core.configmaps)
  expect(server.requests[0]).toMatchObject({ peer: 'alice', headers: { authorization: 'Bearer secret', 'user-agent': 'kubelet/v1', accept: 'application/json' } })
})

test('a server with another authority is refused before anything is sent', async () => {
  const other = await SmallApiServer.start()
  const strange = httpsTransport({ server: server.url, ca: other.ca })
  await expect(createClient(strange).list(core.configmaps)).rejects.toMatchObject({ name: 'TransportError', reason: 'unreachable' })
  expect(server.requests).toEqual([])
  const lax = httpsTransport({ server: server.url, insecureSkipVerify: true })
  await expect(createClient(lax).list(core.configmaps)).resolves.toMatchObject({ items: [] })
  await Promise.all([strange.close(), lax.close(), other.close()])
})

test('requests one after another use one connection', async () => {
  for (let i = 0; i < 4; i += 1) await client.list(core.configmaps)
  expect(new Set(server.requests.map((r) => r.port)).size).toBe(1)
})

test('each verb has its method, path, query, body and content type', async () => {
  const object = { metadata: { name: 'a', namespace: 'd' }, data: { k: 'v' } }
  const calls: [() => Promise<unknown>, string, string, unknown, string?][] = [
    [() => client.get(core.configmaps, 'a', { namespace: 'd' }), 'GET', '/api/v1/namespaces/d/configmaps/a', undefined],
    [() => client.list(core.configmaps, { labelSelector: 'a=b', fieldSelector: 'metadata.name=x', limit: 5, continue: 'tok' }), 'GET', '/api/v1/configmaps?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&limit=5&continue=tok', undefined],
    [() => client.create(core.configmaps, object), 'POST', '/api/v1/namespaces/d/configmaps?fieldManager=kubelet', { apiVersion: 'v1', kind: 'ConfigMap', ...object }, 'application/json'],
    [() => client.update(core.configmaps, object, { dryRun: true, fieldManager: 'me' }), 'PUT', '/api/v1/namespaces/d/configmaps/a?dryRun=All&fieldManager=me', { apiVersion: 'v1', kind: 'ConfigMap', ...object }],
    [() => client.patch(core.nodes, 'n1', { type: 'strategic', body: { status: {} } }, { subresource: 'status' }), 'PATCH', '/api/v1/nodes/n1/status?fieldManager=kubelet', { status: {} }, 'application/strategic-merge-patch+json'],
    [() => client.patch(core.nodes, 'n1', { type: 'apply', body: {} }, { force: true }), 'PATCH', '/api/v1/nodes/n1?fieldManager=kubelet&force=true', {}, 'application/apply-patch+yaml'],
    [() => client.delete(core.pods, 'p', { namespace: 'd', gracePeriodSeconds: 0, preconditions: { uid: 'u' } }), 'DELETE', '/api/v1/namespaces/d/pods/p', { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' } }],
    [() => client.createSubresource(core.serviceaccounts, 'sa', 'token', { spec: {} }, { namespace: 'd' }), 'POST', '/api/v1/namespaces/d/serviceaccounts/sa/token?fieldManager=kubelet', { spec: {} }],
    [() => client.deleteCollection(core.configmaps, { namespace: 'd', labelSelector: 'x', propagationPolicy: 'Foreground' }), 'DELETE', '/api/v1/namespaces/d/configmaps?labelSelector=x', { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground' }],
  ]
  for (const [call, method, url, body, contentType] of calls) {
    server.scripted.push((_req, res) => answer(res, 200, {}))
    await call()
    const got = server.requests.at(-1)
    expect([got?.method, got?.url, got?.body === '' ? undefined : JSON.parse(got?.body ?? '')]).toEqual([method, url, body])
    if (contentType !== undefined) expect(got?.headers['content-type']).toBe(contentType)
  }
})

test('a wrong call is refused without asking the server', () => {
  expect(() => client.get(core.pods, '')).toThrow('a namespace is needed')
  expect(() => client.get(core.nodes, '')).toThrow('resource name may not be empty')
  expect(() => client.create(core.pods, { metadata: { name: 'p' }, spec: { containers: [] } })).toThrow('pods: a namespace is needed')
  expect(server.requests).toEqual([])
})

test('items of a list carry their kind', async () => {
  server.put('a')
  const list = await client.list(core.configmaps)
  expect(list.items).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }])
})

test('the server’s Status becomes an ApiError, and any other answer one with its text', async () => {
  const missing = await client.get(core.configmaps, 'x', { namespace: 'd' }).catch((e: unknown) => e)
  expect(missing).toBeInstanceOf(ApiError)
  expect(isNotFound(missing)).toBe(true)
  server.scripted.push((_req, res) => answer(res, 409, status(409, 'Conflict', 'the object has been modified')))
  const conflict = await client.list(core.configmaps).catch((e: unknown) => e)
  expect([isConflict(conflict), isNotFound(conflict), (conflict as Error).message]).toEqual([true, false, 'the object has been modified'])
  server.scripted.push((_req, res) => { res.writeHead(502).end('bad gateway\n') })
  await expect(client.list(core.configmaps)).rejects.toMatchObject({ code: 502, message: 'bad gateway' })
})

test('Retry-After is waited for and the request repeated', async () => {
  server.scripted.push((_req, res) => answer(res, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '0.01' }))
  await expect(client.list(core.configmaps)).resolves.toMatchObject({ items: [] })
  expect(server.requests).toHaveLength(2)
})

test('watch events are whole even when they arrive in pieces, and leaving the loop ends the request', async () => {
  server.cut = 7
  server.put('grüße')
  const seen: string[] = []
  for await (const event of client.watch(core.configmaps, { resourceVersion: '0', signal: AbortSignal.timeout(10_000) })) {
    seen.push(`${event.type} ${event.object.metadata.name}`)
    if (seen.length === 1) server.put('b')
    if (seen.length === 2) break
  }
  expect(seen).toEqual(['ADDED grüße', 'ADDED b'])
  await until('the watch is gone', () => server.watching === 0)
})

test('a watch ends quietly when its signal aborts, and throws when the connection breaks', async () => {
  const controller = new AbortController()
  const ended = (async () => {
    for await (const event of client.watch(core.configmaps, { resourceVersion: '10', signal: controller.signal })) void event
    return 'ended'
  })()
  await until('the watch is there', () => server.watching === 1)
  controller.abort()
  expect(await ended).toBe('ended')
  await until('the watch is gone', () => server.watching === 0)
  const broken = (async () => {
    for await (const event of client.watch(core.configmaps, { resourceVersion: '10', signal: new AbortController().signal })) void event
  })()
  await until('the watch is there', () => server.watching === 1)
  server.breakWatches()
  await expect(broken).rejects.toMatchObject({ name: 'TransportError', reason: 'broken' })
})

test('nothing is sent once the transport is closed, and a server that is not there is unreachable', async () => {
  await transport.close()
  await expect(client.list(core.configmaps)).rejects.toMatchObject({ reason: 'closed' })
  const nowhere = httpsTransport({ server: 'https://127.0.0.1:1' })
  await expect(createClient(nowhere).list(core.configmaps)).rejects.toMatchObject({ reason: 'unreachable', cause: { code: 'ECONNREFUSED' } })
})

test('a token function is asked for each request', async () => {
  let count = 0
  const rotating = httpsTransport({ server: server.url, ca: server.ca, token: async () => `t${count += 1}` })
  await createClient(rotating).list(core.configmaps)
  await createClient(rotating).list(core.configmaps)
  expect(server.requests.map((r) => r.headers.authorization)).toEqual(['Bearer t1', 'Bearer t2'])
  await rotating.close()
})

test('in a process, requests reach the handler with their user', async () => {
  const seen: unknown[] = []
  const local = createClient(inProcessTransport(async (request) => {
    seen.push(request.user, request.path)
    return { status: 200, headers: {}, body: (async function* () { yield Buffer.from('{"items":[]}') })() }
  }, { name: 'system:apiserver', groups: ['system:masters'] }))
  await local.list(core.pods)
  expect(seen).toEqual([{ name: 'system:apiserver', groups: ['system:masters'] }, '/api/v1/pods'])
})

test('between threads, a body streams as it is read and cancelling reaches the handler', async () => {
  const { port1, port2 } = new MessageChannel()
  let produced = 0
  let cancelled = false
  const stop = serveMessagePort(port2, async (request): Promise<TransportResponse> => {
    if (request.path === '/echo') return { status: 200, headers: { a: 'b' }, body: (async function* () { yield Buffer.from(request.body as string) })() }
    if (request.path === '/fails') throw new Error('broken handler')
    request.signal?.addEventListener('abort', () => { cancelled = true })
    return { status: 200, headers: {}, body: (async function* () {
      for (;;) {
        produced += 1
        yield Buffer.alloc(10, produced)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })() }
  })
  const over = messagePortTransport(port1)
  const echo = await over.request({ method: 'POST', path: '/echo', body: 'hello' })
  const chunks: Uint8Array[] = []
  for await (const chunk of echo.body) chunks.push(chunk)
  expect([echo.status, echo.headers, Buffer.concat(chunks).toString()]).toEqual([200, { a: 'b' }, 'hello'])
  await expect(over.request({ method: 'GET', path: '/fails' })).rejects.toThrow('broken handler')

  const endless = await over.request({ method: 'GET', path: '/endless' })
  await until('the window is full', () => produced > 32)
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(produced).toBe(33)
  let read = 0
  for await (const chunk of endless.body) {
    expect(chunk[0]).toBe((read += 1) % 256)
    if (read === 100) break
  }
  await until('the handler is told', () => cancelled)

  const controller = new AbortController()
  const aborted = await over.request({ method: 'GET', path: '/endless', signal: controller.signal })
  controller.abort()
  await expect(aborted.body[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(TransportError)

  const cut = await over.request({ method: 'GET', path: '/endless' })
  stop()
  await expect((async () => { for await (const chunk of cut.body) void chunk })()).rejects.toMatchObject({ reason: 'broken' })
})
