import type { Plugin } from '../framework/plugin.ts'
import { priorityOf } from '../framework/pod-info.ts'
import type { ClusterIndex } from './cluster-index.ts'
import type { Cycle } from './cycle.ts'
import { Lru } from './lru.ts'
import { formOf, type FilterStep, type Pipeline, type ScoreStep } from './pipeline.ts'
import { FilterColumn, ScoreColumn } from './plugin-columns.ts'
import { maxExtendedResources, ResourceAsk, resourceText } from './resource-ask.ts'
import type { FilterPart, ScorePart, SignatureParts } from './signature.ts'

/** How a pod's plugins are evaluated: what is in columns, by which key, and what is asked node by node. */
export interface Plan {
  /** For equal keys, the plugins in columns say the same of every node. */
  readonly key: string
  readonly signs: ReadonlyMap<Plugin, string>
  readonly filters: readonly FilterStep[]
  readonly scores: readonly ScoreStep[]
  /** Asked about each node, each time. */
  readonly directFilters: readonly FilterStep[]
  readonly directScores: readonly ScoreStep[]
}

/** What the columns of one engine may take, in bytes. */
const columnBudget = 96 * 2 ** 20

/** The columns of a profile's plugins, by what the plugins read of a pod. */
export class ColumnStore {
  readonly #index: ClusterIndex
  readonly #pipeline: Pipeline
  readonly #filters: Lru<FilterColumn>
  readonly #scores: Lru<ScoreColumn>

  constructor(index: ClusterIndex, pipeline: Pipeline) {
    this.#index = index
    this.#pipeline = pipeline
    const kept = Math.max(32, Math.min(1024, Math.floor(columnBudget / (8 * index.columns.capacity))))
    this.#filters = new Lru(kept)
    this.#scores = new Lru(kept)
  }

  /** What a pod's plugins sign. A plugin that does not sign is asked directly. */
  plan(cycle: Cycle): Plan {
    const { pod, state, cache } = cycle
    const signs = new Map<Plugin, string>()
    const filters: FilterStep[] = []
    const scores: ScoreStep[] = []
    const directFilters: FilterStep[] = []
    const directScores: ScoreStep[] = []
    const simple = pod.requests.scalar.size <= maxExtendedResources
    let resources = false
    let key = ''
    const isSigned = (plugin: Plugin): boolean => {
      if (signs.has(plugin)) return true
      if (simple && (plugin.fast?.kind === 'resource-fit' || plugin.fast?.kind === 'balanced-allocation')) {
        resources = true
        return true
      }
      const sign = plugin.sign?.(pod, cache)
      if (sign === undefined) return false
      signs.set(plugin, sign)
      key += `${sign}\n`
      return true
    }
    for (const step of this.#pipeline.filters) {
      if (state.skippedFilters.has(step.plugin.name)) key += '-'
      else if (isSigned(step.plugin)) filters.push(step)
      else {
        directFilters.push(step)
        key += '?'
      }
    }
    for (const step of this.#pipeline.scores) {
      if (isSigned(step.plugin)) scores.push(step)
      else {
        directScores.push(step)
        key += '?'
      }
    }
    if (resources) key += resourceText(pod)
    // Where others have their room, the verdict depends on whether they go before this pod.
    if (cache.hasNominations) key += ` ${priorityOf(pod)}`
    return { key, signs, filters, scores, directFilters, directScores }
  }

  /** The columns of a plan. */
  partsOf(plan: Plan, cycle: Cycle): SignatureParts {
    const { columns } = this.#index
    const fitStep = plan.filters.find(({ plugin }) => !plan.signs.has(plugin))
    const says = plan.scores.filter(({ plugin }) => cycle.scores(plugin))
    const fitScore = says.find(({ plugin }) => plugin.fast?.kind === 'resource-fit' && !plan.signs.has(plugin))
    const balanced = says.find(({ plugin }) => plugin.fast?.kind === 'balanced-allocation' && !plan.signs.has(plugin))
    const fit = fitStep?.plugin ?? fitScore?.plugin
    const parts = says.filter(({ plugin }) => plan.signs.has(plugin)).map(({ plugin, weight }): ScorePart => ({ plugin, weight, column: this.#scoreColumn(plugin, plan) }))
    return {
      filters: plan.filters.filter(({ plugin }) => plan.signs.has(plugin)).map(({ plugin, order }): FilterPart => ({ plugin, order, column: this.#filterColumn(plugin, plan) })),
      scores: parts.filter(({ plugin }) => !plugin.normalize),
      normalized: parts.filter(({ plugin }) => plugin.normalize),
      resources: new ResourceAsk(columns, cycle.pod, cycle.statuses, { fit: fit && formOf(fit, 'resource-fit'), fitName: fit?.name ?? '', balanced: balanced && formOf(balanced.plugin, 'balanced-allocation') }),
      fit: fitStep,
      fitScore,
      balanced,
    }
  }

  #filterColumn(plugin: Plugin, plan: Plan): FilterColumn {
    const key = `${plugin.name} ${plan.signs.get(plugin) ?? ''}`
    let column = this.#filters.get(key)
    if (!column) this.#filters.set(key, column = new FilterColumn(this.#index.columns, plugin.dependsOn ?? 'node-and-pods'))
    return column
  }

  #scoreColumn(plugin: Plugin, plan: Plan): ScoreColumn {
    const key = `${plugin.name} ${plan.signs.get(plugin) ?? ''}`
    let column = this.#scores.get(key)
    if (!column) this.#scores.set(key, column = new ScoreColumn(this.#index.columns, plugin.dependsOn ?? 'node-and-pods'))
    return column
  }
}
