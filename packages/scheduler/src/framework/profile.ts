import type { ResourceInfo } from '@berth/api'
import { systemClock, type Clock } from '@berth/kube'
import { featureGates, type FeatureGates } from '../config/feature-gates.ts'
import { pluginsNeeded, pointMethods, resolvePlugins, type ResolvedPlugins } from '../config/plugins.ts'
import { extensionPoints, type ExtensionPoint, type PluginRef, type PluginsConfig } from '../config/types.ts'
import { feedResources } from '../loop/feed.ts'
import { plugins as registry, type PluginArgs, type PluginContext } from '../plugins/registry.ts'
import type { Plugin } from './plugin.ts'
import { resourceKey } from './resource-key.ts'
import { emptySnapshot, type Snapshot } from './snapshot.ts'

/** A profile: the plugins that pods with one schedulerName are scheduled by, and what each one's scores weigh. */
export interface Profile {
  readonly schedulerName: string
  /** Every plugin that serves anything, with those of its methods alone whose extension point it is enabled at. */
  readonly plugins: readonly Plugin[]
  readonly weights: ReadonlyMap<string, number>
  /** The plugins of each extension point, in order. */
  readonly points: Readonly<Record<ExtensionPoint, readonly Plugin[]>>
  /** 1 to 99: nodes are sampled as upstream does; 0 and 100: all are looked at. */
  readonly percentageOfNodesToScore: number
}

/** A profile as configured, and what its plugins are given. */
export interface ProfileOptions extends Partial<Pick<PluginContext, 'client' | 'clock' | 'gates' | 'snapshot' | 'pods' | 'bind'>> {
  readonly schedulerName: string
  /** Where it differs from the default. */
  readonly plugins?: PluginsConfig
  readonly args?: PluginArgs
  readonly percentageOfNodesToScore?: number
  /** Begins the messages of what is wrong; `plugins` where absent. */
  readonly path?: string
}

/** The plugins of the default profile, in order. */
export function defaultPlugins(gates: FeatureGates): PluginRef[] {
  return Object.entries(registry).filter(([, entry]) => entry.byDefault?.(gates) ?? true).map(([name, { weight }]) => ({ name, ...(weight === 0 ? {} : { weight }) }))
}

/** The plugin without what it is not enabled at. A plugin that loses anything loses its fast form, which stands for the whole of it. */
function restricted(plugin: Plugin, points: ResolvedPlugins['points']): Plugin {
  const lost = extensionPoints.filter((point) => !points[point].includes(plugin.name)).flatMap((point) => pointMethods[point]).filter((method) => plugin[method] !== undefined)
  if (lost.length === 0) return plugin
  const hidden = [...lost, 'fast'] as const
  return Object.create(plugin, Object.fromEntries(hidden.map((name) => [name, { value: undefined, enumerable: true }]))) as Plugin
}

/** Makes a profile of the registry's plugins. Throws ConfigError where the configuration makes no sense with what they serve. */
export function makeProfile(options: ProfileOptions): Profile {
  const gates = options.gates ?? featureGates()
  const clock: Clock = options.clock ?? systemClock
  const snapshot: () => Snapshot = options.snapshot ?? (() => emptySnapshot)
  const context: PluginContext = {
    args: options.args ?? {}, clock, gates, snapshot,
    ...(options.client ? { client: options.client } : {}), ...(options.pods ? { pods: options.pods } : {}), ...(options.bind ? { bind: options.bind } : {}),
  }
  const custom = options.plugins ?? {}
  const defaults = defaultPlugins(gates)
  const made = new Map<string, Plugin>()
  for (const name of pluginsNeeded(custom, defaults)) {
    const entry = registry[name]
    if (entry) made.set(name, entry.make(context))
  }
  const { points, weights } = resolvePlugins(custom, defaults, made, options.path ?? 'plugins')
  const serving = new Set(extensionPoints.flatMap((point) => points[point]))
  // Where a file orders filters itself, theirs is the order; nothing else depends on the order of the whole.
  const order = custom.filter?.enabled?.length ? [...new Set([...points.filter, ...made.keys()])] : [...made.keys()]
  const enabled = new Map(order.filter((name) => serving.has(name)).map((name) => [name, restricted(made.get(name)!, points)]))
  return {
    schedulerName: options.schedulerName,
    plugins: [...enabled.values()],
    weights,
    points: Object.fromEntries(extensionPoints.map((point) => [point, points[point].map((name) => enabled.get(name)!)])) as Record<ExtensionPoint, Plugin[]>,
    percentageOfNodesToScore: options.percentageOfNodesToScore ?? 0,
  }
}

/** The kinds that are read where the API serves them: owners, budgets, and what the profiles' plugins read; each once. */
export function watchedKinds(profiles: Iterable<Profile>): ResourceInfo[] {
  const kinds = new Map<string, ResourceInfo>(feedResources.map((resource) => [resourceKey(resource), resource]))
  for (const { plugins } of profiles) for (const { name } of plugins) for (const resource of registry[name]?.watches ?? []) kinds.set(resourceKey(resource), resource)
  return [...kinds.values()]
}
