import { selectorOf, type Selector } from '@berth/api'
import type { Pod, PodAffinityTerm } from '@berth/api/types/core/v1'

/** A pod (anti-)affinity term, parsed once. */
export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>
  readonly selector: Selector
  readonly topologyKey: string
  /** Undefined: the term has no namespaceSelector. */
  readonly namespaceSelector: Selector | undefined
}

export interface WeightedAffinityTerm {
  readonly term: AffinityTerm
  readonly weight: number
}

/** A pod's terms of every kind (core/v1 Affinity). */
export interface AffinityTerms {
  readonly required: readonly AffinityTerm[]
  readonly requiredAnti: readonly AffinityTerm[]
  readonly preferred: readonly WeightedAffinityTerm[]
  readonly preferredAnti: readonly WeightedAffinityTerm[]
}

const none: AffinityTerms = { required: [], requiredAnti: [], preferred: [], preferredAnti: [] }

function parse(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const own = (term.namespaces?.length ?? 0) === 0 && term.namespaceSelector === undefined
  return {
    namespaces: new Set(own ? [pod.metadata.namespace ?? 'default'] : term.namespaces ?? []),
    selector: selectorOf(term.labelSelector),
    topologyKey: term.topologyKey,
    namespaceSelector: term.namespaceSelector === undefined ? undefined : selectorOf(term.namespaceSelector),
  }
}

/** Parses a pod's affinity. matchLabelKeys and mismatchLabelKeys are in the selector already: the API server puts them there. */
export function affinityTermsOf(pod: Pod): AffinityTerms {
  const affinity = pod.spec.affinity?.podAffinity
  const anti = pod.spec.affinity?.podAntiAffinity
  if (!affinity && !anti) return none
  return {
    required: (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => parse(pod, t)),
    requiredAnti: (anti?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => parse(pod, t)),
    preferred: (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => ({ term: parse(pod, t.podAffinityTerm), weight: t.weight })),
    preferredAnti: (anti?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => ({ term: parse(pod, t.podAffinityTerm), weight: t.weight })),
  }
}

/** Whether a term is about this pod. `namespaceLabels` are those of the pod's namespace. */
export function termMatches(term: AffinityTerm, pod: Pod, namespaceLabels: Readonly<Record<string, string>>): boolean {
  const namespace = pod.metadata.namespace ?? 'default'
  const inNamespace = term.namespaces.has(namespace) || (term.namespaceSelector?.matches(namespaceLabels) ?? false)
  return inNamespace && term.selector.matches(pod.metadata.labels)
}
