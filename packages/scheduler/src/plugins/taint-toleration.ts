import { isDeepStrictEqual } from 'node:util'
import type { Node, Toleration } from '@berth/api/types/core/v1'
import { findUntoleratedTaint, toleratesTaint, type TolerationOptions } from '@berth/pod-rules'
import { nodesOf, podsOf } from '../framework/event-objects.ts'
import { defaultNormalize } from '../framework/normalize.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { unresolvable } from '../framework/status.ts'
import { textOf } from '../framework/text-of.ts'

const key = 'TaintToleration'
const repelling = ['NoSchedule', 'NoExecute']

/** Keeps pods off tainted nodes, and prefers nodes with fewer PreferNoSchedule taints that the pod does not tolerate. */
export function taintToleration(options: TolerationOptions = {}): Plugin {
  const repels = (node: Node, { pod }: PodInfo): boolean => findUntoleratedTaint(node.spec.taints ?? [], pod.spec.tolerations ?? [], repelling, options) !== undefined
  /** The node repels the pod no more. */
  const opens = (pod: PodInfo, objects: EventObjects): boolean => {
    const { old, now } = nodesOf(objects)
    return now !== undefined && (!old || repels(old, pod)) && !repels(now, pod)
  }
  return {
    name: 'TaintToleration',
    dependsOn: 'node',
    sign: ({ pod }) => (pod.spec.tolerations ? textOf(pod.spec.tolerations) : ''),
    events: () => [{ event: 'NodeAdded', helps: opens }, { event: 'NodeTaintsChanged', helps: opens }, { event: 'UnscheduledPodUpdated', helps: tolerationsChanged }],
    filter(_state, pod, { node }) {
      return repels(node, pod) ? unresolvable('node(s) had untolerated taint(s)') : undefined
    },
    preScore(state, { pod }) {
      state.write(key, (pod.spec.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule'))
      return undefined
    },
    score(state, _pod, { node }) {
      const tolerations = state.read<Toleration[]>(key) ?? []
      return (node.spec.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !toleratesTaint(tolerations, taint, options)).length
    },
    normalize(_state, _pod, scores) {
      defaultNormalize(scores, true)
    },
  }
}

function tolerationsChanged(_pod: PodInfo, objects: EventObjects): boolean {
  const { old, now } = podsOf(objects)
  return !isDeepStrictEqual(old?.spec.tolerations, now?.spec.tolerations)
}
