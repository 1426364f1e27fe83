import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap, start } from './support/harness.ts'

interface WatchEvent { type: string, object: { kind: string, code?: number, metadata: { name: string, resourceVersion: string, annotations?: Record<string, string>, labels?: Record<string, string> } } }

let running: Awaited<ReturnType<typeof start>>
beforeAll(async () => { running = await start() })
afterAll(() => running.stop())

const user = { name: 'admin', groups: ['system:masters'] }
const path = '/api/v1/namespaces/default/configmaps'

/** Opens a watch and gives events one by one. */
async function watch(query: string): Promise<{ next(): Promise<WatchEvent>, close(): Promise<void> }> {
  const stop = new AbortController()
  const response = await running.server.handler({ method: 'GET', path: `${path}?watch=true&${query}`, user, signal: stop.signal })
  expect(response.status).toBe(200)
  const iterator = response.body[Symbol.asyncIterator]()
  let buffered = ''
  return {
    async next() {
      for (;;) {
        const end = buffered.indexOf('\n')
        if (end >= 0) {
          const line = buffered.slice(0, end)
          buffered = buffered.slice(end + 1)
          return JSON.parse(line) as WatchEvent
        }
        const { value, done } = await iterator.next()
        if (done) throw new Error('the watch has ended')
        buffered += new TextDecoder().decode(value)
      }
    },
    async close() {
      stop.abort()
      await iterator.return?.()
    },
  }
}

const short = (e: WatchEvent): string => `${e.type} ${e.object.metadata.name}`

async function create(name: string, labels: Record<string, string> = {}): Promise<string> {
  const made = await running.send('POST', path, { ...configMap(name) as object, metadata: { name, labels } })
  expect(made.status).toBe(201)
  return made.body['metadata']?.['resourceVersion'] as string
}

async function label(name: string, labels: Record<string, string | null>): Promise<void> {
  const answer = await running.send('PATCH', `${path}/${name}`, { metadata: { labels } }, { 'content-type': 'application/merge-patch+json' })
  expect(answer.status).toBe(200)
}

const remove = (name: string) => running.send('DELETE', `${path}/${name}`)

describe('a watch', () => {
  it('without a resourceVersion begins with what there is', async () => {
    await create('begin')
    const w = await watch('fieldSelector=metadata.name%3Dbegin')
    expect(short(await w.next())).toBe('ADDED begin')
    await remove('begin')
    expect(short(await w.next())).toBe('DELETED begin')
    await w.close()
  })

  it('resumes after the revision it is given', async () => {
    const revision = await create('resume-a')
    await create('resume-b')
    await label('resume-a', { x: '1' })
    const w = await watch(`resourceVersion=${revision}`)
    expect([short(await w.next()), short(await w.next())]).toEqual(['ADDED resume-b', 'MODIFIED resume-a'])
    await w.close()
  })

  it('tells of objects that come to match a selector as ADDED and of those that cease to as DELETED', async () => {
    const revision = await create('selected')
    const w = await watch(`resourceVersion=${revision}&labelSelector=on%3Dyes`)
    await label('selected', { on: 'yes' })
    await label('selected', { other: '1' })
    await label('selected', { on: null })
    await label('selected', { other: '2' })
    await create('also', { on: 'yes' })
    const events = [await w.next(), await w.next(), await w.next(), await w.next()]
    expect(events.map(short)).toEqual(['ADDED selected', 'MODIFIED selected', 'DELETED selected', 'ADDED also'])
    expect(events[2]?.object.metadata.labels).toEqual({ on: 'yes', other: '1' })
    expect(Number(events[2]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(events[1]?.object.metadata.resourceVersion))
    await w.close()
  })

  it('with sendInitialEvents sends what there is, then a bookmark that marks the end', async () => {
    await create('initial', { initial: 'yes' })
    const w = await watch('labelSelector=initial%3Dyes&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
    expect(short(await w.next())).toBe('ADDED initial')
    const mark = await w.next()
    expect(mark.type).toBe('BOOKMARK')
    expect(mark.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
    await create('initial-2', { initial: 'yes' })
    expect(short(await w.next())).toBe('ADDED initial-2')
    await w.close()
  })

  it('from a revision that is no longer kept ends with 410', async () => {
    // More changes than the history holds.
    await create('busy')
    for (let i = 0; i < 4200; i += 100) await Promise.all(Array.from({ length: 100 }, (_, n) => label('busy', { n: String(i + n) })))
    const w = await watch('resourceVersion=1')
    const event = await w.next()
    expect([event.type, event.object.kind, event.object.code]).toEqual(['ERROR', 'Status', 410])
    await expect(w.next()).rejects.toThrow('the watch has ended')
  })

  it('ends at its timeout', async () => {
    const w = await watch(`resourceVersion=${await create('timeout')}&timeoutSeconds=1`)
    await expect(w.next()).rejects.toThrow('the watch has ended')
  })

  it('refuses sendInitialEvents without resourceVersionMatch', async () => {
    const answer = await running.send('GET', `${path}?watch=true&sendInitialEvents=true`)
    expect(answer.status).toBe(422)
    expect(answer.body['message']).toContain('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  })

  it('as tables sends columns with the first event only', async () => {
    const stop = new AbortController()
    await create('table-1', { table: 'yes' })
    await create('table-2', { table: 'yes' })
    const response = await running.server.handler({
      method: 'GET', path: `${path}?watch=true&labelSelector=table%3Dyes`, user, signal: stop.signal, headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    let text = ''
    for await (const chunk of response.body) {
      text += new TextDecoder().decode(chunk)
      if (text.split('\n').length > 2) break
    }
    const tables = text.trim().split('\n').map((line) => (JSON.parse(line) as { object: { kind: string, columnDefinitions: unknown[] | null, rows: unknown[] } }).object)
    expect(tables.map((t) => [t.kind, t.columnDefinitions !== null, t.rows.length])).toEqual([['Table', true, 1], ['Table', false, 1]])
    stop.abort()
  })
})

describe('lists', () => {
  it('come in pages that show one revision, whatever is written between them', async () => {
    const { send } = running
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'pages' } })
    const collection = '/api/v1/namespaces/pages/secrets'
    for (const name of ['a', 'b', 'c', 'd', 'e']) await send('POST', collection, { metadata: { name } })
    const first = await send('GET', `${collection}?limit=2`)
    expect(first.body['metadata']?.['remainingItemCount']).toBe(3)
    await send('DELETE', `${collection}/c`)
    await send('POST', collection, { metadata: { name: 'cc' } })
    const names: string[] = []
    let page = first
    for (;;) {
      names.push(...(page.body['items'] as unknown as { metadata: { name: string } }[]).map((i) => i.metadata.name))
      const token = page.body['metadata']?.['continue'] as string | undefined
      if (token === undefined) break
      expect(page.body['metadata']?.['resourceVersion']).toBe(first.body['metadata']?.['resourceVersion'])
      page = await send('GET', `${collection}?limit=2&continue=${token}`)
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('at a revision of the future are refused with a time to come again', async () => {
    const answer = await running.send('GET', `${path}?resourceVersion=999999999`)
    expect(answer.status).toBe(504)
    expect(answer.body['details']?.['retryAfterSeconds']).toBe(1)
  })
})
