// --feature-gates and --runtime-config: what is off until somebody asks for it. Only gates that change something here are known; others are refused.
import { apiVersionOf } from '@berth/api'
import type { ResourceDefinition } from './registry/definition.ts'

interface Gate { readonly stage: 'ALPHA' | 'BETA', readonly on: boolean, readonly needs?: readonly string[] }

/** Gates by upstream's names, with their defaults in 1.36. */
const known = {
  GenericWorkload: { stage: 'ALPHA', on: false },
  GangScheduling: { stage: 'ALPHA', on: false, needs: ['GenericWorkload'] },
  TopologyAwareWorkloadScheduling: { stage: 'ALPHA', on: false, needs: ['GenericWorkload'] },
  WorkloadAwarePreemption: { stage: 'ALPHA', on: false, needs: ['GangScheduling'] },
  HPAScaleToZero: { stage: 'ALPHA', on: false },
  MaxUnavailableStatefulSet: { stage: 'BETA', on: false },
  DRAWorkloadResourceClaims: { stage: 'ALPHA', on: false, needs: ['GenericWorkload'] },
} as const satisfies Record<string, Gate>

export type FeatureName = keyof typeof known

/** Which gates are on. */
export interface Features {
  enabled(name: FeatureName): boolean
}

/** Whether a gate changes something in the API. */
export function knowsFeature(name: string): name is FeatureName {
  return Object.hasOwn(known, name)
}

/** Reads `{GenericWorkload: true}`; a gate that another needs must be on too. Throws in upstream's words. */
export function featureGates(given: Readonly<Record<string, boolean>>): Features {
  for (const name of Object.keys(given)) if (!knowsFeature(name)) throw new Error(`unrecognized feature gate: ${name}`)
  const enabled = (name: string): boolean => given[name] ?? (knowsFeature(name) && known[name].on)
  for (const [name, gate] of Object.entries<Gate>(known)) {
    const lacking = enabled(name) ? (gate.needs ?? []).filter((other) => !enabled(other)) : []
    if (lacking.length > 0) throw new Error(`${name} is enabled, but depends on features that are disabled: [${lacking.join(' ')}]`)
  }
  return { enabled }
}

/** The defaults. */
export const defaultFeatures: Features = featureGates({})

/** Lines for --help: one a gate. */
export const knownFeatures: readonly string[] = Object.entries<Gate>(known).map(([name, { stage, on }]) => `${name}=true|false (${stage} - default=${on})`)

/** Reads `A=true,B=false`. Throws in upstream's words. */
export function parseBooleanMap(texts: readonly string[]): Record<string, boolean> {
  const out: Record<string, boolean> = {}
  for (const pair of texts.flatMap((text) => text.split(',')).map((text) => text.trim()).filter((text) => text !== '')) {
    const [name = '', value, ...rest] = pair.split('=')
    if (value === undefined || rest.length > 0) throw new Error(`missing bool value for ${pair}`)
    if (value !== 'true' && value !== 'false') throw new Error(`invalid value of ${name}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
    out[name.trim()] = value === 'true'
  }
  return out
}

const stages: readonly (readonly [string, RegExp])[] = [['api/all', /./], ['api/ga', /\/?v\d+$/], ['api/beta', /v\d+beta\d+$/], ['api/alpha', /v\d+alpha\d+$/]]

/**
 * The resources that --runtime-config leaves: `group/version=true|false`, `group/version/resource=true|false`, `api/all`, `api/ga`, `api/beta`, `api/alpha`; the more exact
 * entry wins. Throws for an entry that names nothing.
 */
export function enabledDefinitions(definitions: readonly ResourceDefinition[], config: Readonly<Record<string, boolean>>): ResourceDefinition[] {
  const versions = new Set(definitions.map(({ resource }) => apiVersionOf(resource)))
  for (const key of Object.keys(config)) {
    const named = key.startsWith('api/') && key !== 'api/v1' ? stages.some(([stage]) => stage === key)
      : versions.has(key) || definitions.some(({ resource }) => `${apiVersionOf(resource)}/${resource.resource}` === key)
    if (!named) throw new Error(`unknown api groups ${key}`)
  }
  return definitions.filter(({ resource, offByDefault = false }) => {
    const version = apiVersionOf(resource)
    const stage = stages.findLast(([name, form]) => config[name] !== undefined && form.test(version))?.[0]
    return config[`${version}/${resource.resource}`] ?? config[version] ?? (stage === undefined ? undefined : config[stage]) ?? !offByDefault
  })
}
