import { describe, expect, it } from 'vitest'
import { canonicalBase64, canonicalDuration, canonicalTime } from './scalars.ts'

describe('canonicalTime', () => {
  it.each<[string, boolean, string | undefined]>([
    ['2026-01-02T03:04:05Z', false, '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.999Z', false, '2026-01-02T03:04:05Z'],
    ['2026-01-01T00:30:00+01:00', false, '2025-12-31T23:30:00Z'],
    ['2024-02-29T00:00:00Z', false, '2024-02-29T00:00:00Z'],
    ['0001-01-01T00:00:00Z', false, undefined],
    ['2026-01-02T03:04:05.000006-07:00', true, '2026-01-02T10:04:05.000006Z'],
  ])('reads %s', (text, micro, want) => {
    expect(canonicalTime(text, micro)).toBe(want)
  })
  const seconds = 'as "2006-01-02T15:04:05Z07:00"'
  it.each<[string, boolean, string]>([
    ['', false, `parsing time "" ${seconds}: cannot parse "" as "2006"`],
    ['2026/01/02', false, `parsing time "2026/01/02" ${seconds}: cannot parse "/01/02" as "-"`],
    ['2026-13-02T03:04:05Z', false, 'parsing time "2026-13-02T03:04:05Z": month out of range'],
    ['2026-02-29T03:04:05Z', false, 'parsing time "2026-02-29T03:04:05Z": day out of range'],
    ['2026-01-02T24:04:05Z', false, 'parsing time "2026-01-02T24:04:05Z": hour out of range'],
    ['2026-01-02T03:04:05', false, `parsing time "2026-01-02T03:04:05" ${seconds}: cannot parse "" as "Z07:00"`],
    ['2026-01-02T03:04:05Zx', false, 'parsing time "2026-01-02T03:04:05Zx": extra text: "x"'],
    ['2026-01-02T03:04:05Z', true, 'parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'],
  ])('refuses "%s" as Go does', (text, micro, message) => {
    expect(() => canonicalTime(text, micro)).toThrow(new Error(message))
  })
})

describe('canonicalBase64', () => {
  it.each([['', ''], ['YQ==', 'YQ=='], ['YWI=', 'YWI='], ['YW\nJj\n', 'YWJj']])('reads %j', (text, want) => {
    expect(canonicalBase64(text)).toBe(want)
  })
  it.each([['***', 0], ['YWJj*', 4], ['YQ', 0], ['YQ=', 3], ['YQ==YQ==', 4], ['Y===', 1], ['YWJjYW', 4]])('refuses %j at byte %d, as Go does', (text, at) => {
    expect(() => canonicalBase64(text)).toThrow(new Error(`illegal base64 data at input byte ${at}`))
  })
})

describe('canonicalDuration', () => {
  it.each([['0', '0s'], ['60s', '1m0s'], ['1h15m30.5s', '1h15m30.5s'], ['1500ms', '1.5s'], ['10us', '10µs'], ['-90m', '-1h30m0s'], ['.5s', '500ms'], ['7ns', '7ns']])('reads %s as %s', (text, want) => {
    expect(canonicalDuration(text)).toBe(want)
  })
  it.each([['', 'time: invalid duration ""'], ['5', 'time: missing unit in duration "5"'], ['5 s', 'time: unknown unit " s" in duration "5 s"'], ['x', 'time: invalid duration "x"']])('refuses %j as Go does', (text, message) => {
    expect(() => canonicalDuration(text)).toThrow(new Error(message))
  })
})
