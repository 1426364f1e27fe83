import { toleratesTaint } from '@berth/pod-rules'
import type { Plugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Cordoned nodes take no pods, but for those that tolerate the taint that stands for it. */
export function nodeUnschedulable(): Plugin {
  return {
    name: 'NodeUnschedulable',
    dependsOn: 'node',
    sign: ({ pod }) => JSON.stringify(pod.spec.tolerations ?? []),
    events: () => [{ event: 'NodeAdded' }, { event: 'NodeTaintsChanged' }],
    filter(_state, { pod }, { node }) {
      if (!node.spec.unschedulable || toleratesTaint(pod.spec.tolerations ?? [], taint)) return undefined
      return unresolvable('node(s) were unschedulable')
    },
  }
}
