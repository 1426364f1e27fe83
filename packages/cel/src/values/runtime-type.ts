import { CelList, CelMap } from './containers.ts'
import { Uint } from './scalars.ts'
import { Duration, Timestamp } from './time.ts'
import { OpaqueValue, OptionalValue, TypeValue } from './value.ts'
import type { CelType } from '../types/types.ts'
import type { Value } from './value.ts'

/** The name of a value's type: what `type(value)` shows. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case 'boolean': return 'bool'
    case 'bigint': return 'int'
    case 'number': return 'double'
    case 'string': return 'string'
    default:
  }
  if (value === null) return 'null_type'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof CelList) return 'list'
  if (value instanceof CelMap) return value.objectType?.name ?? 'map'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof OptionalValue) return 'optional_type'
  if (value instanceof TypeValue) return 'type'
  return (value as OpaqueValue).typeName
}

/** Whether a value may be passed for a declared parameter: what the dispatch of dynamic arguments asks. */
export function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'any':
    case 'param': return true
    case 'bool': return typeof value === 'boolean'
    case 'int': return typeof value === 'bigint'
    case 'uint': return value instanceof Uint
    case 'double': return typeof value === 'number'
    case 'string': return typeof value === 'string'
    case 'bytes': return value instanceof Uint8Array
    case 'null': return value === null
    case 'timestamp': return value instanceof Timestamp
    case 'duration': return value instanceof Duration
    case 'list': return value instanceof CelList && (value.size === 0 || isOfType(value.at(0), type.element))
    case 'map': return value instanceof CelMap && value.objectType === undefined
    case 'object': return value instanceof CelMap && value.objectType?.name === type.name
    case 'opaque': return type.name === 'optional_type' ? value instanceof OptionalValue : value instanceof OpaqueValue && value.typeName === type.name
    case 'type': return value instanceof TypeValue
    default: return false
  }
}
