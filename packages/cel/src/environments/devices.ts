import { parseQuantity, QuantityError } from '@berth/api'
import { compile, evaluate } from '../compile.ts'
import { createEnvironment } from './environment.ts'
import { CelEvaluationError } from '../errors.ts'
import { sizesFrom } from '../estimate/sizes.ts'
import { overload } from '../functions/overload.ts'
import { QuantityValue } from '../functions/quantity.ts'
import { parseSemver } from '../functions/semver.ts'
import { anyType, boolType, dynType, formatType, mapType, objectType, opaqueType, stringType } from '../types/types.ts'
import { contains, equal } from '../values/compare.ts'
import { CelList, listOf, ValueMap } from '../values/containers.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import type { CelCancelledError } from '../errors.ts'
import type { Environment } from './environment.ts'
import type { CompileOptions, Program } from '../compile.ts'
import type { SizeLookup, Sizes } from '../estimate/sizes.ts'
import type { CelType } from '../types/types.ts'
import type { CelMap } from '../values/containers.ts'
import type { Value } from '../values/value.ts'

/** The cost that a selector of devices may have. */
export const selectorCostLimit = 1_000_000

/** What is read of a device of a ResourceSlice. */
export interface SelectableDevice {
  readonly driver: string
  readonly allowMultipleAllocations?: boolean
  readonly attributes?: Readonly<Record<string, DeviceAttributeLike>>
  readonly capacity?: Readonly<Record<string, { readonly value: string }>>
}

export interface DeviceAttributeLike {
  readonly int?: number | bigint
  readonly bool?: boolean
  readonly string?: string
  readonly version?: string
  readonly ints?: readonly (number | bigint)[]
  readonly bools?: readonly boolean[]
  readonly strings?: readonly string[]
  readonly versions?: readonly string[]
}

export interface DeviceFeatures {
  /** DRAConsumableCapacity: `device.allowMultipleAllocations`. */
  readonly consumableCapacity?: boolean
  /** DRAListTypeAttributes: attributes that are lists, and `includes`. */
  readonly listTypeAttributes?: boolean
}

function includes(target: Value, item: Value): boolean {
  if (!(target instanceof CelList)) return equal(target, item)
  if (target.size > maxListValues) throw new CelEvaluationError(`includes() is limited to lists with at most ${maxListValues} elements`)
  return contains(target, item)
}

const maxListValues = 64

const attributeSizes: Sizes = { most: 64 }
const byName = (element: Sizes): Sizes => ({ most: 32, key: { most: 63 }, element: { most: 32, key: { most: 32 }, element } })
const largest: Sizes = {
  most: 0, fields: new Map([['driver', { most: 63 }], ['allowMultipleAllocations', { most: 1 }], ['attributes', byName(attributeSizes)], ['capacity', byName({ most: 0 })]]),
}
const ofDevice = sizesFrom(largest, node => node.element === attributeSizes ? attributeSizes : undefined)

/** How large the parts of a device may be, by the limits of ResourceSlices. */
export const deviceSizes: SizeLookup = path => path[0] === 'device' ? ofDevice(path) : undefined

/** The environment of device selectors: `device.driver`, `device.attributes["domain"].name`, `device.capacity[...]`; `cel.bind`. */
export function deviceEnvironment(features: DeviceFeatures = {}): Environment {
  const attribute: CelType = features.listTypeAttributes === true ? dynType : anyType
  const device = objectType('kubernetes.DRADevice', [
    ['driver', stringType],
    ['attributes', mapType(stringType, mapType(stringType, attribute))],
    ['capacity', mapType(stringType, mapType(stringType, opaqueType('kubernetes.Quantity')))],
    ...(features.consumableCapacity === true ? [['allowMultipleAllocations', boolType] as const] : []),
  ])
  return createEnvironment({
    variables: { device }, types: [device], bind: true,
    functions: features.listTypeAttributes === true ? [overload('dyn->includes(dyn): bool', includes)] : [],
  })
}

export type SelectorResult = { readonly selector: DeviceSelector; readonly error?: undefined } | { readonly selector?: undefined; readonly error: string }

export type DeviceMatch = { readonly matches: boolean; readonly error?: undefined; readonly cost: number }
  | { readonly matches?: undefined; readonly error: CelEvaluationError | CelCancelledError; readonly cost: number }

/** A compiled selector of devices. */
export class DeviceSelector {
  readonly program: Program
  private readonly features: DeviceFeatures

  constructor(program: Program, features: DeviceFeatures) {
    this.program = program
    this.features = features
  }

