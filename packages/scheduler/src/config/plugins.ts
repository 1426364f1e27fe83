import { ConfigError } from '../errors.ts'
import type { Plugin } from '../framework/plugin.ts'
import { extensionPoints, type ExtensionPoint, type PluginRef, type PluginSet, type PluginsConfig } from './types.ts'

/** A plugin's methods at each extension point; having one of them is serving the point. */
export const pointMethods: Readonly<Record<ExtensionPoint, ReadonlyArray<keyof Plugin>>> = {
  preEnqueue: ['preEnqueue'], queueSort: ['less'], preFilter: ['preFilter', 'addPod', 'removePod'], filter: ['filter'], postFilter: ['postFilter'], preScore: ['preScore'], score: ['score', 'normalize'],
  reserve: ['reserve', 'unreserve'], permit: ['permit'], preBind: ['preBind'], bind: ['bind'], postBind: ['postBind'], placementGenerate: [], placementScore: [],
}

/** Upstream's names of the points' interfaces, as its messages have them. */
function interfaceOf(point: ExtensionPoint): string {
  return `${point[0]?.toUpperCase()}${point.slice(1)}Plugin`
}

/** What a file says of a point, merged into the defaults (upstream: mergePluginSet): what it re-configures stays in its place, the rest follows. */
function merge(defaults: PluginSet, custom: PluginSet = {}): { enabled: PluginRef[]; disabled: Set<string> } {
  const disabled = new Set((custom.disabled ?? []).map(({ name }) => name))
  const own = new Map((custom.enabled ?? []).map((ref) => [ref.name, ref]))
  const replaced = new Set<PluginRef>()
  const enabled: PluginRef[] = []
  if (!disabled.has('*')) {
    for (const ref of defaults.enabled ?? []) {
      if (disabled.has(ref.name)) continue
      const instead = own.get(ref.name)
      if (instead) replaced.add(instead)
      enabled.push(instead ?? ref)
    }
  }
  enabled.push(...(custom.enabled ?? []).filter((ref) => !replaced.has(ref)))
  return { enabled, disabled }
}

/** Which plugins serve a profile at each extension point, in order, and the weights of those that score. */
export interface ResolvedPlugins {
  readonly points: Readonly<Record<ExtensionPoint, readonly string[]>>
  readonly weights: ReadonlyMap<string, number>
}

/** The names of all plugins that some point of the configuration could enable: they have to be made. */
export function pluginsNeeded(custom: PluginsConfig, defaults: readonly PluginRef[]): Set<string> {
  const names = new Set(merge({ enabled: defaults }, custom.multiPoint).enabled.map(({ name }) => name))
  for (const point of extensionPoints) for (const { name } of custom[point]?.enabled ?? []) names.add(name)
  return names
}

/**
 * Works out a profile's plugins by upstream's rules (framework.NewFramework): multiPoint enables a plugin wherever it serves; a point's own
 * list goes before it, in its order, and its `disabled` and '*' take multiPoint's back. Throws ConfigError, with the path of what is wrong.
 */
export function resolvePlugins(custom: PluginsConfig, defaults: readonly PluginRef[], made: ReadonlyMap<string, Plugin>, path: string): ResolvedPlugins {
  const everywhere = merge({ enabled: defaults }, custom.multiPoint).enabled
  const points = Object.fromEntries(extensionPoints.map((point) => [point, resolvePoint(point, merge({}, custom[point]), everywhere, made, path)])) as Record<ExtensionPoint, string[]>
  const weights = new Map<string, number>()
  for (const { name, weight } of [...custom.score?.enabled ?? [], ...everywhere]) {
    if (made.get(name)?.score && !weights.has(name)) weights.set(name, weight === undefined || weight === 0 ? 1 : weight)
  }
  if (points.queueSort.length !== 1) throw new ConfigError(`${path}.queueSort: only one queue sort plugin required, but got ${points.queueSort.length}`)
  if (points.bind.length === 0) throw new ConfigError(`${path}.bind: at least one bind plugin is needed`)
  return { points, weights }
}

function resolvePoint(point: ExtensionPoint, own: ReturnType<typeof merge>, everywhere: readonly PluginRef[], made: ReadonlyMap<string, Plugin>, path: string): string[] {
  const serves = (name: string): boolean => pointMethods[point].some((method) => made.get(name)?.[method] !== undefined)
  const enabled = own.enabled.map(({ name }, i) => {
    if (!serves(name)) throw new ConfigError(`${path}.${point}.enabled[${i}]: plugin ${JSON.stringify(name)} does not extend ${interfaceOf(point)} plugin`)
    return name
  })
  const twice = enabled.find((name, i) => enabled.indexOf(name) !== i)
  if (twice !== undefined) throw new ConfigError(`${path}.${point}.enabled: plugin ${JSON.stringify(twice)} already registered as ${JSON.stringify(interfaceOf(point))}`)
  if (own.disabled.has('*')) return enabled
  const byMultiPoint = everywhere.map(({ name }) => name).filter((name) => serves(name) && !own.disabled.has(name))
  const repeated = byMultiPoint.find((name, i) => byMultiPoint.indexOf(name) !== i)
  if (repeated !== undefined) throw new ConfigError(`${path}.multiPoint.enabled: plugin ${JSON.stringify(repeated)} already registered as ${JSON.stringify(interfaceOf(point))}`)
  return [
    ...enabled.filter((name) => byMultiPoint.includes(name)),
    ...byMultiPoint.filter((name) => !enabled.includes(name)),
    ...enabled.filter((name) => !byMultiPoint.includes(name)),
  ]
}
