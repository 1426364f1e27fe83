import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { authentication } from '@berth/api'
import { createCa, createClient, issueCertificate, silentLogger } from '@berth/kube'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { extenderConfigOf, startExtender } from '../src/index.ts'
import { ask, startCluster, type ConfigFile, type TestCluster } from './cluster.ts'

let cluster: TestCluster

beforeAll(async () => { cluster = await startCluster() })
afterEach(() => cluster.clear())
afterAll(() => cluster.stop())

const args = { Pod: { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } }, NodeNames: [] }
const spread: ConfigFile = { plugins: [{ name: 'SwarmSpread' }] }

test.each<[string, string, string | Buffer, number, string]>([
  ['a request that is no JSON', '/filter', 'hello', 400, 'the request is no JSON object: there is no object at byte 0'],
  ['a request without its pod', '/prioritize', '{"NodeNames":[]}', 400, 'Pod: Required value'],
  ['a verb that is not there', '/scheduler/score', '{}', 404, 'there is no /scheduler/score; the verbs are filter, prioritize, preempt, bind, under / and /scheduler/'],
  ['a request that is too large', '/filter', Buffer.alloc(2048, 32), 413, 'the request is larger than 1024 bytes'],
])('%s is refused with the reason, and the next one is answered', async (_, path, body, status, error) => {
  const { port } = await cluster.extender({ ...spread, limits: { maxBodyBytes: 1024 } })
  const answer = await ask(port, path, body)
  expect([answer.status, answer.json]).toEqual([status, { Error: error }])
  expect((await ask(port, '/filter', args)).status).toBe(200)
})

test('GET is no way to ask', async () => {
  const { port } = await cluster.extender(spread)
  expect(await ask(port, '/filter', '', { method: 'GET' })).toMatchObject({ status: 405, json: { Error: 'filter is asked with POST, not GET' } })
})

describe('who may ask', () => {
  let ca: Awaited<ReturnType<typeof createCa>>
  const files: Record<string, string> = {}

  beforeAll(async () => {
    ca = await createCa('extender-ca')
    const serving = await issueCertificate(ca, { commonName: 'extender', ipAddresses: ['127.0.0.1'], usages: ['server'] })
    for (const [name, content] of Object.entries({ ca: ca.certificate, cert: serving.certificate, key: serving.key, tokens: '# who may ask\nsecret,kube-scheduler,1,"system:schedulers"\nother,somebody,2\n' })) {
      files[name] = join(cluster.directory, name)
      await writeFile(files[name], content)
    }
  })
  const secured = (more: ConfigFile): ConfigFile => ({ ...spread, serving: { address: '127.0.0.1', port: 0, tls: { certFile: files['cert'] ?? '', keyFile: files['key'] ?? '', ...(more.serving?.tls?.clientCAFile === 'ca' ? { clientCAFile: files['ca'] ?? '' } : {}) } }, ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'serving')) })
  const withClientCa: ConfigFile = { ...spread, serving: { tls: { certFile: '', keyFile: '', clientCAFile: 'ca' } } }
  const bearer = (token: string) => ({ ca: ca.certificate, headers: { authorization: `Bearer ${token}` } })

  test('a client certificate of the right authority opens, another one or none does not', async () => {
    const { port } = await cluster.extender(secured({ ...withClientCa, authorization: { users: ['system:kube-scheduler'] } }))
    const [right, wrong] = await Promise.all([ca, await createCa('another-ca')].map((authority) => issueCertificate(authority, { commonName: 'system:kube-scheduler', usages: ['client'] })))
    const somebody = await issueCertificate(ca, { commonName: 'somebody', usages: ['client'] })
    const statuses = await Promise.all([right, wrong, somebody].map(async (client) => (await ask(port, '/filter', args, { ca: ca.certificate, cert: client?.certificate, key: client?.key })).status))
    expect([...statuses, (await ask(port, '/filter', args, { ca: ca.certificate })).status]).toEqual([200, 401, 403, 401])
  })

  test('a token of the file opens to those who are named', async () => {
    const { port } = await cluster.extender(secured({ authentication: { tokenFile: files['tokens'] ?? '' }, authorization: { groups: ['system:schedulers'] } }))
    const statuses = await Promise.all(['secret', 'other', 'unknown'].map(async (token) => (await ask(port, '/filter', args, bearer(token))).status))
    expect(statuses).toEqual([200, 403, 401])
  })

  test('a token that the API server knows opens, by TokenReview', async () => {
    const asked: unknown[] = []
    const client = createClient(cluster.server.loopback)
    const reviewing = { ...client, create: ((resource: unknown, object: unknown, options: never) => {
      if (resource !== authentication.tokenreviews) return client.create(resource as never, object as never, options)
      asked.push(object)
      return Promise.resolve({ status: { authenticated: true, user: { username: 'system:serviceaccount:kube-system:scheduler', groups: [] } } })
    }) as typeof client.create }
    const extender = await startExtender({ client: reviewing, config: extenderConfigOf(secured({ authentication: { tokenReview: true } })), logger: silentLogger() })
    await extender.whenSynced()
    expect((await ask(extender.port, '/filter', args, bearer('any'))).status).toBe(200)
    expect(asked).toMatchObject([{ spec: { token: 'any' } }])
    await extender.stop()
  })

  test('metrics are for those who may ask, health is for everybody', async () => {
    const { port } = await cluster.extender(secured({ authentication: { tokenFile: files['tokens'] ?? '' } }))
    const get = async (path: string, token?: string): Promise<number> => (await ask(port, path, '', { method: 'GET', ...(token ? bearer(token) : { ca: ca.certificate }) })).status
    expect([await get('/metrics'), await get('/metrics', 'secret'), await get('/healthz'), await get('/livez'), await get('/readyz')]).toEqual([401, 200, 200, 200, 200])
  })
})

