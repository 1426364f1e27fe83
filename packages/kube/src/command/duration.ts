const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, 'μs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a Go duration such as `1h15m30.5s`. Throws Go's error text where it is none. */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const body = /^[+-]/.test(text) ? text.slice(1) : text
  if (body === '0') return 0
  const invalid = (): Error => new Error(`time: invalid duration ${JSON.stringify(text)}`)
  if (body === '') throw invalid()
  const pattern = /(\d+\.?\d*|\.\d+)([^\d.]*)/gy
  let total = 0
  while (pattern.lastIndex < body.length) {
    const match = pattern.exec(body)
    if (match === null) throw invalid()
    const [, number = '', unit = ''] = match
    if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`)
    const factor = units[unit]
    if (factor === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`)
    total += Number(number) * factor
  }
  return sign * total
}

/** A duration in milliseconds as Go prints it: `1h0m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const rest = Math.abs(ms)
  const trim = (n: number): string => String(Number(n.toFixed(9)))
  if (rest < 1e-3) return `${sign}${trim(rest * 1e6)}ns`
  if (rest < 1) return `${sign}${trim(rest * 1e3)}µs`
  if (rest < 1000) return `${sign}${trim(rest)}ms`
  const hours = Math.floor(rest / 3_600_000)
  const minutes = Math.floor((rest % 3_600_000) / 60_000)
  const seconds = trim((rest % 60_000) / 1000)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}
