import type { Status } from './status.ts'

/** Each reason and at how many nodes it holds. A node with several reasons counts for each. */
export function reasonCounts(verdicts: Iterable<Status>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { reasons } of verdicts) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return counts
}
