/** The best score a plugin can give to a node. */
export const maxNodeScore = 100

/** Scales scores so that the largest becomes 100; `reverse` turns them around (upstream: helper.DefaultNormalizeScore). In place. */
export function defaultNormalize(scores: number[], reverse: boolean): void {
  let max = 0
  for (const score of scores) if (score > max) max = score
  if (max === 0) {
    if (reverse) scores.fill(maxNodeScore)
    return
  }
  for (let i = 0; i < scores.length; i++) {
    const scaled = Math.trunc((maxNodeScore * (scores[i] ?? 0)) / max)
    scores[i] = reverse ? maxNodeScore - scaled : scaled
  }
}
