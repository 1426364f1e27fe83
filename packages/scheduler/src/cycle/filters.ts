import type { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import { priorityOf, type PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { unresolvable, type Status } from '../framework/status.ts'

/** What the pod's PreFilter plugins say: a verdict on the pod, or the nodes that are left and who chose them. */
export function runPreFilters(state: CycleState, pod: PodInfo, profile: Pick<Profile, 'plugins'>, snapshot: Snapshot): { status?: Status; nodes?: ReadonlySet<string>; choosers: string[] } {
  let nodes: ReadonlySet<string> | undefined
  const choosers: string[] = []
  for (const plugin of profile.plugins) {
    const result = plugin.preFilter?.(state, pod, snapshot)
    if (result?.status?.code === 'Skip') state.skippedFilters.add(plugin.name)
    else if (result?.status) return { status: { ...result.status, plugin: plugin.name }, choosers }
    if (!result?.nodes) continue
    choosers.push(plugin.name)
    nodes = nodes ? new Set([...nodes].filter((name) => result.nodes?.has(name))) : result.nodes
    if (nodes.size === 0) {
      const names = [...choosers].sort()
      return { status: { ...unresolvable(`node(s) didn't satisfy plugin(s) ${names.length > 1 ? `[${names.join(' ')}] simultaneously` : `[${names[0]}]`}`), plugin: names.join(',') }, choosers }
    }
  }
  return nodes ? { nodes, choosers } : { choosers }
}

/** The filters of one cycle: they answer for any node, also for copies of nodes that pods were taken off. */
export class Filters {
  readonly #state: CycleState
  readonly #pod: PodInfo
  readonly #snapshot: Snapshot
  readonly #filters: readonly Plugin[]
  readonly #counting: readonly Plugin[]

  constructor(state: CycleState, pod: PodInfo, profile: Pick<Profile, 'plugins'>, snapshot: Snapshot) {
    this.#state = state
    this.#pod = pod
    this.#snapshot = snapshot
    this.#filters = profile.plugins.filter((plugin) => plugin.filter && !state.skippedFilters.has(plugin.name))
    this.#counting = this.#filters.filter((plugin) => plugin.addPod ?? plugin.removePod)
  }

  /**
   * A node's verdict: that of the first plugin that rejects it. Pods of the same or a higher priority that are nominated
   * to the node count as if they were there; and since they may never come, the pod has to fit without them, too.
   */
  run(node: NodeInfo): Status | undefined {
    const nominated = this.#snapshot.nominatedOn(node.name)
    const priority = priorityOf(this.#pod)
    const expected = nominated ? [...nominated.values()].filter((other) => other.key !== this.#pod.key && priorityOf(other) >= priority) : []
    if (expected.length === 0) return this.#runAlone(node)
    const full = node.clone()
    for (const other of expected) this.add(other, full)
    const verdict = this.#runAlone(full)
    for (const other of expected) this.remove(other, full)
    return verdict ?? this.#runAlone(node)
  }

  /** Puts a pod on a copy of a node and lets the plugins count it. */
  add(other: PodInfo, node: NodeInfo): void {
    node.addPod(other)
    for (const plugin of this.#counting) plugin.addPod?.(this.#state, this.#pod, other, node)
  }

  /** Takes a pod off a copy of a node and off the plugins' counts. */
  remove(other: PodInfo, node: NodeInfo): void {
    if (!node.removePod(other.key)) return
    for (const plugin of this.#counting) plugin.removePod?.(this.#state, this.#pod, other, node)
  }

  #runAlone(node: NodeInfo): Status | undefined {
    for (const plugin of this.#filters) {
      const status = plugin.filter?.(this.#state, this.#pod, node)
      if (status) return { ...status, plugin: plugin.name }
    }
    return undefined
  }
}