  /** Whether a device is selected; the error where its attributes cannot be read or the expression fails. */
  matches(device: SelectableDevice, options: { deadline?: number; now?: () => number } = {}): DeviceMatch {
    let value: Value
    try {
      value = deviceValue(device, this.features)
    } catch (error) {
      if (error instanceof CelEvaluationError) return { error, cost: 0 }
      throw error
    }
    const result = evaluate(this.program, { device: value }, { costLimit: selectorCostLimit, ...options })
    if (result.error !== undefined) return result
    if (typeof result.value === 'boolean') return { matches: result.value, cost: result.cost }
    return { error: new CelEvaluationError(`CEL result of type ${typeNameOf(result.value)} could not be converted to bool`), cost: result.cost }
  }
}

/** Compiles a selector; its worst cost is estimated where sizes are given. The error is upstream's (`compilation failed: ERROR: ...`, `must evaluate to bool or the unknown type, not int`). */
export function compileDeviceSelector(expression: string, environment: Environment, features: DeviceFeatures = {}, options: CompileOptions = {}): SelectorResult {
  const { program, error } = compile(expression, environment, options)
  if (program === undefined) return { error: error.startsWith('program instantiation failed') ? error : `compilation failed: ${error}` }
  const { kind } = program.resultType
  if (kind === 'bool' || kind === 'any' || features.listTypeAttributes === true && kind === 'dyn') return { selector: new DeviceSelector(program, features) }
  return { error: `must evaluate to bool or the unknown type, not ${formatType(program.resultType)}` }
}

/** A device as expressions see it. Throws {@link CelEvaluationError} naming the attribute that has no usable value. */
export function deviceValue(device: SelectableDevice, features: DeviceFeatures): CelMap {
  const attributes = byDomain(device.attributes ?? {}, device.driver, (attribute, name) => attributeValue(attribute, name, features))
  const capacity = byDomain(device.capacity ?? {}, device.driver, ({ value }, name) => quantityValue(value, name))
  return new ValueMap([
    ['driver', device.driver], ['attributes', attributes], ['capacity', capacity], ['allowMultipleAllocations', device.allowMultipleAllocations ?? false],
  ])
}

/** A map that knows every domain: one that the device has nothing of is an empty map. */
class DomainMap extends ValueMap {
  override get(key: Value): Value | undefined {
    return super.get(key) ?? empty
  }

  override has(key: Value): boolean {
    return super.get(key) !== undefined
  }
}

const empty = new ValueMap()

function byDomain<T>(named: Readonly<Record<string, T>>, driver: string, convert: (value: T, name: string) => Value): CelMap {
  const domains = new Map<string, [Value, Value][]>()
  for (const [name, value] of Object.entries(named)) {
    const slash = name.indexOf('/')
    const domain = slash < 0 ? driver : name.slice(0, slash)
    const entry: [Value, Value] = [slash < 0 ? name : name.slice(slash + 1), convert(value, name)]
    const known = domains.get(domain)
    if (known === undefined) domains.set(domain, [entry])
    else known.push(entry)
  }
  return new DomainMap([...domains].map(([domain, entries]) => [domain, new ValueMap(entries)]))
}

function attributeValue(attribute: DeviceAttributeLike, name: string, features: DeviceFeatures): Value {
  const version = (text: string): Value => {
    try {
      return parseSemver(text)
    } catch (error) {
      throw new CelEvaluationError(`attribute ${name}: parse semantic version: ${(error as Error).message}`, { cause: error })
    }
  }
  if (features.listTypeAttributes === true) {
    if (attribute.ints !== undefined) return listOf(attribute.ints.map(BigInt))
    if (attribute.bools !== undefined) return listOf(attribute.bools)
    if (attribute.strings !== undefined) return listOf(attribute.strings)
    if (attribute.versions !== undefined) return listOf(attribute.versions.map(version))
  }
  if (attribute.int !== undefined) return BigInt(attribute.int)
  if (attribute.bool !== undefined) return attribute.bool
  if (attribute.string !== undefined) return attribute.string
  if (attribute.version !== undefined) return version(attribute.version)
  throw new CelEvaluationError(`attribute ${name}: unsupported attribute value`)
}

function quantityValue(text: string, name: string): Value {
  try {
    return new QuantityValue(parseQuantity(text))
  } catch (error) {
    if (error instanceof QuantityError) throw new CelEvaluationError(`capacity ${name}: ${error.message}`, { cause: error })
    throw error
  }
}
