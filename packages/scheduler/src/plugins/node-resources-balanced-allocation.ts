import { maxNodeScore } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import { skip } from '../framework/status.ts'
import { scalarNotWanted, usageOf } from './node-resources/usage.ts'
import type { ResourceWeight } from './node-resources-fit.ts'

/** Prefers nodes whose resources would be used to a like degree. Pods that ask for none of them do not count. */
export function nodeResourcesBalancedAllocation(resources: readonly ResourceWeight[] = [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }]): Plugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    dependsOn: 'node-and-pods',
    fast: { kind: 'balanced-allocation', resources },
    preScore(_state, pod) {
      return resources.every(({ name }) => pod.requests.get(name) === 0) ? skip : undefined
    },
    score(_state, pod, node) {
      const fractions: number[] = []
      for (const { name } of resources) {
        if (scalarNotWanted(pod, name)) continue
        const { allocatable, used } = usageOf(pod, node, name, 'requested')
        if (allocatable > 0) fractions.push(Math.min(used / allocatable, 1))
      }
      let deviation = 0
      if (fractions.length === 2) deviation = Math.abs((fractions[0]! - fractions[1]!) / 2)
      else if (fractions.length > 2) {
        const mean = fractions.reduce((a, b) => a + b, 0) / fractions.length
        deviation = Math.sqrt(fractions.reduce((sum, f) => sum + (f - mean) ** 2, 0) / fractions.length)
      }
      return Math.trunc((1 - deviation) * maxNodeScore)
    },
  }
}
