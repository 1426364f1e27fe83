/** One measured quantity: ours beside a peer's, runs interleaved. */
export interface Row {
  readonly what: string
  readonly unit: string
  readonly ours: readonly number[]
  /** Absent where the peer is not on this machine; a remembered figure is never put here. */
  readonly peer?: readonly number[]
}

/** Minimum, median and maximum. */
export function spread(values: readonly number[]): { min: number; median: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
  return { min: at(0), median: at(0.5), max: sorted.at(-1) ?? Number.NaN }
}

const text = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

function cell(values: readonly number[] | undefined): string {
  if (!values || values.length === 0) return 'absent'
  const { min, median, max } = spread(values)
  return `${text(min)} / ${text(median)} / ${text(max)}`
}

/** A table as text: ours, the peer, and their medians' ratio where there is a peer. */
export function renderTable(title: string, rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.what, row.unit, cell(row.ours), cell(row.peer), row.peer && row.peer.length > 0 ? text(spread(row.ours).median / spread(row.peer).median) : '-'])
  const table = [['what', 'unit', 'ours (min / median / max)', 'peer', 'ratio'], ...cells]
  const widths = table[0]!.map((_, i) => Math.max(...table.map((line) => line[i]!.length)))
  const lines = table.map((line) => line.map((value, i) => value.padEnd(widths[i]!)).join('  ').trimEnd())
  return [title, ...lines].join('\n')
}
