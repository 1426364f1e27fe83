/** Sorted intervals of completion indexes, both ends included, none touching the next. */
export type Indexes = readonly (readonly [first: number, last: number])[]

/** The indexes of single numbers, in any order. */
export function indexesOf(numbers: Iterable<number>): Indexes {
  return merge([...numbers].sort((a, b) => a - b).map((index) => [index, index]), [])
}

/** Reads what a Job's status says ("1,3-5"), up to `completions`; parts that cannot be read are left out. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  const parts = (text ?? '').split(',').flatMap((part): [number, number][] => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!match) return []
    const first = Number(match[1])
    return first >= completions ? [] : [[first, Math.min(Number(match[2] ?? match[1]), completions - 1)]]
  })
  return merge(parts, [])
}

export function formatIndexes(indexes: Indexes): string {
  return indexes.map(([first, last]) => first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`).join(',')
}

export function merge(a: Indexes, b: Indexes): Indexes {
  const result: [number, number][] = []
  for (const [first, last] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const previous = result.at(-1)
    if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last)
    else result.push([first, last])
  }
  return result
}

export function countIndexes(indexes: Indexes): number {
  return indexes.reduce((sum, [first, last]) => sum + last - first + 1, 0)
}

export function hasIndex(indexes: Indexes, index: number): boolean {
  return indexes.some(([first, last]) => first <= index && index <= last)
}

/** The first `count` indexes below `completions` that are in none of these. */
export function firstMissing(indexes: Indexes, count: number, completions: number): number[] {
  const result: number[] = []
  let candidate = 0
  for (const [first, last] of [...indexes, [completions, completions] as const]) {
    for (; candidate < Math.min(first, completions) && result.length < count; candidate++) result.push(candidate)
    candidate = Math.max(candidate, last + 1)
  }
  return result
}

/** How many of the wanted indexes are among the others. */
export function overlap(wanted: Indexes, others: Indexes): number {
  let sum = 0
  for (const [first, last] of wanted) for (const [from, to] of others) sum += Math.max(0, Math.min(last, to) - Math.max(first, from) + 1)
  return sum
}
