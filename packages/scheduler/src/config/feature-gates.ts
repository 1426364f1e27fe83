import { ConfigError } from '../errors.ts'
import { gateFacts } from './gate-facts.ts'

/** Which features are on, under upstream's names and with its defaults of 1.36. */
export interface FeatureGates {
  /** What was set, other than by default. */
  readonly overrides: Readonly<Record<string, boolean>>
  /** Whether a feature is on. Throws RangeError for a name that is no gate: a slip of the programmer's. */
  enabled(name: string): boolean
}

/** Alpha features of the scheduler's own that are not there: to ask for one by name is refused. */
const unserved = new Set(['TopologyAwareWorkloadScheduling', 'WorkloadAwarePreemption'])

/** Whether a gate changes something in the scheduler. */
export function knowsFeature(name: string): boolean {
  return gateFacts.has(name) || name === 'AllAlpha' || name === 'AllBeta'
}

/** Gates as they are where nobody says otherwise, but for `overrides`. Throws ConfigError for gates that do not exist or cannot be changed. */
export function featureGates(overrides: Readonly<Record<string, boolean>> = {}): FeatureGates {
  for (const [name, value] of Object.entries(overrides)) {
    if (name === 'AllAlpha' || name === 'AllBeta') continue
    const fact = gateFacts.get(name)
    if (!fact) throw new ConfigError(`unrecognized feature gate: ${name}`)
    if (value && unserved.has(name)) throw new ConfigError(`cannot set feature gate ${name} to true: this scheduler does not have the feature`)
    if (fact.locked && fact.enabled !== value) throw new ConfigError(`cannot set feature gate ${name} to ${value}, feature is locked to ${fact.enabled}`)
  }
  return {
    overrides,
    enabled(name) {
      const fact = gateFacts.get(name)
      if (!fact) throw new RangeError(`${name} is no feature gate`)
      const ofStage = fact.stage === 'Alpha' ? overrides['AllAlpha'] : fact.stage === 'Beta' ? overrides['AllBeta'] : undefined
      return overrides[name] ?? ofStage ?? fact.enabled
    },
  }
}

/** Reads `--feature-gates`: `A=true,B=false`. Throws ConfigError as upstream words it. */
export function parseFeatureGates(text: string): Record<string, boolean> {
  const gates: Record<string, boolean> = {}
  for (const part of text.split(',').map((p) => p.trim()).filter(Boolean)) {
    const at = part.indexOf('=')
    if (at < 0) throw new ConfigError(`missing bool value for ${part}`)
    const name = part.slice(0, at).trim()
    const value = part.slice(at + 1).trim()
    if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) throw new ConfigError(`invalid value of ${name}=${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
    gates[name] = /^(?:1|t)/i.test(value)
  }
  return gates
}
