import { plugins as registry, type PluginArgs, type PluginContext } from '../plugins/registry.ts'
import type { Plugin } from './plugin.ts'

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
}

/** Makes a profile of the registry's plugins. */
export function makeProfile(options: ProfileOptions): Profile {
  const context: PluginContext = { args: options.args ?? {}, ...(options.client ? { client: options.client } : {}) }
  const names = Object.keys(registry).filter((name) => !options.disabled?.has(name))
  return {
    schedulerName: options.schedulerName,
    plugins: names.map((name) => registry[name]!.make(context)),
    weights: new Map(names.map((name) => [name, options.weights?.[name] ?? registry[name]!.weight])),
  }
}
