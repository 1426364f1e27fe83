import { isDeepStrictEqual } from 'node:util'
import type { Node, NodeAffinity, NodeSelectorTerm } from '@berth/api/types/core/v1'
import { nodeSelectorMatches, nodeSelectorTermMatches, requiredNodeAffinityMatches } from '@berth/pod-rules'
import { nodesOf, podsOf } from '../framework/event-objects.ts'
import { defaultNormalize } from '../framework/normalize.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { skip, unresolvable } from '../framework/status.ts'
import { textOf } from '../framework/text-of.ts'

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
  const matches = (pod: PodInfo, node: Node): boolean => (!added || nodeSelectorMatches(added, node)) && requiredNodeAffinityMatches(pod.pod, node)
  /** The node matches, and did not before. */
  const comesToMatch = (pod: PodInfo, objects: EventObjects): boolean => {
    const { old, now } = nodesOf(objects)
    return now !== undefined && matches(pod, now) && (!old || !matches(pod, old))
  }
  return {
    name: 'NodeAffinity',
    dependsOn: 'node',
    sign: ({ pod: { spec } }) => `${spec.nodeSelector ? textOf(spec.nodeSelector) : ''} ${spec.affinity?.nodeAffinity ? textOf(spec.affinity.nodeAffinity) : ''}`,
    events: () => [{ event: 'NodeAdded', helps: comesToMatch }, { event: 'NodeLabelsChanged', helps: comesToMatch }, { event: 'UnscheduledPodUpdated', helps: affinityChanged }],
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

/** A gated pod's selector may be narrowed, and the pod then fits elsewhere than what was looked at. */
function affinityChanged(_pod: PodInfo, objects: EventObjects): boolean {
  const { old, now } = podsOf(objects)
  return !isDeepStrictEqual(old?.spec.nodeSelector, now?.spec.nodeSelector) || !isDeepStrictEqual(old?.spec.affinity, now?.spec.affinity)
}
