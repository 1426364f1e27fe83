import { pluginsOf, type Misfit } from '../cycle/fit-error.ts'
import type { Status } from '../framework/status.ts'
import type { NodeColumns } from './columns.ts'
import { passes, type Statuses } from './statuses.ts'

/** Why a pod fits on none of the nodes, from their verdicts' numbers. */
export class ColumnMisfit implements Misfit {
  readonly allNodes: number
  readonly reasons = new Map<string, number>()
  readonly plugins = new Set<string>()
  readonly pending = new Set<string>()
  readonly postFilter?: string
  readonly #columns: NodeColumns
  readonly #verdicts: Int32Array
  readonly #statuses: readonly (Status | undefined)[]
  #byNode: Map<string, Status> | undefined

  constructor(columns: NodeColumns, verdicts: Int32Array, statuses: Statuses, postFilter: string | undefined) {
    this.allNodes = columns.nodes
    if (postFilter !== undefined) this.postFilter = postFilter
    this.#columns = columns
    this.#verdicts = verdicts.slice(0, columns.used)
    const counts: number[] = []
    for (const verdict of this.#verdicts) if (verdict > passes) counts[verdict] = (counts[verdict] ?? 0) + 1
    const known: (Status | undefined)[] = []
    counts.forEach((count, verdict) => {
      const status = statuses.get(verdict)
      if (!status) return
      known[verdict] = status
      for (const reason of status.reasons) this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + count)
      for (const name of pluginsOf(status)) {
        this.plugins.add(name)
        if (status.code === 'Pending') this.pending.add(name)
      }
    })
    this.#statuses = known
  }

  get verdicts(): ReadonlyMap<string, Status> {
    if (!this.#byNode) {
      this.#byNode = new Map()
      for (const [slot, verdict] of this.#verdicts.entries()) {
        const status = this.#statuses[verdict]
        const node = this.#columns.infos[slot]
        if (status && node) this.#byNode.set(node.name, status)
      }
    }
    return this.#byNode
  }
}
