import { authorization, authorizerTypes } from '../functions/authorizer.ts'
import { conversions } from '../functions/conversions.ts'
import { lists } from '../functions/lists.ts'
import { namedFormats } from '../functions/named-formats.ts'
import { networks } from '../functions/network.ts'
import { operators } from '../functions/operators.ts'
import { optionals } from '../functions/optionals.ts'
import { functionTable } from '../functions/overload.ts'
import { quantities } from '../functions/quantity.ts'
import { regexes } from '../functions/regex.ts'
import { semvers } from '../functions/semver.ts'
import { sets } from '../functions/sets.ts'
import { strings } from '../functions/strings.ts'
import { timeFunctions } from '../functions/time-functions.ts'
import { urls } from '../functions/url.ts'
import { kubernetesMacros, macrosWithBind } from '../parse/macros.ts'
import * as types from '../types/types.ts'
import type { CelType, TypeTable } from '../types/types.ts'
import type { Declarations } from '../check/check.ts'
import type { MacroSet } from '../parse/macros.ts'
import type { Overload } from '../functions/overload.ts'
import type { TypeLayout } from '../values/objects.ts'

/** What expressions are compiled against: variables, types, functions, macros. Immutable; share one among many expressions. */
export interface Environment {
  readonly declarations: Declarations
  readonly macros: MacroSet
  readonly layout: TypeLayout
}

export interface EnvironmentOptions {
  readonly variables: Readonly<Record<string, CelType>>
  /** Object types that expressions may name and construct. */
  readonly types?: readonly CelType[]
  /** Types beyond those, which are too many to list. */
  readonly moreTypes?: TypeTable
  readonly functions?: readonly Overload[]
  /** Whether `cel.bind(name, value, expression)` is known. */
  readonly bind?: boolean
  readonly layout?: TypeLayout
}

/** The libraries of every environment of Kubernetes 1.36. */
const libraries = [
  operators, conversions, timeFunctions, strings, lists, sets, optionals, regexes, urls, quantities, networks, semvers, namedFormats, authorization,
]
const kubernetesFunctions = functionTable(...libraries)

const standardTypes: readonly (readonly [string, CelType])[] = [
  ...[types.boolType, types.bytesType, types.doubleType, types.durationType, types.intType, types.nullType, types.stringType, types.timestampType, types.uintType]
    .map(type => [types.runtimeTypeName(type), type] as const),
  ['list', types.listType(types.dynType)], ['map', types.mapType(types.dynType, types.dynType)], ['type', { kind: 'type' }],
  ['optional_type', types.optionalType(types.dynType)],
  ...['net.IP', 'net.CIDR', 'kubernetes.Quantity', 'kubernetes.URL', 'kubernetes.Semver', 'kubernetes.NamedFormat', ...authorizerTypes]
    .map(name => [name, types.opaqueType(name)] as const),
]

const plainLayout: TypeLayout = { listKind: () => 'atomic', property: (_, field) => field }

/** Makes an environment out of Kubernetes' base and what a use of it adds. */
export function createEnvironment(options: EnvironmentOptions): Environment {
  const { functions = [], types: declared = [], moreTypes } = options
  const listed = new Map([...standardTypes, ...declared.map(type => [types.runtimeTypeName(type), type] as const)])
  return {
    declarations: {
      variables: new Map(Object.entries(options.variables)),
      functions: functions.length === 0 ? kubernetesFunctions : functionTable(...libraries, functions),
      types: moreTypes === undefined ? listed : { get: name => listed.get(name) ?? moreTypes.get(name) },
    },
    macros: options.bind === true ? macrosWithBind : kubernetesMacros,
    layout: options.layout ?? plainLayout,
  }
}
