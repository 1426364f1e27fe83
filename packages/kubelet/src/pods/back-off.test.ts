import { describe, expect, it } from 'vitest'
import { BackOff, goDuration } from './back-off.ts'

describe('back-off', () => {
  it('doubles from 10 s to 5 min and begins again after 10 quiet minutes', () => {
    const backOff = new BackOff(10_000, 300_000)
    let now = 0
    const delays: number[] = []
    for (let i = 0; i < 7; i++) {
      backOff.next('k', now, now)
      delays.push(backOff.get('k'))
      now += backOff.get('k')
    }
    expect(delays).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
    expect(backOff.remaining('k', now + 600_001, now + 600_001)).toBe(0)
    backOff.next('k', now + 600_001, now + 600_001)
    expect(backOff.get('k')).toBe(10_000)
  })

  it('counts the wait from the failure', () => {
    const backOff = new BackOff(10_000, 300_000)
    expect(backOff.remaining('k', 0, 0)).toBe(0)
    backOff.next('k', 0, 0)
    expect(backOff.remaining('k', 5000, 7000)).toBe(8000)
    expect(backOff.remaining('k', 5000, 15_000)).toBe(0)
  })

  it.each([[0, '0s'], [250, '250ms'], [10_000, '10s'], [80_000, '1m20s'], [300_000, '5m0s'], [3_600_000, '1h0m0s'], [1500, '1.5s']])('%i ms is written %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text)
  })
})
