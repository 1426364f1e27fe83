import type { Plugin } from '../framework/plugin.ts'
import { scoreByRank } from './placement/ranks.ts'
import { serviceOf } from './placement/service-of.ts'
import { tallyOf } from './placement/tally.ts'

/** No node has as many pods: what counts first is multiplied by it. */
const aboveAllPods = 1_000_000

/**
 * Swarm's `spread`: the node with the fewest tasks of the pod's own service; among those, the one with the fewest tasks
 * at all. What tasks ask for does not matter, as in Swarm. Swarm's avoidance of nodes on which a service's tasks have
 * just failed is left out: a scheduler is not told of it.
 */
export function swarmSpread(): Plugin {
  return {
    name: 'SwarmSpread',
    dependsOn: 'node-and-pods',
    score(_state, pod, node) {
      const { members, pods } = tallyOf(node)
      return (members.get(serviceOf(pod)) ?? 0) * aboveAllPods + pods
    },
    normalize: (_state, _pod, scores) => scoreByRank(scores),
  }
}
