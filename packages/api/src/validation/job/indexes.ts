/** How many indexes `1,3-5` names, or why it names none. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let last: number | undefined
  let total = 0
  for (const interval of text.split(',')) {
    const range = parseInterval(interval, completions)
    if (typeof range === 'string') return range
    if (last !== undefined && last >= range[0]) return `non-increasing order, previous: ${last}, current: ${range[0]}`
    total += range[1] - range[0] + 1
    last = range[1]
  }
  return total
}

function parseInterval(text: string, completions: number): readonly [number, number] | string {
  const limits = text.split('-')
  if (limits.length > 2) return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`
  const numbers: number[] = []
  for (const limit of limits) {
    if (!/^\+?\d+$/.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`
    numbers.push(Number(limit))
  }
  const [from = 0, to = from] = numbers
  return limits.length > 1 && from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : [from, to]
}

/** The first index that two lists share; what is malformed in either is passed over. */
export function sharedIndex(one: string, other: string, completions: number): number | undefined {
  const ranges = (text: string): (readonly [number, number])[] => text.split(',').map((interval) => parseInterval(interval, completions)).filter((range) => typeof range !== 'string')
  for (const [from, to] of ranges(one)) {
    const hit = ranges(other).find(([start, end]) => from <= end && start <= to)
    if (hit) return Math.max(from, hit[0])
  }
  return undefined
}