test('before it knows the cluster it says so instead of answering, and is not ready', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve) })
  const client = createClient({ request: () => new Promise(() => undefined), close: () => Promise.resolve() })
  const extender = await startExtender({ client, config: extenderConfigOf({ ...spread, serving: { address: '127.0.0.1', port: 0 } }), logger: silentLogger() })
  const error = { Error: 'the extender does not know the cluster yet' }
  const said = await Promise.all(['/filter', '/prioritize', '/preempt', '/bind'].map((path) => ask(extender.port, path, path === '/bind' ? { PodName: 'p', PodNamespace: 'd', Node: 'n' } : args)))
  expect(said.map(({ status, json }) => [status, json])).toEqual([[200, error], [503, error], [503, error], [200, error]])
  expect((await ask(extender.port, '/readyz', '', { method: 'GET' })).status).toBe(500)
  expect((await ask(extender.port, '/livez', '', { method: 'GET' })).status).toBe(200)
  silent.close()
  extender.whenSynced().catch(() => undefined)
  void extender.stop()
})

describe('too much to do', () => {
  /** A request whose body never ends. */
  const stall = (port: number): ReturnType<typeof connect> => {
    const socket = connect(port, '127.0.0.1', () => socket.write('POST /filter HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'))
    return socket
  }
  const loadOf = async (port: number): Promise<string> => (await ask(port, '/metrics', '', { method: 'GET' })).text

  test('what is beyond the queue is refused at once, with a time to come back', async () => {
    const { port } = await cluster.extender({ ...spread, limits: { maxInFlight: 1, maxQueued: 0, timeout: '30s' } })
    const socket = stall(port)
    await expect.poll(() => loadOf(port)).toContain('berth_extender_requests_in_flight 1')
    const answer = await ask(port, '/filter', args)
    expect([answer.status, answer.headers['retry-after'], answer.json]).toEqual([429, '1', { Error: 'the extender answers 1 requests, and 0 wait: try again later' }])
    socket.destroy()
    await expect.poll(async () => (await ask(port, '/filter', args)).status).toBe(200)
  })

  test('who waits beyond its time gets an answer that says so', async () => {
    const { port } = await cluster.extender({ ...spread, limits: { maxInFlight: 1, maxQueued: 5, timeout: '30s' } })
    const socket = stall(port)
    await expect.poll(() => loadOf(port)).toContain('berth_extender_requests_in_flight 1')
    const answers = await Promise.all(['/filter', '/prioritize'].map((path) => ask(port, path, args, { headers: { 'x-berth-timeout-ms': '20' } })))
    expect(answers.map(({ status, json }) => [status, json])).toEqual([[200, { Error: 'the request waited for its turn until its time was over' }], [503, { Error: 'the request waited for its turn until its time was over' }]])
    socket.destroy()
  })

  test('a request that does not arrive in time is answered all the same', async () => {
    const { port } = await cluster.extender({ ...spread, limits: { timeout: '50ms' } })
    const socket = stall(port)
    const text = await new Promise<string>((resolve) => { socket.once('data', (chunk) => resolve(chunk.toString())) })
    expect(text).toContain('{"Error":"the request did not arrive in time"}')
    socket.destroy()
  })
})

test('when it stops, it answers what it has begun', async () => {
  const extender = await startExtender({ client: createClient(cluster.server.loopback), config: extenderConfigOf({ ...spread, serving: { address: '127.0.0.1', port: 0 } }), logger: silentLogger() })
  await extender.whenSynced()
  const body = JSON.stringify(args)
  const socket = connect(extender.port, '127.0.0.1', () => socket.write(`POST /filter HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`))
  await expect.poll(async () => (await ask(extender.port, '/metrics', '', { method: 'GET' })).text).toContain('berth_extender_requests_in_flight 1')
  const stopped = extender.stop()
  const answered = new Promise<string>((resolve) => { socket.once('data', (chunk) => resolve(chunk.toString())) })
  socket.write(body.slice(5))
  expect(await answered).toContain('HTTP/1.1 200')
  await stopped
  await expect(ask(extender.port, '/filter', args)).rejects.toThrow()
})

test('requests are counted by verb and result, nodes by what was said of them', async () => {
  await cluster.addNode('a')
  const { port } = await cluster.extender({ plugins: [{ name: 'NodeAffinity' }] })
  await ask(port, '/filter', { ...args, Pod: { ...args.Pod, spec: { containers: [], nodeSelector: { x: 'y' } } }, NodeNames: ['a'] })
  await ask(port, '/filter', 'x')
  const { text } = await ask(port, '/metrics', '', { method: 'GET' })
  expect(['berth_extender_requests_total{verb="filter",result="ok"} 1', 'berth_extender_requests_total{verb="filter",result="invalid"} 1', 'berth_extender_nodes_total{verb="filter",result="failed"} 1'].filter((line) => !text.includes(line))).toEqual([])
})
