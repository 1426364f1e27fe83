// What somebody else made of an object (a mutating webhook), read as an object of its kind again.
import type { Json } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceRuntime } from './resource-runtime.ts'

/** Unknown fields fall away, defaults come in. Throws DecodeError where a value is of a wrong type. */
export function adopt(runtime: ResourceRuntime, value: unknown): ApiObject {
  const { object } = runtime.rules.decode(value as Json, 'ignore', [])
  const own = structuredClone(object) as unknown as ApiObject
  own.kind = runtime.gvk.kind
  own.apiVersion = runtime.apiVersion
  own.metadata = { ...own.metadata, name: own.metadata?.name ?? '' }
  runtime.rules.applyDefaults(own)
  return own
}
