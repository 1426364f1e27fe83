// For the replays of decisions that kube-scheduler 1.33 took.
import { findUntoleratedTaint } from '@berth/pod-rules'
import type { Plugin } from '../framework/plugin.ts'
import { makeProfile, type Profile } from '../framework/profile.ts'
import { unresolvable } from '../framework/status.ts'
import { balanceOf, fractionsOf } from '../plugins/node-resources/balance.ts'

// Off by default then, or not there.
const profile = makeProfile({ schedulerName: 'default-scheduler', plugins: { multiPoint: { disabled: [{ name: 'DynamicResources' }, { name: 'NodeDeclaredFeatures' }] } } })

/** The plugin without one of its members. */
function without(plugin: Plugin, name: keyof Plugin): Plugin {
  return Object.fromEntries(Object.entries(plugin).filter(([key]) => key !== name)) as unknown as Plugin
}

/** What 1.33 did otherwise than 1.36, and we. */
const before: Readonly<Record<string, (plugin: Plugin) => Plugin>> = {
  // A node too small for a pod even when it is empty counted as one where removing pods could help (kubernetes/kubernetes#131345).
  NodeResourcesFit: (plugin) => ({
    ...without(plugin, 'fast'),
    filter(state, pod, node) {
      const status = plugin.filter?.(state, pod, node)
      return status && { ...status, code: 'Unschedulable' }
    },
  }),
  // The message named the taint.
  TaintToleration: (plugin) => ({
    ...plugin,
    filter(_state, { pod }, { node }) {
      const taint = findUntoleratedTaint(node.spec.taints ?? [], pod.spec.tolerations ?? [], ['NoSchedule', 'NoExecute'])
      return taint && unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`)
    },
  }),
  // Devices were not in the default profile, and nothing was said of their claims.
  DynamicResources: (plugin) => without(plugin, 'postFilter'),
  // How balanced the node would be counted, not what the pod does to its balance.
  NodeResourcesBalancedAllocation: (plugin) => ({
    ...without(plugin, 'fast'),
    score: (_state, pod, node) => balanceOf(fractionsOf(pod, node, [{ name: 'cpu' }, { name: 'memory' }]).after),
  }),
}

export const profileOf133: Profile = { ...profile, plugins: profile.plugins.map((plugin) => before[plugin.name]?.(plugin) ?? plugin) }
