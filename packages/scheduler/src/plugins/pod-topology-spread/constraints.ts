import { newRequirement, Selector, selectorFromSet, selectorOf } from '@berth/api'
import type { Pod, TopologySpreadConstraint } from '@berth/api/types/core/v1'
import { findUntoleratedTaint, requiredNodeAffinityMatches } from '@berth/pod-rules'
import type { NodeInfo } from '../../framework/node-info.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import type { Snapshot } from '../../framework/snapshot.ts'

/** A spread constraint, parsed once a cycle, with the defaults of core/v1 TopologySpreadConstraint. */
export interface Constraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly selector: Selector
  readonly minDomains: number
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

export const hostnameLabel = 'kubernetes.io/hostname'

/** What the scheduler spreads by for pods without constraints of their own (kubescheduler.config.k8s.io/v1, defaultingType System). */
export const systemDefaults: readonly TopologySpreadConstraint[] = [
  { topologyKey: hostnameLabel, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

function parse(constraint: TopologySpreadConstraint, pod: Pod, selector: Selector): Constraint {
  const labels = pod.metadata.labels ?? {}
  const more = (constraint.matchLabelKeys ?? []).flatMap((key) => (labels[key] === undefined ? [] : [newRequirement(key, 'in', [labels[key]])]))
  return {
    maxSkew: constraint.maxSkew,
    topologyKey: constraint.topologyKey,
    selector: more.length === 0 || selector.nothing ? selector : new Selector([...selector.requirements, ...more]),
    minDomains: constraint.minDomains ?? 1,
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: (constraint.nodeTaintsPolicy ?? 'Ignore') === 'Honor',
  }
}

/** A pod's own constraints of one kind. */
export function ownConstraints(pod: Pod, when: 'DoNotSchedule' | 'ScheduleAnyway'): Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === when).map((c) => parse(c, pod, selectorOf(c.labelSelector)))
}

/** What says which pods belong together with this one: the Services that select it, and its owner (upstream: helper.DefaultSelector). */
function defaultSelector(pod: Pod, namespace: string, snapshot: Snapshot): Selector {
  const merged: Record<string, string> = {}
  for (const service of snapshot.servicesIn(namespace)) {
    const wanted = Object.entries(service.spec.selector ?? {})
    if (wanted.length > 0 && wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)) Object.assign(merged, service.spec.selector)
  }
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller)
  const owned = owner ? snapshot.ownerSelector(namespace, owner.kind, owner.name) : undefined
  return new Selector([...selectorFromSet(merged).requirements, ...(owned ? selectorOf(owned).requirements : [])])
}

/** The default constraints of one kind for a pod that has none of its own; none where nothing says which pods belong to it. */
export function defaultConstraints(defaults: readonly TopologySpreadConstraint[], pod: PodInfo, snapshot: Snapshot, when: 'DoNotSchedule' | 'ScheduleAnyway'): Constraint[] {
  const wanted = defaults.filter((c) => c.whenUnsatisfiable === when)
  if (wanted.length === 0) return []
  const selector = defaultSelector(pod.pod, pod.namespace, snapshot)
  return selector.isEmpty() ? [] : wanted.map((c) => parse(c, pod.pod, selector))
}

/** Whether a node has a label for every constraint. */
export function hasAllKeys(node: NodeInfo, constraints: readonly Constraint[]): boolean {
  return constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined)
}

/** Whether a node's pods count for a constraint, by its inclusion policies (KEP-3094). */
export function isIncluded(constraint: Pick<Constraint, 'honorsAffinity' | 'honorsTaints'>, pod: Pod, node: NodeInfo): boolean {
  if (constraint.honorsAffinity && !requiredNodeAffinityMatches(pod, node.node)) return false
  return !constraint.honorsTaints || findUntoleratedTaint(node.node.spec.taints ?? [], pod.spec.tolerations ?? [], ['NoSchedule', 'NoExecute']) === undefined
}

/** Whether a selector counts a pod: same namespace, not being deleted. A selector that restricts nothing counts none. */
export function isCounted(other: PodInfo, selector: Selector, namespace: string): boolean {
  if (selector.isEmpty() || selector.nothing) return false
  return other.namespace === namespace && !other.pod.metadata.deletionTimestamp && selector.matches(other.pod.metadata.labels)
}

/** How many of a node's pods a selector counts. */
export function countMatching(node: NodeInfo, selector: Selector, namespace: string): number {
  let count = 0
  for (const other of node.pods.values()) if (isCounted(other, selector, namespace)) count++
  return count
}
