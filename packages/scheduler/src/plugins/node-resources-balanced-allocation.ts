import type { Plugin } from '../framework/plugin.ts'
import { skip } from '../framework/status.ts'
import { balanceOf, fractionsOf, improvement } from './node-resources/balance.ts'
import type { ResourceWeight } from './node-resources-fit.ts'

/** Prefers nodes whose resources would be used to a more like degree than before. Pods that ask for none of them do not count. */
export function nodeResourcesBalancedAllocation(resources: readonly ResourceWeight[] = [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }]): Plugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    dependsOn: 'node-and-pods',
    fast: { kind: 'balanced-allocation', resources },
    preScore(_state, pod) {
      return resources.every(({ name }) => pod.requests.get(name) === 0) ? skip : undefined
    },
    score(_state, pod, node) {
      const { before, after } = fractionsOf(pod, node, resources)
      return improvement(balanceOf(after), balanceOf(before))
    },
  }
}
