/** An IntOrString as a number: a percentage counts of `total` and is rounded up or down; absent is zero. */
export function scaledValue(value: number | string | undefined, total: number, roundUp: boolean): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const share = Number(value.replace(/%$/, '')) * total / 100
  return roundUp ? Math.ceil(share) : Math.floor(share)
}
