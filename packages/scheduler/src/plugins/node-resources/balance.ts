import type { NodeInfo } from '../../framework/node-info.ts'
import { maxNodeScore } from '../../framework/normalize.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { scalarNotWanted, usageOf } from './usage.ts'

/** How far each of a node's resources is used, without the pod and with it: 0 to 1. What the node has not is left out. */
export function fractionsOf(pod: PodInfo, node: NodeInfo, resources: ReadonlyArray<{ readonly name: string }>): { before: number[]; after: number[] } {
  const before: number[] = []
  const after: number[] = []
  for (const { name } of resources) {
    if (scalarNotWanted(pod, name)) continue
    const { allocatable, used } = usageOf(pod, node, name, 'requested')
    if (allocatable <= 0) continue
    after.push(Math.min(used / allocatable, 1))
    before.push(Math.min((used - pod.requests.get(name)) / allocatable, 1))
  }
  return { before, after }
}

/** 100 where all are used alike, down to 50 where one is full and the other empty: one minus the standard deviation. */
export function balanceOf(fractions: readonly number[]): number {
  let deviation = 0
  if (fractions.length === 2) deviation = Math.abs(((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2)
  else if (fractions.length > 2) {
    const mean = fractions.reduce((a, b) => a + b, 0) / fractions.length
    deviation = Math.sqrt(fractions.reduce((sum, f) => sum + (f - mean) ** 2, 0) / fractions.length)
  }
  return Math.trunc((1 - deviation) * maxNodeScore)
}

/** What the pod does to the balance: about 75 where it changes nothing, towards 100 where it mends it, towards 50 where it upsets it. */
export function improvement(after: number, before: number): number {
  return maxNodeScore / 2 + Math.trunc((maxNodeScore / 2 + after - before) / 2)
}
