import type { Toleration } from '@berth/api/types/core/v1'
import { findUntoleratedTaint, toleratesTaint } from '@berth/pod-rules'
import { defaultNormalize } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'

const key = 'TaintToleration'

/** Keeps pods off tainted nodes, and prefers nodes with fewer PreferNoSchedule taints that the pod does not tolerate. */
export function taintToleration(): Plugin {
  return {
    name: 'TaintToleration',
    dependsOn: 'node',
    sign: ({ pod }) => JSON.stringify(pod.spec.tolerations ?? []),
    events: () => [{ event: 'NodeAdded' }, { event: 'NodeTaintsChanged' }, { event: 'UnscheduledPodUpdated' }],
    filter(_state, { pod }, { node }) {
      const taint = findUntoleratedTaint(node.spec.taints ?? [], pod.spec.tolerations ?? [], ['NoSchedule', 'NoExecute'])
      return taint && unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`)
    },
    preScore(state, { pod }) {
      state.write(key, (pod.spec.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule'))
      return undefined
    },
    score(state, _pod, { node }) {
      const tolerations = state.read<Toleration[]>(key) ?? []
      return (node.spec.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !toleratesTaint(tolerations, taint)).length
    },
    normalize(_state, _pod, scores) {
      defaultNormalize(scores, true)
    },
  }
}
