import { CelList, CelMap } from '../values/containers.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import { Uint } from '../values/scalars.ts'
import { Duration, Timestamp } from '../values/time.ts'
import { OptionalValue, TypeValue } from '../values/value.ts'
import { formatDouble } from '../functions/format-double.ts'
import type { Value } from '../values/value.ts'

/** Writes a value with its type, as the recorded answers have it. */
export function showValue(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return `double(${formatDouble(value, 21)})`
  if (value === null || typeof value !== 'object') return String(value)
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Uint8Array) return `b${JSON.stringify(Buffer.from(value).toString('utf8'))}`
  if (value instanceof Timestamp) return `timestamp(${value})`
  if (value instanceof Duration) return `duration(${value})`
  if (value instanceof TypeValue) return `type(${value.name})`
  if (value instanceof OptionalValue) return value.value === undefined ? 'optional.none()' : `optional.of(${showValue(value.value)})`
  if (value instanceof CelList) return `[${[...value].map(showValue).join(', ')}]`
  if (value instanceof CelMap) return `{${[...value.entries()].map(([key, item]) => `${showValue(key)}: ${showValue(item)}`).sort().join(', ')}}`
  return `opaque(${typeNameOf(value)})`
}
