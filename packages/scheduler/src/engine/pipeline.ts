import type { FastForm } from '../framework/fast-form.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { Profile } from '../framework/profile.ts'

/** A plugin that filters; `order` is its place among them. */
export interface FilterStep {
  readonly order: number
  readonly plugin: Plugin
}

export interface ScoreStep {
  readonly plugin: Plugin
  readonly weight: number
}

type Kind = FastForm['kind']

/** A profile's plugins by how the engine evaluates them. */
export interface Pipeline {
  /** Plugins that are kept in columns as far as they sign the pod, resources among them. */
  readonly filters: readonly FilterStep[]
  readonly scores: readonly ScoreStep[]
  /** Those whose verdict depends on whole domains. */
  readonly spread: { readonly filter?: FilterStep; readonly score?: ScoreStep } | undefined
  readonly affinity: { readonly filter?: FilterStep; readonly score?: ScoreStep } | undefined
  /** The profile without the domain plugins: what is run before anything else. */
  readonly early: Profile
}

/** Verdict orders are kept in bytes. */
const maxFilters = 250

/** The form that stands for the plugin, if it is of this kind. */
export function formOf<K extends Kind>(plugin: Plugin, kind: K): Extract<FastForm, { kind: K }> | undefined {
  return plugin.fast?.kind === kind ? plugin.fast as Extract<FastForm, { kind: K }> : undefined
}

function isDomain(plugin: Plugin): boolean {
  return plugin.fast?.kind === 'topology-spread' || plugin.fast?.kind === 'pod-affinity'
}

/** Sorts a profile's plugins. Throws RangeError for more filters than verdicts have room for. */
export function pipelineOf(profile: Profile): Pipeline {
  const filters = profile.plugins.filter(({ filter }) => filter).map((plugin, order): FilterStep => ({ order, plugin }))
  if (filters.length > maxFilters) throw new RangeError(`a profile has at most ${maxFilters} filter plugins`)
  const scores = profile.plugins.filter(({ score }) => score).map((plugin): ScoreStep => ({ plugin, weight: profile.weights.get(plugin.name) ?? 0 })).filter(({ weight }) => weight !== 0)
  const domain = (kind: Kind): Pipeline['spread'] => {
    const filter = filters.find(({ plugin }) => plugin.fast?.kind === kind)
    const score = scores.find(({ plugin }) => plugin.fast?.kind === kind)
    return filter || score ? { ...(filter ? { filter } : {}), ...(score ? { score } : {}) } : undefined
  }
  return {
    filters: filters.filter(({ plugin }) => !isDomain(plugin)),
    scores: scores.filter(({ plugin }) => !isDomain(plugin)),
    spread: domain('topology-spread'),
    affinity: domain('pod-affinity'),
    early: { ...profile, plugins: profile.plugins.filter((plugin) => !isDomain(plugin)) },
  }
}
