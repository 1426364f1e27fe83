import { selectorOf, type Selector } from '@berth/api'
import type { Pod, PodAffinityTerm } from '@berth/api/types/core/v1'
import { textOf } from './text-of.ts'

/** A pod (anti-)affinity term, parsed once. */
export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>
  readonly selector: Selector
  readonly topologyKey: string
  /** Undefined: the term has no namespaceSelector. */
  readonly namespaceSelector: Selector | undefined
  /** Which pods it is about, as text: for equal texts the same ones. */
  readonly about: string
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
  const namespaces = own ? [pod.metadata.namespace ?? 'default'] : term.namespaces ?? []
  const selector = selectorOf(term.labelSelector)
  const namespaceSelector = term.namespaceSelector === undefined ? undefined : selectorOf(term.namespaceSelector)
  const about = `${namespaces.toSorted().join(',')} ${namespaceSelector ? selectorText(namespaceSelector) : ''} ${selectorText(selector)}`
  return { namespaces: new Set(namespaces), selector, topologyKey: term.topologyKey, namespaceSelector, about }
}

/** A selector as text; for equal texts the same selector. */
export function selectorText(selector: Selector): string {
  return selector.nothing ? '!' : JSON.stringify(selector.requirements)
}

/** Pods of one template have the same affinity: what was parsed last is kept. */
const parsed = new Map<string, AffinityTerms>()
const parsedKept = 1024

/** Parses a pod's affinity. matchLabelKeys and mismatchLabelKeys are in the selector already: the API server puts them there. */
export function affinityTermsOf(pod: Pod): AffinityTerms {
  const affinity = pod.spec.affinity?.podAffinity
  const anti = pod.spec.affinity?.podAntiAffinity
  if (!affinity && !anti) return none
  const key = `${pod.metadata.namespace ?? 'default'} ${affinity ? textOf(affinity) : ''} ${anti ? textOf(anti) : ''}`
  const known = parsed.get(key)
  if (known) return known
  const terms: AffinityTerms = {
    required: (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => parse(pod, t)),
    requiredAnti: (anti?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => parse(pod, t)),
    preferred: (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => ({ term: parse(pod, t.podAffinityTerm), weight: t.weight })),
    preferredAnti: (anti?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => ({ term: parse(pod, t.podAffinityTerm), weight: t.weight })),
  }
  if (parsed.size >= parsedKept) parsed.clear()
  parsed.set(key, terms)
  return terms
}

/** Whether a term is about this pod. `namespaceLabels` are those of the pod's namespace. */
export function termMatches(term: AffinityTerm, pod: Pod, namespaceLabels: Readonly<Record<string, string>>): boolean {
  const namespace = pod.metadata.namespace ?? 'default'
  const inNamespace = term.namespaces.has(namespace) || (term.namespaceSelector?.matches(namespaceLabels) ?? false)
  return inNamespace && term.selector.matches(pod.metadata.labels)
}
