import { Selector } from '@berth/api'
import { termMatches, type AffinityTerm } from '../framework/affinity-term.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { CountVector } from './count-vector.ts'
import { LabelIndex, neededLabel } from './label-index.ts'
import { Lru } from './lru.ts'

/** Pods that no selector tells apart: the same namespace and labels, and all or none of them being deleted. */
export interface PodGroup {
  readonly one: PodInfo
  readonly counts: CountVector
  /** The matchers that are about them. */
  readonly matchers: PodMatcher[]
}

/** How many pods some selector is about, by slot. Kept up to date with every pod that comes and goes. */
export interface PodMatcher {
  readonly counts: CountVector
  readonly selector: Selector
  readonly groups: Set<PodGroup>
  readonly readsNamespaces: boolean
  /** It counts no longer: whoever goes on needs a new one. */
  isForgotten: boolean
  matches(one: PodInfo): boolean
}

const matchersKept = 2048

type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>>

/** The placed pods by what selectors see of them. */
export class PodIndex {
  readonly #namespaceLabels: NamespaceLabels
  readonly #groups = new Map<string, PodGroup>()
  /** Label key → value → groups; only for keys that some matcher asked about. */
  readonly #byLabel = new Map<string, Map<string, Set<PodGroup>>>()
  readonly #matchers = new Lru<PodMatcher>(matchersKept, (matcher) => this.#forget(matcher))
  readonly #index = new LabelIndex<PodMatcher>()

  constructor(namespaceLabels: NamespaceLabels) {
    this.#namespaceLabels = namespaceLabels
  }

  add(pod: PodInfo, slot: number, amount: 1 | -1): void {
    const group = this.#groups.get(pod.texts.group) ?? this.#newGroup(pod)
    group.counts.add(slot, amount)
    for (const matcher of group.matchers) matcher.counts.add(slot, amount)
    if (group.counts.total === 0) this.#dropGroup(pod.texts.group, group)
  }

  /** The pods that fulfil all of the terms. */
  ofTerms(terms: readonly AffinityTerm[]): PodMatcher {
    let key = 'terms'
    for (const term of terms) key += `\n${term.about}`
    const known = this.#matchers.get(key)
    if (known) return known
    const labelsOf = this.#namespaceLabels
    const all = new Selector(terms.flatMap(({ selector }) => selector.requirements), terms.some(({ selector }) => selector.nothing))
    return this.#newMatcher(key, all, terms.some(({ namespaceSelector }) => namespaceSelector !== undefined),
      (one) => terms.every((term) => termMatches(term, one.pod, labelsOf(one.namespace))))
  }

  /** The pods of a namespace that a selector (`text`) is about and that are not being deleted. */
  ofNamespace(namespace: string, selector: Selector, text: string): PodMatcher {
    const key = `in ${namespace} ${text}`
    return this.#matchers.get(key) ?? this.#newMatcher(key, selector, false,
      (one) => one.namespace === namespace && !one.pod.metadata.deletionTimestamp && selector.matches(one.pod.metadata.labels))
  }

  /** What selectors of namespaces said is void. */
  namespaceChanged(): void {
    const stale: string[] = []
    this.#matchers.forEach((matcher, key) => { if (matcher.readsNamespaces) stale.push(key) })
    for (const key of stale) this.#matchers.delete(key)
  }

  #newMatcher(key: string, selector: Selector, readsNamespaces: boolean, matches: (one: PodInfo) => boolean): PodMatcher {
    const matcher: PodMatcher = { counts: new CountVector(), selector, groups: new Set(), readsNamespaces, isForgotten: false, matches }
    for (const group of this.#candidates(selector)) if (matches(group.one)) this.#join(group, matcher)
    this.#index.add(matcher, selector)
    this.#matchers.set(key, matcher)
    return matcher
  }

  #join(group: PodGroup, matcher: PodMatcher): void {
    group.matchers.push(matcher)
    matcher.groups.add(group)
    group.counts.forEach((slot, count) => matcher.counts.add(slot, count))
  }

  #forget(matcher: PodMatcher): void {
    matcher.isForgotten = true
    this.#index.delete(matcher, matcher.selector)
    for (const { matchers } of matcher.groups) {
      const at = matchers.indexOf(matcher)
      if (at >= 0) matchers.splice(at, 1)
    }
  }

  #candidates(selector: Selector): Iterable<PodGroup> {
    if (selector.nothing) return []
    const label = neededLabel(selector)
    if (label === undefined) return this.#groups.values()
    const [key = '', value = ''] = label.split('\0')
    let values = this.#byLabel.get(key)
    if (!values) {
      values = new Map()
      this.#byLabel.set(key, values)
      for (const group of this.#groups.values()) this.#enter(values, group, group.one.pod.metadata.labels?.[key])
    }
    return values.get(value) ?? []
  }

  #enter(values: Map<string, Set<PodGroup>>, group: PodGroup, value: string | undefined): void {
    if (value === undefined) return
    const groups = values.get(value)
    if (groups) groups.add(group)
    else values.set(value, new Set([group]))
  }

  #newGroup(pod: PodInfo): PodGroup {
    const group: PodGroup = { one: pod, counts: new CountVector(), matchers: [] }
    this.#groups.set(pod.texts.group, group)
    const { labels } = pod.pod.metadata
    for (const [key, values] of this.#byLabel) this.#enter(values, group, labels?.[key])
    this.#index.candidates(labels, (matcher) => { if (matcher.matches(pod)) this.#join(group, matcher) })
    return group
  }

  #dropGroup(text: string, group: PodGroup): void {
    this.#groups.delete(text)
    for (const matcher of group.matchers) matcher.groups.delete(group)
    const { labels } = group.one.pod.metadata
    for (const [key, values] of this.#byLabel) {
      const value = labels?.[key]
      const groups = value === undefined ? undefined : values.get(value)
      groups?.delete(group)
      if (value !== undefined && groups?.size === 0) values.delete(value)
    }
  }
}
