import { toleratesTaint, type TolerationOptions } from '@berth/pod-rules'
import { nodesOf, podsOf } from '../framework/event-objects.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { unresolvable } from '../framework/status.ts'
import { textOf } from '../framework/text-of.ts'

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Cordoned nodes take no pods, but for those that tolerate the taint that stands for it. */
export function nodeUnschedulable(options: TolerationOptions = {}): Plugin {
  /** The node is there or open, and was not before. */
  const opens = (_pod: PodInfo, objects: EventObjects): boolean => {
    const { old, now } = nodesOf(objects)
    return now !== undefined && !now.spec.unschedulable && (!old || old.spec.unschedulable === true)
  }
  return {
    name: 'NodeUnschedulable',
    dependsOn: 'node',
    sign: ({ pod }) => (pod.spec.tolerations ? textOf(pod.spec.tolerations) : ''),
    events: () => [
      { event: 'NodeAdded', helps: opens },
      { event: 'NodeTaintsChanged', helps: opens },
      { event: 'UnscheduledPodUpdated', helps: (_pod, objects) => toleratesTaint(podsOf(objects).now?.spec.tolerations ?? [], taint, options) },
    ],
    filter(_state, { pod }, { node }) {
      if (!node.spec.unschedulable || toleratesTaint(pod.spec.tolerations ?? [], taint, options)) return undefined
      return unresolvable('node(s) were unschedulable')
    },
  }
}
