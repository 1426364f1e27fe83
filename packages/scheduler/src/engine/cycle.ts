import type { Cache } from '../cache/cache.ts'
import { Filters } from '../cycle/filters.ts'
import type { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import { priorityOf, type PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Statuses } from './statuses.ts'

/** One decision under way: the pod, what its plugins computed so far, and the plain way to ask them. */
export class Cycle {
  readonly pod: PodInfo
  readonly state: CycleState
  readonly cache: Cache
  readonly statuses: Statuses
  readonly #profile: Profile
  #preScored: Map<Plugin, boolean> | undefined
  #all: Filters | undefined

  constructor(pod: PodInfo, state: CycleState, cache: Cache, profile: Profile, statuses: Statuses) {
    this.pod = pod
    this.state = state
    this.cache = cache
    this.#profile = profile
    this.statuses = statuses
  }

  /** The number of a filter's verdict on a node. */
  verdict(plugin: Plugin, node: NodeInfo): number {
    return this.statuses.idOf(plugin.filter?.(this.state, this.pod, node), plugin.name)
  }

  /** A node's score, before it is normalized; the plugin's preScore has run. */
  score(plugin: Plugin, node: NodeInfo): number {
    this.scores(plugin)
    return plugin.score?.(this.state, this.pod, node) ?? 0
  }

  /** Whether a plugin that signs has anything to say of the pod in scores. */
  scores(plugin: Plugin): boolean {
    if (!plugin.preScore) return true
    this.#preScored ??= new Map<Plugin, boolean>()
    let says = this.#preScored.get(plugin)
    if (says === undefined) {
      says = plugin.preScore(this.state, this.pod, this.cache.nodes, this.cache)?.code !== 'Skip'
      this.#preScored.set(plugin, says)
    }
    return says
  }

  /** Whether pods are nominated to the node that this one has to leave their room to. */
  isReserved(node: string): boolean {
    const nominated = this.cache.nominatedOn(node)
    if (!nominated) return false
    for (const other of nominated.values()) if (other.key !== this.pod.key && priorityOf(other) >= priorityOf(this.pod)) return true
    return false
  }

  /** Whether it is known that the domain plugins would skip the pod. */
  skipsSpread = false
  skipsAffinity = false

  /** All filters as the plain path runs them: for nodes that others are nominated to, and for copies of nodes. */
  get filters(): Filters {
    if (!this.#all) {
      const { state, pod, cache } = this
      for (const plugin of this.#profile.plugins) {
        if (plugin.fast?.kind !== 'topology-spread' && plugin.fast?.kind !== 'pod-affinity') continue
        if (plugin.fast.kind === 'topology-spread' ? this.skipsSpread : this.skipsAffinity) state.skippedFilters.add(plugin.name)
        else if (plugin.preFilter?.(state, pod, cache)?.status?.code === 'Skip') state.skippedFilters.add(plugin.name)
      }
      this.#all = new Filters(state, pod, this.#profile, cache)
    }
    return this.#all
  }
}
