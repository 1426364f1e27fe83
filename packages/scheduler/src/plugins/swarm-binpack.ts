import type { Plugin } from '../framework/plugin.ts'
import { scoreByRank } from './placement/ranks.ts'
import { tallyOf } from './placement/tally.ts'

const aboveAllPods = 1_000_000

/** How full a node is of a resource once the pod is there, in percent; full, as in Swarm, where the pod asks for none of it. */
function share(wanted: number, requested: number, allocatable: number): number {
  return wanted === 0 || allocatable === 0 ? 100 : Math.trunc(((requested + wanted) * 100) / allocatable)
}

/**
 * Swarm's `binpack`: the node that is fullest once the pod is there, processors and memory counting alike; among those
 * the one with the most pods. It leaves the largest possible room elsewhere for large pods to come.
 */
export function swarmBinpack(): Plugin {
  return {
    name: 'SwarmBinpack',
    dependsOn: 'node-and-pods',
    score(_state, { requests }, node) {
      const { requested, allocatable } = node
      const fullness = share(requests.milliCpu, requested.milliCpu, allocatable.milliCpu) + share(requests.memory, requested.memory, allocatable.memory)
      return -(fullness * aboveAllPods + tallyOf(node).pods)
    },
    normalize: (_state, _pod, scores) => scoreByRank(scores),
  }
}
