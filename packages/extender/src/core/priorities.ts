import { maxExtenderPriority } from '../wire/protocol.ts'

/**
 * Brings scores of 0 to 100 into the protocol's 0 to 10, whole numbers. What rounding makes equal to the best would be
 * chosen as often as the best: it gets one less, so that the best stays alone.
 */
export function prioritiesOf(scores: readonly number[]): number[] {
  const scaled = (score: number): number => Math.trunc((score * maxExtenderPriority) / 100)
  let best = -Infinity
  let lowest = Infinity
  for (const score of scores) {
    best = Math.max(best, score)
    lowest = Math.min(lowest, score)
  }
  if (best === lowest) return scores.map(scaled)
  const top = Math.max(1, scaled(best))
  return scores.map((score) => score === best ? top : Math.min(top - 1, scaled(score)))
}
