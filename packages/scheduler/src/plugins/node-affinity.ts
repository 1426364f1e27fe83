import type { NodeAffinity, NodeSelectorTerm } from '@berth/api/types/core/v1'
import { nodeSelectorMatches, nodeSelectorTermMatches, requiredNodeAffinityMatches } from '@berth/pod-rules'
import { defaultNormalize } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import { skip, unresolvable } from '../framework/status.ts'

/** The node names that a term allows by matchFields, or undefined where it does not name any. */
function namesOf(term: NodeSelectorTerm): Set<string> | undefined {
  let names: Set<string> | undefined
  for (const field of term.matchFields ?? []) {
    if (field.key !== 'metadata.name' || field.operator !== 'In') continue
    const own = new Set(field.values ?? [])
    names = names ? names.intersection(own) : own
  }
  return names
}

/**
 * nodeSelector and node affinity, required and preferred, and an affinity that the configuration adds to every pod
 * (NodeAffinityArgs.addedAffinity).
 */
export function nodeAffinity(addedAffinity?: NodeAffinity): Plugin {
  const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const addedPreferred = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return {
    name: 'NodeAffinity',
    dependsOn: 'node',
    sign: ({ pod: { spec } }) => (spec.nodeSelector ?? spec.affinity?.nodeAffinity ? JSON.stringify([spec.nodeSelector, spec.affinity?.nodeAffinity]) : ''),
    events: () => [{ event: 'NodeAdded' }, { event: 'NodeLabelsChanged' }],
    preFilter(_state, { pod }) {
      const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      if (!required && Object.keys(pod.spec.nodeSelector ?? {}).length === 0 && !added) return { status: skip }
      if (!required || required.nodeSelectorTerms.length === 0) return undefined
      const nodes = new Set<string>()
      for (const term of required.nodeSelectorTerms) {
        const names = namesOf(term)
        // Terms are alternatives: one that names no node allows any.
        if (names === undefined) return undefined
        for (const name of names) nodes.add(name)
      }
      return nodes.size === 0 ? { status: unresolvable('pod affinity terms conflict') } : { nodes }
    },
    filter(_state, { pod }, { node }) {
      if (added && !nodeSelectorMatches(added, node)) return unresolvable("node(s) didn't match scheduler-enforced node affinity")
      return requiredNodeAffinityMatches(pod, node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector")
    },
    preScore(_state, { pod }) {
      const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
      return preferred.length + addedPreferred.length === 0 ? skip : undefined
    },
    score(_state, { pod }, { node }) {
      const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
      let sum = 0
      for (const { weight, preference } of [...addedPreferred, ...preferred]) if (nodeSelectorTermMatches(preference, node)) sum += weight
      return sum
    },
    normalize(_state, _pod, scores) {
      defaultNormalize(scores, false)
    },
  }
}
