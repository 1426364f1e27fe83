// --feature-gates of the controller manager: gates that change what a controller does, with their defaults in 1.36. Others are refused.
const known = {
  HPAConfigurableTolerance: { stage: 'BETA', on: true },
  HPAScaleToZero: { stage: 'ALPHA', on: false },
  MaxUnavailableStatefulSet: { stage: 'BETA', on: false },
} as const

export type ControllerFeature = keyof typeof known

/** Which gates are on. */
export interface ControllerFeatures {
  enabled(name: ControllerFeature): boolean
}

/** Reads `A=true,B=false`. Throws in upstream's words. */
export function controllerFeatures(text: string): ControllerFeatures {
  const given = new Map<string, boolean>()
  for (const pair of text.split(',').map((each) => each.trim()).filter((each) => each !== '')) {
    const [name = '', value] = pair.split('=').map((each) => each.trim())
    if (value === undefined) throw new Error(`missing bool value for ${name}`)
    if (value !== 'true' && value !== 'false') throw new Error(`invalid value of ${name}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
    if (!Object.hasOwn(known, name)) throw new Error(`unrecognized feature gate: ${name}`)
    given.set(name, value === 'true')
  }
  return { enabled: (name) => given.get(name) ?? known[name].on }
}

/** Lines for --help: one a gate. */
export const knownFeatures: readonly string[] = Object.entries(known).map(([name, { stage, on }]) => `${name}=true|false (${stage} - default=${on})`)
