import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap, sender, spawnServer, temporary } from './support/harness.ts'

const writers = 16
const rounds = 3

describe('a server that is killed with -9 while it is written to', () => {
  let directory: Awaited<ReturnType<typeof temporary>>
  beforeAll(async () => { directory = await temporary() })
  afterAll(() => directory.remove())

  it('has every write that it acknowledged, in its last acknowledged state or a later one, and goes on counting revisions', async () => {
    const acknowledged = new Map<string, { count: number, revision: number }>()
    let highest = 0
    for (let round = 0; round < rounds; round++) {
      const { process: child, port } = await spawnServer(directory)
      const send = sender(port)
      const collection = '/api/v1/namespaces/default/configmaps'
      const ended = new Promise<void>((resolve) => { child.on('exit', () => resolve()) })
      let acks = 0
      const write = async (writer: number): Promise<void> => {
        for (let n = 0; ; n++) {
          const name = `r${round}-w${writer}-${Math.floor(n / 10)}`
          const count = n % 10
          const answer = count === 0
            ? await send('POST', collection, configMap(name, { count: '0' }))
            : await send('PATCH', `${collection}/${name}`, { data: { count: String(count) } }, { 'content-type': 'application/merge-patch+json' })
          expect([200, 201]).toContain(answer.status)
          const revision = Number(answer.body['metadata']?.['resourceVersion'])
          acknowledged.set(name, { count, revision })
          highest = Math.max(highest, revision)
          if (++acks === 400) child.kill('SIGKILL')
        }
      }
      // Each writer ends when its connection does.
      await Promise.allSettled(Array.from({ length: writers }, (_, i) => write(i)))
      await ended
      expect(acks).toBeGreaterThanOrEqual(400)
    }
    const { process: child, port } = await spawnServer(directory)
    const list = await sender(port)('GET', '/api/v1/namespaces/default/configmaps')
    child.kill('SIGTERM')
    const items = list.body['items'] as unknown as { metadata: { name: string, resourceVersion: string }, data?: { count: string } }[]
    const stored = new Map(items.map((i) => [i.metadata.name, { count: Number(i.data?.count), revision: Number(i.metadata.resourceVersion) }]))
    const lost = [...acknowledged].filter(([name, want]) => {
      const got = stored.get(name)
      return !got || got.count < want.count || got.revision < want.revision
    })
    expect(lost).toEqual([])
    expect(Number(list.body['metadata']?.['resourceVersion'])).toBeGreaterThanOrEqual(highest)
  })
})
