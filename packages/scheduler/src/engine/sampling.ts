/** Fewer nodes than this are always looked at, all of them (upstream: minFeasibleNodesToFind). */
const fewest = 100

/** Of how many feasible nodes the best is taken: a percentage of all, as upstream does it; all for 0 and 100. */
export function nodesToFind(percentage: number, nodes: number): number {
  if (percentage % 100 === 0 || nodes < fewest) return Infinity
  return Math.max(fewest, Math.trunc((nodes * percentage) / 100))
}
