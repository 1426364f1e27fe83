import { expect, test } from 'vitest'
import { fakeClock, sleep } from './system-clock.ts'

test('timers run in the order of their time, and those they set run too', async () => {
  const clock = fakeClock(1000)
  const seen: string[] = []
  clock.setTimeout(() => seen.push(`b@${clock.now()}`), 20)
  clock.setTimeout(() => {
    seen.push(`a@${clock.now()}`)
    clock.setTimeout(() => seen.push(`c@${clock.now()}`), 5)
  }, 10)
  clock.setTimeout(() => seen.push('never'), 15).cancel()
  await clock.advance(20)
  expect(seen).toEqual(['a@1010', 'c@1015', 'b@1020'])
  expect(clock.now()).toBe(1020)
  expect(clock.pending).toBe(0)
})

test('a sleep ends early when its signal aborts, and leaves no timer', async () => {
  const clock = fakeClock()
  const controller = new AbortController()
  const slept = sleep(clock, 1000, controller.signal)
  controller.abort(new Error('stop'))
  await expect(slept).rejects.toThrow('stop')
  expect(clock.pending).toBe(0)
})
