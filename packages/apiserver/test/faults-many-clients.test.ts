// Many clients at once: writers of every kind of change and watchers beside them; each watcher sees every event once and in order, and memory is
// bounded and told. BERTH_LOAD_FACTOR makes it larger: 5 is 100 clients and 5,000 watchers.
import http2 from 'node:http2'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { adminToken, configMap, sender, spawnServer, temporary, type MemoryUse, type Send } from './support/harness.ts'

const factor = Number(process.env['BERTH_LOAD_FACTOR'] ?? 1)
const clients = Math.round(20 * factor)
const watchers = Math.round(1000 * factor)
const streamsPerConnection = 200
const rounds = 12
// Every watcher sees every change: twice the factor is four times the work.
vi.setConfig({ testTimeout: Math.max(1, factor ** 2) * 300_000 })

let directory: Awaited<ReturnType<typeof temporary>>
let server: Awaited<ReturnType<typeof spawnServer>>
let send: Send
const log: string[] = []
const path = '/api/v1/namespaces/default/configmaps'
const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
const told = (use: MemoryUse): string => `${mib(use.rss)} MiB resident, ${mib(use.heapUsed + use.external)} MiB of heap and buffers`

beforeAll(async () => {
  directory = await temporary()
  server = await spawnServer(directory, { logged: (line) => log.push(line) })
  send = sender(server.port)
}, 60_000)
afterAll(async () => {
  server.process.kill()
  await directory.remove()
})

/** Every event of a watch as `TYPE name@resourceVersion`, in the order they came. */
interface Watcher { events: string[], stream: http2.ClientHttp2Stream }

function watch(session: http2.ClientHttp2Session, query: string): Promise<Watcher> {
  const stream = session.request({ ':path': `${path}?watch=true&${query}`, authorization: `Bearer ${adminToken}` })
  const watcher: Watcher = { events: [], stream }
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      // Parsed by hand: thousands of watchers share this process.
      const [, type = ''] = /^\{"type":"(\w+)"/.exec(line) ?? []
      const [, name = ''] = /"name":"([^"]*)"/.exec(line) ?? []
      const [, version = ''] = /"resourceVersion":"(\d+)"/.exec(line) ?? []
      watcher.events.push(`${type} ${name}@${version}`)
    }
  })
  return new Promise((resolve, reject) => {
    stream.on('error', reject)
    stream.on('response', (headers) => {
      if (headers[':status'] === 200) resolve(watcher)
      else reject(new Error(`the watch was answered with ${headers[':status']}`))
    })
  })
}

/** What one client does: creates, updates, patches, reads, lists and deletes objects of its own. */
async function client(number: number): Promise<void> {
  const expectOk = async (method: string, target: string, body?: unknown, headers?: Record<string, string>): Promise<void> => {
    const answer = await send(method, target, body, headers)
    if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${answer.text.slice(0, 200)}`)
  }
  for (let round = 0; round < rounds; round++) {
    const name = `c${number}-${round}`
    await expectOk('POST', path, { ...configMap(name, { a: '0' }) as object, metadata: { name, labels: { part: String(number % 2) } } })
    await expectOk('PATCH', `${path}/${name}`, { data: { a: '1' } }, { 'content-type': 'application/merge-patch+json' })
    await expectOk('PUT', `${path}/${name}`, { ...configMap(name, { a: '2' }) as object, metadata: { name, labels: { part: String(number % 2) } } })
    await expectOk('GET', `${path}/${name}`)
    if (round % 4 === 0) await expectOk('GET', `${path}?limit=10`)
    if (round % 2 === 0) await expectOk('DELETE', `${path}/${name}`)
  }
}

describe(`${clients} clients and ${watchers} watchers`, () => {
  test('see every change once and in order, and leave nothing behind', async () => {
    const before = await server.memory()
    const revision = (await send('GET', path)).body['metadata']?.['resourceVersion'] as string
    const sessions = Array.from({ length: Math.ceil(watchers / streamsPerConnection) }, () => http2.connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false }))
    for (const session of sessions) session.on('error', () => {})
    const all: Watcher[] = []
    for (let i = 0; i < watchers; i += streamsPerConnection) {
      const session = sessions[i / streamsPerConnection]
      if (!session) throw new Error('no session')
      const count = Math.min(streamsPerConnection, watchers - i)
      // Every tenth watches half of the objects.
      all.push(...await Promise.all(Array.from({ length: count }, (_, n) => watch(session, `resourceVersion=${revision}${(i + n) % 10 === 9 ? '&labelSelector=part%3D1' : ''}`))))
    }
    const idle = await server.memory()
    await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
    const busy = await server.memory()
    const changes = clients * rounds * 3 + clients * Math.ceil(rounds / 2)
    const full = all.filter((_, i) => i % 10 !== 9)
    const half = all.filter((_, i) => i % 10 === 9)
    await vi.waitFor(() => { if (full.some((w) => w.events.length < changes)) throw new Error('events are still under way') }, { timeout: Math.max(1, factor ** 2) * 200_000, interval: 200 })
    const [first] = full
    const order = first?.events ?? []
    expect(order.length).toBe(changes)
    const revisions = order.map((event) => Number(event.slice(event.indexOf('@') + 1)))
    expect(revisions.every((r, i) => i === 0 || r > (revisions[i - 1] ?? 0))).toBe(true)
    const text = order.join('\n')
    expect(full.filter((w) => w.events.join('\n') !== text).length).toBe(0)
    const odd = order.filter((event) => Number(/ c(\d+)-/.exec(event)?.[1]) % 2 === 1).join('\n')
    await vi.waitFor(() => { if (half.some((w) => w.events.join('\n') !== odd)) throw new Error('a selecting watcher has not seen its half') }, { timeout: 60_000, interval: 200 })
    for (const session of sessions) session.destroy()
    await vi.waitFor(async () => {
      const { text: metrics } = await send('GET', '/metrics')
      if (metrics.split('\n').some((line) => /^apiserver_longrunning_requests\{.*verb="WATCH"/.test(line) && !line.endsWith(' 0'))) throw new Error('watches are still open')
    }, { timeout: 60_000, interval: 200 })
    // The objects that stay, their history and what the engine keeps; the system's part of closed connections goes a little later.
    let after = await server.memory()
    await vi.waitFor(async () => {
      after = await server.memory()
      if (after.heapUsed + after.external - before.heapUsed - before.external > 64 * 2 ** 20) throw new Error(`memory is not given back: ${told(after)}`)
    }, { timeout: 60_000, interval: 500 })
    const perWatcher = (idle.heapUsed + idle.external - before.heapUsed - before.external) / watchers
    console.log(`before: ${told(before)}; ${watchers} watchers: ${told(idle)} (${(perWatcher / 1024).toFixed(1)} KiB a watcher); after ${changes} changes: ${told(busy)}; when they have gone: ${told(after)}`)
    expect(perWatcher).toBeLessThan(64 * 1024)
    expect((await send('GET', '/readyz')).status).toBe(200)
    expect(log).toEqual([])
  })
})
