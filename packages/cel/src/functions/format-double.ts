/** Writes a double as Go's strconv does in its shortest 'g' form: with an exponent below 1e-4 and from 1e`from` on. */
export function formatDouble(value: number, from = 6): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= from) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  // Between those bounds JavaScript writes plain decimals down to 1e-6, which covers 1e-4.
  return String(value)
}
