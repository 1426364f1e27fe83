/** The types that CEL expressions have at compile time. */
export type CelType =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | ObjectType
  | { readonly kind: 'opaque'; readonly name: string; readonly params: readonly CelType[] }
  | { readonly kind: 'type'; readonly of?: CelType }
  | { readonly kind: 'param'; readonly name: string }

export type ScalarKind = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'dyn' | 'any' | 'timestamp' | 'duration' | 'error'

/** An object with declared fields: selecting any other field is refused when the expression is compiled. */
export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  readonly fields: ReadonlyMap<string, CelType>
  /** Has any other field too, of any type. */
  readonly open?: boolean
}

/** The types that expressions name. */
export interface TypeTable {
  get(name: string): CelType | undefined
}

const scalar = (kind: ScalarKind): CelType => ({ kind })

export const boolType = scalar('bool')
export const intType = scalar('int')
export const uintType = scalar('uint')
export const doubleType = scalar('double')
export const stringType = scalar('string')
export const bytesType = scalar('bytes')
export const nullType = scalar('null')
export const dynType = scalar('dyn')
/** Unknown like dyn, but never the range of a comprehension's declared element: what a device attribute is. */
export const anyType = scalar('any')
export const timestampType = scalar('timestamp')
export const durationType = scalar('duration')
export const errorType = scalar('error')

export function listType(element: CelType): CelType {
  return { kind: 'list', element }
}

export function mapType(key: CelType, value: CelType): CelType {
  return { kind: 'map', key, value }
}

/** An object type out of its fields, by their (escaped) names. */
export function objectType(name: string, fields: Iterable<readonly [string, CelType]>): ObjectType {
  return { kind: 'object', name, fields: new Map(fields) }
}

export function opaqueType(name: string, params: readonly CelType[] = []): CelType {
  return { kind: 'opaque', name, params }
}

export function optionalType(value: CelType): CelType {
  return opaqueType('optional_type', [value])
}

/** The type parameters of a composite type, in the order they are written. */
export function parametersOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list': return [type.element]
    case 'map': return [type.key, type.value]
    case 'opaque': return type.params
    case 'type': return type.of === undefined ? [] : [type.of]
    default: return []
  }
}

export function isDyn(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'any'
}

/** What an optional type holds, or undefined for another type. */
export function optionalElement(type: CelType): CelType | undefined {
  return type.kind === 'opaque' && type.name === 'optional_type' ? type.params[0] : undefined
}

/** Whether two types are the same type, parameters included. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind) return false
  if ((a.kind === 'object' || a.kind === 'opaque' || a.kind === 'param') && a.name !== (b as { name: string }).name) return false
  const left = parametersOf(a)
  const right = parametersOf(b)
  return left.length === right.length && left.every((type, index) => sameType(type, right[index] ?? errorType))
}

/** Writes a type as the errors of the checker name it: `list(int)`, `map(string, dyn)`, `timestamp`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'error': return '!error!'
    case 'any': return 'google.protobuf.Any'
    case 'object':
    case 'param': return type.name
    case 'opaque': return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(', ')})`
    case 'list':
    case 'map': return `${type.kind}(${parametersOf(type).map(formatType).join(', ')})`
    case 'type': return type.of === undefined ? 'type' : `type(${formatType(type.of)})`
    default: return type.kind
  }
}

/** The name that `type(x)` has at run time, and that names the type in an expression. */
export function runtimeTypeName(type: CelType): string {
  switch (type.kind) {
    case 'null': return 'null_type'
    case 'timestamp': return 'google.protobuf.Timestamp'
    case 'duration': return 'google.protobuf.Duration'
    case 'object':
    case 'opaque':
    case 'param': return type.name
    default: return type.kind
  }
}
