import type { ResourceInfo } from '@berth/api'
import { systemClock, type Clock } from '@berth/kube'
import { featureGates, type FeatureGates } from '../config/feature-gates.ts'
import { plugins as registry, type PluginArgs, type PluginContext } from '../plugins/registry.ts'
import type { Plugin } from './plugin.ts'
import { resourceKey } from './resource-key.ts'
import { emptySnapshot, type Snapshot } from './snapshot.ts'

/** A profile: the plugins that pods with one schedulerName are scheduled by, and what each one's scores weigh. */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: readonly Plugin[]
  readonly weights: ReadonlyMap<string, number>
}

/** Which plugins a profile has, where it differs from the default. */
export interface ProfileOptions {
  readonly schedulerName: string
  readonly disabled?: ReadonlySet<string>
  readonly weights?: Readonly<Record<string, number>>
  readonly args?: PluginArgs
  readonly client?: PluginContext['client']
  /** The system's, where absent. */
  readonly clock?: Clock
  /** 1.36's defaults, where absent. */
  readonly gates?: FeatureGates
  /** What plugins read outside of cycles; nothing, where absent. */
  readonly snapshot?: () => Snapshot
}

/** Makes a profile of the registry's plugins. */
export function makeProfile(options: ProfileOptions): Profile {
  const gates = options.gates ?? featureGates()
  const context: PluginContext = {
    args: options.args ?? {}, clock: options.clock ?? systemClock, gates, snapshot: options.snapshot ?? (() => emptySnapshot),
    ...(options.client ? { client: options.client } : {}),
  }
  const names = Object.keys(registry).filter((name) => !options.disabled?.has(name) && (registry[name]?.byDefault?.(gates) ?? true))
  return {
    schedulerName: options.schedulerName,
    plugins: names.map((name) => registry[name]!.make(context)),
    weights: new Map(names.map((name) => [name, options.weights?.[name] ?? registry[name]!.weight])),
  }
}

/** The kinds that the profiles' plugins read beside those that every scheduler watches; each once. */
export function watchedKinds(profiles: Iterable<Profile>): ResourceInfo[] {
  const kinds = new Map<string, ResourceInfo>()
  for (const { plugins } of profiles) for (const { name } of plugins) for (const resource of registry[name]?.watches ?? []) kinds.set(resourceKey(resource), resource)
  return [...kinds.values()]
}
