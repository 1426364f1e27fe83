import type { Candidate } from '../../framework/plugin.ts'
import { priorityOf } from '../../framework/pod-info.ts'
import { startOf } from './importance.ts'

/** Makes every priority count more than none, so that a few pods below zero are not worth less than one of them. */
const aboveAll = 2 ** 31

/** The start of the longest running one among the victims of the highest priority. */
function earliestStart({ victims }: Candidate): number {
  const highest = Math.max(...victims.map(priorityOf))
  return Math.min(...victims.filter((victim) => priorityOf(victim) === highest).map(startOf))
}

/** What is compared between candidates, in this order; the smaller, the better (upstream: pickOneNodeForPreemption). */
const criteria: ReadonlyArray<(candidate: Candidate) => number> = [
  ({ violations }) => violations,
  ({ victims }) => Math.max(...victims.map(priorityOf)),
  ({ victims }) => victims.reduce((sum, victim) => sum + priorityOf(victim) + aboveAll, 0),
  ({ victims }) => victims.length,
  (candidate) => -earliestStart(candidate),
]

/** The candidates among which nothing but their order decides. */
export function bestCandidates(candidates: readonly Candidate[]): readonly Candidate[] {
  let left = candidates
  for (const criterion of criteria) {
    if (left.length <= 1) return left
    const values = left.map(criterion)
    const best = values.reduce((a, b) => Math.min(a, b), Infinity)
    left = left.filter((_, i) => values[i] === best)
  }
  return left
}
