import { termMatches, type AffinityTerm, type AffinityTerms } from '../framework/affinity-term.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { CountVector } from './count-vector.ts'
import { LabelIndex } from './label-index.ts'

export type TermKind = 'requiredAnti' | 'required' | 'preferred' | 'preferredAnti'

/** A term that placed pods have, and how many of them on which slot. */
export interface HeldTerm {
  /** No other term ever had it. */
  readonly id: number
  readonly text: string
  readonly kind: TermKind
  readonly term: AffinityTerm
  /** What it adds to a score; 0 for what is required. Negative for anti-affinity. */
  readonly weight: number
  readonly holders: CountVector
}

let ids = 0

function heldTerms(terms: AffinityTerms): HeldTerm[] {
  const held = (kind: TermKind, term: AffinityTerm, weight: number): HeldTerm =>
    ({ id: ++ids, text: `${kind} ${weight} ${term.topologyKey} ${term.about}`, kind, term, weight, holders: new CountVector() })
  return [
    ...terms.requiredAnti.map((term) => held('requiredAnti', term, 0)),
    ...terms.required.map((term) => held('required', term, 0)),
    ...terms.preferred.map(({ term, weight }) => held('preferred', term, weight)),
    ...terms.preferredAnti.map(({ term, weight }) => held('preferredAnti', term, -weight)),
  ]
}

/** The affinity terms of the placed pods: equal ones are one. */
export class TermTable {
  readonly #terms = new Map<string, HeldTerm>()
  readonly #index = new LabelIndex<HeldTerm>()
  readonly #known = new WeakMap<AffinityTerms, HeldTerm[]>()

  add(pod: PodInfo, slot: number, amount: 1 | -1): void {
    let list = this.#known.get(pod.terms)
    if (!list) this.#known.set(pod.terms, list = heldTerms(pod.terms))
    for (const each of list) {
      let live = this.#terms.get(each.text)
      if (!live) {
        live = each
        this.#terms.set(each.text, each)
        this.#index.add(each, each.term.selector)
      }
      live.holders.add(slot, amount)
      if (live.holders.total !== 0) continue
      this.#terms.delete(each.text)
      this.#index.delete(live, live.term.selector)
    }
  }

  get isEmpty(): boolean {
    return this.#terms.size === 0
  }

  /** Fills `into` with the terms that are about the pod. */
  about(pod: PodInfo, namespaceLabels: Readonly<Record<string, string>>, into: HeldTerm[]): void {
    into.length = 0
    this.#index.candidates(pod.pod.metadata.labels, (held) => {
      if (termMatches(held.term, pod.pod, namespaceLabels)) into.push(held)
    })
  }
}
