import type { Plugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'

/** A pod that names its node goes nowhere else. */
export function nodeName(): Plugin {
  return {
    name: 'NodeName',
    dependsOn: 'node',
    sign: ({ pod }) => pod.spec.nodeName ?? '',
    events: () => [{ event: 'NodeAdded' }],
    filter(_state, { pod }, node) {
      return !pod.spec.nodeName || pod.spec.nodeName === node.name ? undefined : unresolvable("node(s) didn't match the requested node name")
    },
  }
}
