import { describe, expect, it } from 'vitest'
import { parseCron } from './parse.ts'

describe('schedules', () => {
  it.each([
    ['*/20 * * * *', { minutes: [0, 20, 40] }],
    ['5 4-6 * * *', { minutes: [5], hours: [4, 5, 6] }],
    ['10/20 0 * * *', { minutes: [10, 30, 50] }],
    ['0 0 1,15 * *', { days: [1, 15] }],
    ['0 0 * JAN-Mar *', { months: [1, 2, 3] }],
    ['0 0 * * mon,FRI', { weekdays: [1, 5] }],
    ['@monthly', { minutes: [0], hours: [0], days: [1] }],
  ] as const)('%s fires at these values', (text, expected) => {
    const schedule = parseCron(text)
    for (const [field, values] of Object.entries(expected)) expect([...schedule[field as 'minutes']]).toEqual(values)
  })

  it('tells whether days or weekdays are left open', () => {
    expect(parseCron('0 0 * * 1')).toMatchObject({ anyDay: true, anyWeekday: false })
    expect(parseCron('0 0 ? * *')).toMatchObject({ anyDay: true, anyWeekday: true })
    expect(parseCron('0 0 */2 * *')).toMatchObject({ anyDay: false })
  })

  it('reads an interval and a time zone', () => {
    expect(parseCron('@every 1h30m').everyMs).toBe(5_400_000)
    expect(parseCron('@every 10ms').everyMs).toBe(1000)
    expect(parseCron('TZ=Europe/Berlin 0 6 * * *').timeZone).toBe('Europe/Berlin')
  })

  it.each([
    ['', 'empty spec string'],
    ['every day', 'expected exactly 5 fields, found 2: [every day]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['@often', 'unrecognized descriptor: @often'],
    ['TZ=Mars/Base 0 0 * * *', 'provided bad location Mars/Base: unknown time zone Mars/Base'],
  ])('%s is refused', (text, message) => {
    expect(() => parseCron(text)).toThrow(message)
  })
})
