import { Filters, runPreFilters } from '../cycle/filters.ts'
import { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { unresolvable, type Status } from '../framework/status.ts'
import type { FilterVerdict } from './answers.ts'

/** All filters of a pod's profile, asked about any node; unlike a cycle it does not stop at the first that says no. */
export interface Inquiry {
  /** What preFilter said of the pod as a whole. */
  readonly preFilter?: Status
  /** Every filter's word; those that have nothing to say about this pod are left out. */
  verdicts(node: NodeInfo): FilterVerdict[]
  /** The reasons of the filters that say no, and whether pods' leaving could change that. */
  refusals(node: NodeInfo): { reasons: string[]; resolvable: boolean }
  /** As in a cycle: whether the pod fits, nominated pods considered. */
  fits(node: NodeInfo): boolean
  add(other: PodInfo, node: NodeInfo): void
  remove(other: PodInfo, node: NodeInfo): void
}

export function inquire(pod: PodInfo, profile: Profile, snapshot: Snapshot): Inquiry {
  const state = new CycleState()
  const { status, nodes: allowed, choosers } = runPreFilters(state, pod, profile, snapshot)
  const filters = new Filters(state, pod, profile, snapshot)
  const plugins = profile.plugins.filter((plugin) => plugin.filter && !state.skippedFilters.has(plugin.name))
  const notChosen = (node: NodeInfo): Status | undefined => (allowed && !allowed.has(node.name) ? unresolvable(`node(s) didn't satisfy plugin(s) [${[...choosers].sort().join(' ')}]`) : undefined)
  const statuses = (node: NodeInfo): { plugin: string; status?: Status }[] => {
    const list: { plugin: string; status?: Status }[] = []
    const chosen = notChosen(node)
    if (status) list.push({ plugin: status.plugin ?? '', status })
    if (chosen) list.push({ plugin: choosers.join(','), status: chosen })
    // After a verdict on the pod itself, preFilters of other plugins did not run: their filters have nothing to go by.
    if (status) return list
    for (const plugin of plugins) {
      const verdict = plugin.filter?.(state, pod, node)
      list.push({ plugin: plugin.name, ...(verdict ? { status: verdict } : {}) })
    }
    return list
  }
  return {
    ...(status ? { preFilter: status } : {}),
    verdicts: (node) => statuses(node).map(({ plugin, status: verdict }) => ({ plugin, passes: !verdict, reasons: verdict?.reasons ?? [] })),
    refusals(node) {
      const refused = statuses(node).flatMap(({ status: verdict }) => verdict ?? [])
      return { reasons: refused.flatMap((verdict) => verdict.reasons), resolvable: refused.length > 0 && refused.every((verdict) => verdict.code === 'Unschedulable') }
    },
    fits: (node) => !status && !notChosen(node) && !filters.run(node),
    add: (other, node) => filters.add(other, node),
    remove: (other, node) => filters.remove(other, node),
  }
}
