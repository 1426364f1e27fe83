/** Scalars with a text form: checked and brought into the one form in which a stock API server writes them. Errors are worded as Go's. */

const rfc3339 = '2006-01-02T15:04:05Z07:00'
const rfc3339Micro = '2006-01-02T15:04:05.000000Z07:00'

/**
 * Checks an RFC 3339 time and gives it in UTC, with whole seconds (`micro`: with six decimals, which it then must have).
 * The zero time of Go gives undefined.
 * @throws Error as Go's time.Parse words it
 */
export function canonicalTime(text: string, micro: boolean): string | undefined {
  const layout = micro ? rfc3339Micro : rfc3339
  let rest = text
  const fail = (element: string): never => {
    throw new Error(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`)
  }
  const range = (what: string): never => {
    throw new Error(`parsing time ${JSON.stringify(text)}: ${what} out of range`)
  }
  const digits = (count: number, element: string): number => {
    const found = rest.slice(0, count)
    if (found.length < count || !/^\d+$/.test(found)) fail(element)
    rest = rest.slice(count)
    return Number(found)
  }
  const separator = (s: string): void => {
    if (!rest.startsWith(s)) fail(s)
    rest = rest.slice(s.length)
  }
  const year = digits(4, '2006')
  separator('-')
  const month = digits(2, '01')
  if (month < 1 || month > 12) range('month')
  separator('-')
  const day = digits(2, '02')
  separator('T')
  const hour = digits(2, '15')
  if (hour > 23) range('hour')
  separator(':')
  const minute = digits(2, '04')
  if (minute > 59) range('minute')
  separator(':')
  const second = digits(2, '05')
  if (second > 59) range('second')
  let fraction = ''
  if (micro) {
    if (!/^[.,]\d{6}(?!\d)/.test(rest)) fail('.000000')
    fraction = rest.slice(1, 7)
    rest = rest.slice(7)
  } else {
    rest = rest.replace(/^[.,]\d+/, '')
  }
  let offsetMinutes = 0
  const zone = /^([+-])(\d\d):(\d\d)/.exec(rest)
  if (rest.startsWith('Z')) rest = rest.slice(1)
  else if (zone) {
    const [whole, sign, hours, minutes] = zone
    if (Number(hours) > 24) range('time zone offset hour')
    if (Number(minutes) > 60) range('time zone offset minute')
    offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
    rest = rest.slice(whole.length)
  } else fail('Z07:00')
  if (rest !== '') throw new Error(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`)
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) range('day')
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  at.setUTCHours(hour, minute - offsetMinutes, second, 0)
  const seconds = at.toISOString().replace(/^[+-]00/, '').slice(0, 19)
  if (seconds === '0001-01-01T00:00:00' && Number(fraction) === 0) return undefined
  return micro ? `${seconds}.${fraction}Z` : `${seconds}Z`
}

/**
 * Checks standard base64 (line breaks allowed) and gives it without them.
 * @throws Error as Go's base64.CorruptInputError
 */
export function canonicalBase64(text: string): string {
  const corrupt = (at: number): never => {
    throw new Error(`illegal base64 data at input byte ${at}`)
  }
  let inQuantum = 0
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '\n' || c === '\r') continue
    if (c === '=') {
      if (inQuantum < 2) corrupt(i)
      let end = i + 1
      const skip = (): void => { while (text[end] === '\n' || text[end] === '\r') end++ }
      if (inQuantum === 2) {
        skip()
        if (end >= text.length) corrupt(text.length)
        if (text[end] !== '=') corrupt(end)
        end++
      }
      skip()
      if (end < text.length) corrupt(end)
      return out + (inQuantum === 2 ? '==' : '=')
    }
    if (!/[A-Za-z0-9+/]/.test(c)) corrupt(i)
    out += c
    inQuantum = (inQuantum + 1) % 4
  }
  if (inQuantum > 0) corrupt(text.length - inQuantum)
  return out
}

const nanosOf: Record<string, number> = { ns: 1, us: 1e3, 'µs': 1e3, 'μs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/**
 * Checks a Go duration (`1h15m30.5s`) and gives it as Go writes it.
 * @throws Error as Go's time.ParseDuration
 */
export function canonicalDuration(text: string): string {
  const invalid = (): never => { throw new Error(`time: invalid duration ${JSON.stringify(text)}`) }
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  let rest = text.slice(sign.length)
  if (rest === '0') return '0s'
  if (rest === '') invalid()
  let nanos = 0n
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest)
    if (!part) return invalid()
    const unit = nanosOf[part[2] ?? '']
    if (unit === undefined) throw new Error(part[2] === '' ? `time: missing unit in duration ${JSON.stringify(text)}` : `time: unknown unit ${JSON.stringify(part[2])} in duration ${JSON.stringify(text)}`)
    const [whole = '', decimals = ''] = (part[1] ?? '').split('.')
    nanos += BigInt(whole || '0') * BigInt(unit) + (BigInt(decimals || '0') * BigInt(unit)) / 10n ** BigInt(decimals.length)
    rest = rest.slice(part[0].length)
  }
  if (nanos > 2n ** 63n - 1n) invalid()
  return formatDuration(sign === '-' ? -nanos : nanos)
}

function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const n = nanos < 0n ? -nanos : nanos
  const decimal = (value: bigint, unit: bigint): string => {
    const decimals = (value % unit).toString().padStart(unit.toString().length - 1, '0').replace(/0+$/, '')
    return `${value / unit}${decimals === '' ? '' : `.${decimals}`}`
  }
  if (n < 1000n) return `${sign}${n}ns`
  if (n < 1_000_000n) return `${sign}${decimal(n, 1000n)}µs`
  if (n < 1_000_000_000n) return `${sign}${decimal(n, 1_000_000n)}ms`
  const seconds = `${decimal(n % 60_000_000_000n, 1_000_000_000n)}s`
  const minutes = n / 60_000_000_000n
  if (minutes === 0n) return sign + seconds
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}
