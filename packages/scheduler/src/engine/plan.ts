import type { Plugin } from '../framework/plugin.ts'
import { priorityOf, type PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
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
  /** Asked about each node, each time. */
  readonly directFilters: readonly FilterStep[]
  readonly directScores: readonly ScoreStep[]
}

const none: readonly never[] = []

/** Whether the plugin is evaluated over the columns of resources for this pod. */
function isResources({ fast }: Plugin, { requests }: PodInfo): boolean {
  return (fast?.kind === 'resource-fit' || fast?.kind === 'balanced-allocation') && requests.scalar.size <= maxExtendedResources
}

/** What a plugin in columns reads of a pod; resources are in the key of the signature anyway. */
function signOf(plugin: Plugin, pod: PodInfo, snapshot: Snapshot): string | undefined {
  return isResources(plugin, pod) ? '' : plugin.sign?.(pod, snapshot)
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
  plan({ pod, state, cache }: Cycle): Plan {
    const { filters, scores } = this.#pipeline
    const { skippedFilters } = state
    let directFilters: FilterStep[] | undefined
    let directScores: ScoreStep[] | undefined
    let key = resourceText(pod)
    for (let i = 0; i < filters.length; i++) {
      const step = filters[i]!
      if (skippedFilters.has(step.plugin.name)) {
        key += '\n-'
        continue
      }
      const sign = signOf(step.plugin, pod, cache)
      if (sign === undefined) (directFilters ??= []).push(step)
      key += sign === undefined ? '\n?' : `\n+${sign}`
    }
    for (let i = 0; i < scores.length; i++) {
      const step = scores[i]!
      const sign = signOf(step.plugin, pod, cache)
      if (sign === undefined) (directScores ??= []).push(step)
      key += sign === undefined ? '\n?' : `\n+${sign}`
    }
    // Where others have their room, the verdict depends on whether they go before this pod.
    if (cache.hasNominations) key += `\n${priorityOf(pod)}`
    return { key, directFilters: directFilters ?? none, directScores: directScores ?? none }
  }

  /** The columns that a pod's plugins are kept in. */
  parts(cycle: Cycle): SignatureParts {
    const { columns } = this.#index
    const { pod, state, cache } = cycle
    const filters = this.#pipeline.filters.filter(({ plugin }) => !state.skippedFilters.has(plugin.name) && signOf(plugin, pod, cache) !== undefined)
    const scores = this.#pipeline.scores.filter(({ plugin }) => signOf(plugin, pod, cache) !== undefined && cycle.scores(plugin))
    const fit = filters.find(({ plugin }) => isResources(plugin, pod))
    const fitScore = scores.find(({ plugin }) => plugin.fast?.kind === 'resource-fit' && isResources(plugin, pod))
    const balanced = scores.find(({ plugin }) => plugin.fast?.kind === 'balanced-allocation' && isResources(plugin, pod))
    const fitPlugin = fit?.plugin ?? fitScore?.plugin
    const parts = scores.filter(({ plugin }) => !isResources(plugin, pod)).map(({ plugin, weight }): ScorePart => ({ plugin, weight, column: this.#scoreColumn(plugin, cycle) }))
    return {
      filters: filters.filter(({ plugin }) => !isResources(plugin, pod)).map(({ plugin, order }): FilterPart => ({ plugin, order, column: this.#filterColumn(plugin, cycle) })),
      scores: parts.filter(({ plugin }) => !plugin.normalize),
      normalized: parts.filter(({ plugin }) => plugin.normalize),
      resources: new ResourceAsk(columns, pod, cycle.statuses, { fit: fitPlugin && formOf(fitPlugin, 'resource-fit'), fitName: fitPlugin?.name ?? '', balanced: balanced && formOf(balanced.plugin, 'balanced-allocation') }),
      fit, fitScore, balanced,
    }
  }

  #filterColumn(plugin: Plugin, { pod, cache }: Cycle): FilterColumn {
    const key = `${plugin.name} ${signOf(plugin, pod, cache)}`
    let column = this.#filters.get(key)
    if (!column) this.#filters.set(key, column = new FilterColumn(this.#index.columns, plugin.dependsOn ?? 'node-and-pods'))
    return column
  }

  #scoreColumn(plugin: Plugin, { pod, cache }: Cycle): ScoreColumn {
    const key = `${plugin.name} ${signOf(plugin, pod, cache)}`
    let column = this.#scores.get(key)
    if (!column) this.#scores.set(key, column = new ScoreColumn(this.#index.columns, plugin.dependsOn ?? 'node-and-pods'))
    return column
  }
}
