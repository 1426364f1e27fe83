/** Lines of context around a change. */
const context = 3

/** A unified diff of two values' JSON (one blank per level), without file headers: how upstream shows what an update would change. */
export function internalDiff(before: unknown, after: unknown): string {
  const a = JSON.stringify(before, null, 1).split('\n')
  const b = JSON.stringify(after, null, 1).split('\n')
  return hunks(edits(a, b)).join('')
}

interface Edit {
  readonly mark: ' ' | '-' | '+'
  readonly line: string
  /** Lines of each side before this edit. */
  readonly a: number
  readonly b: number
}

/** The shortest list of edits, by the longest common subsequence between what differs at both ends. */
function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const midA = a.slice(start, a.length - end)
  const midB = b.slice(start, b.length - end)
  const out: Edit[] = []
  const push = (mark: Edit['mark'], line: string) => {
    const last = out.at(-1)
    out.push({ mark, line, a: last ? last.a + (last.mark === '+' ? 0 : 1) : 0, b: last ? last.b + (last.mark === '-' ? 0 : 1) : 0 })
  }
  for (const line of a.slice(0, start)) push(' ', line)
  const common = lengths(midA, midB)
  for (let i = 0, j = 0; i < midA.length || j < midB.length;) {
    const lineA = midA[i]
    const lineB = midB[j]
    if (lineA !== undefined && lineA === lineB) {
      push(' ', lineA)
      i++
      j++
    } else if (lineA !== undefined && (lineB === undefined || (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))) {
      push('-', lineA)
      i++
    } else if (lineB !== undefined) {
      push('+', lineB)
      j++
    }
  }
  for (const line of a.slice(a.length - end)) push(' ', line)
  return out
}

/** Lengths of the longest common subsequences of all tails. */
function lengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = table[i]
      if (row) row[j] = a[i] === b[j] ? (table[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return table
}

function hunks(all: readonly Edit[]): string[] {
  const changed = all.flatMap((edit, i) => (edit.mark === ' ' ? [] : [i]))
  const out: string[] = []
  for (let k = 0; k < changed.length;) {
    const first = changed[k] ?? 0
    let last = first
    while (k < changed.length && (changed[k] ?? 0) - last <= 2 * context) last = changed[k++] ?? last
    const part = all.slice(Math.max(0, first - context), last + context + 1)
    const head = part[0]
    if (!head) continue
    const countA = part.filter((edit) => edit.mark !== '+').length
    const countB = part.filter((edit) => edit.mark !== '-').length
    out.push(`@@ -${head.a + 1},${countA} +${head.b + 1},${countB} @@\n`, ...part.map((edit) => `${edit.mark}${edit.line}\n`))
  }
  return out
}
