import { maxNodeScore } from '../../framework/normalize.ts'

/**
 * Turns an order into scores: the nodes of the lowest value get 100, those of the highest 0, the others by their place
 * between them. Only the first get 100, however many places there are, so that the order's best is the score's best. In place.
 */
export function scoreByRank(values: number[]): void {
  const places = [...new Set(values)].sort((a, b) => a - b)
  const last = places.length - 1
  const scores = new Map(places.map((value, place) => [value, place === 0 ? maxNodeScore : maxNodeScore - Math.max(1, Math.ceil((maxNodeScore * place) / last))]))
  for (const [i, value] of values.entries()) values[i] = scores.get(value) ?? 0
}
