import { expect, test } from 'vitest'
import { fakeClock } from '../clock/system-clock.ts'
import { silentLogger } from '../logging/create-logger.ts'
import { createWorkQueue } from './create-work-queue.ts'
import { runWorkers } from './workers.ts'

test('a key that waits is handed out once, in order', async () => {
  const queue = createWorkQueue({ name: 'q' })
  for (const key of ['a', 'b', 'a']) queue.add(key)
  expect(queue.length).toBe(2)
  expect([await queue.get(), await queue.get()]).toEqual(['a', 'b'])
})

test('a key added while it is worked on comes again after done, not before', async () => {
  const queue = createWorkQueue({ name: 'q' })
  queue.add('a')
  expect(await queue.get()).toBe('a')
  queue.add('a')
  queue.add('a')
  expect(queue.length).toBe(0)
  queue.done('a')
  expect(queue.length).toBe(1)
  expect(await queue.get()).toBe('a')
  queue.done('a')
  expect(queue.length).toBe(0)
})

test('the earliest of several delays wins', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue({ name: 'q', clock })
  queue.addAfter('a', 100)
  queue.addAfter('a', 30)
  queue.addAfter('a', 200)
  await clock.advance(29)
  expect(queue.length).toBe(0)
  await clock.advance(1)
  expect(queue.length).toBe(1)
  expect(clock.pending).toBe(0)
})

test('back-off doubles up to its maximum and starts over when forgotten', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue({ name: 'q', clock, baseDelayMs: 10, maxDelayMs: 25 })
  const delays: number[] = []
  const measure = async (): Promise<void> => {
    const start = clock.now()
    queue.addRateLimited('a')
    while (queue.length === 0) await clock.advance(1)
    delays.push(clock.now() - start)
    await queue.get()
    queue.done('a')
  }
  for (let i = 0; i < 3; i += 1) await measure()
  queue.forget('a')
  await measure()
  expect(delays).toEqual([10, 20, 25, 10])
})

test('shutting down hands out what is ready, then ends; nothing is taken in and no timer is left', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue({ name: 'q', clock })
  queue.add('a')
  queue.addAfter('b', 10)
  queue.shutDown()
  queue.add('c')
  expect(clock.pending).toBe(0)
  expect([await queue.get(), await queue.get()]).toEqual(['a', undefined])
})

test('workers retry what fails, never handle a key twice at once, and end with the signal', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue({ name: 'q', clock, baseDelayMs: 10 })
  const controller = new AbortController()
  const inside = new Set<string>()
  const calls: string[] = []
  const running = runWorkers(queue, 3, async (key) => {
    expect(inside.has(key)).toBe(false)
    inside.add(key)
    await Promise.resolve()
    calls.push(key)
    inside.delete(key)
    if (key === 'bad' && calls.filter((k) => k === 'bad').length < 3) throw new Error('no')
  }, { logger: silentLogger(), signal: controller.signal })
  for (const key of ['a', 'bad', 'b', 'a']) queue.add(key)
  await clock.advance(100)
  expect(calls.filter((k) => k === 'bad')).toHaveLength(3)
  expect(queue.retries('bad')).toBe(0)
  controller.abort()
  await running
})
