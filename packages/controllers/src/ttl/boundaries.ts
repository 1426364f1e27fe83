/** How many seconds a kubelet may keep Secrets and ConfigMaps, by the size of the cluster. The ranges overlap, so that a node more or less does not swing it. */
const boundaries: readonly { readonly least: number; readonly most: number; readonly seconds: number }[] = [
  { least: 0, most: 100, seconds: 0 },
  { least: 90, most: 500, seconds: 15 },
  { least: 450, most: 1000, seconds: 30 },
  { least: 900, most: 2000, seconds: 60 },
  { least: 1800, most: Number.POSITIVE_INFINITY, seconds: 300 },
]

/** The step for so many nodes, coming from `step`. */
export function nextStep(step: number, nodes: number): number {
  const { least, most } = boundaries[step] ?? { least: 0, most: Number.POSITIVE_INFINITY }
  if (nodes > most) return nextStep(step + 1, nodes)
  return nodes < least ? nextStep(step - 1, nodes) : step
}

export function secondsOf(step: number): number {
  return boundaries[step]?.seconds ?? 0
}
