// Answers in protobuf: versions are encoded once, lists and watch frames are put together from them.
import { schemaOf, structOf } from '@berth/api'
import type { ObjectSchema, StructSchema } from '@berth/api'
import type { CachedObject } from '../registry/cached-object.ts'
import type { ResourceRuntime } from '../registry/resource-runtime.ts'
import { encodeHolding, encodeList, encodeMessage, encodeObject, encodeWatchFrame, wrap } from './encode.ts'

export const protobufType = 'application/vnd.kubernetes.protobuf'

function metaSchema(name: 'ListMeta' | 'ObjectMeta'): StructSchema {
  const schema = structOf('meta/v1', name)
  if (!schema) throw new Error(`no schema for ${name}`)
  return schema
}

function messageOf(runtime: ResourceRuntime, cached: CachedObject): Uint8Array {
  const name = `protobuf:${runtime.apiVersion}`
  let message = cached.derived.get(name)
  if (!message) {
    message = encodeMessage(runtime.schema, runtime.serve(cached.object))
    cached.derived.set(name, message)
  }
  return message
}

/** One stored object, with its envelope. */
export function protobufObject(runtime: ResourceRuntime, cached: CachedObject): Uint8Array {
  return wrap(runtime.gvk.kind, runtime.apiVersion, messageOf(runtime, cached))
}

/** A list of stored objects. */
export function protobufList(runtime: ResourceRuntime, items: readonly CachedObject[], metadata: object): Uint8Array {
  return encodeList(metaSchema('ListMeta'), `${runtime.gvk.kind}List`, runtime.apiVersion, metadata, items.map((item) => messageOf(runtime, item)))
}

/** A watch event about a stored object. */
export function protobufWatchEvent(type: string, runtime: ResourceRuntime, cached: CachedObject): Uint8Array {
  return encodeWatchFrame(type, protobufObject(runtime, cached))
}

function bareMessage(metadata: object): Uint8Array {
  return encodeHolding(encodeMessage(metaSchema('ObjectMeta'), metadata as Record<string, unknown>))
}

/** The metadata of an object alone (PartialObjectMetadata of meta.k8s.io), of a custom resource too. */
export function protobufMetadata(metadata: object, version: string): Uint8Array {
  return wrap('PartialObjectMetadata', `meta.k8s.io/${version}`, bareMessage(metadata))
}

/** A list of bare metadata. */
export function protobufMetadataList(items: readonly object[], metadata: object, version: string): Uint8Array {
  return encodeList(metaSchema('ListMeta'), 'PartialObjectMetadataList', `meta.k8s.io/${version}`, metadata, items.map(bareMessage))
}

/** The schema of a value that names its kind; undefined where it has none (tables, discovery). */
export function schemaOfValue(value: unknown): ObjectSchema | undefined {
  const { kind, apiVersion } = value as { kind?: unknown, apiVersion?: unknown }
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return undefined
  const slash = apiVersion.indexOf('/')
  return schemaOf({ group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind })
}

/** Any object with a schema; undefined without one. */
export function protobufValue(value: unknown): Uint8Array | undefined {
  const schema = schemaOfValue(value)
  if (!schema) return undefined
  const { kind, apiVersion, ...rest } = value as { kind: string, apiVersion: string }
  return encodeObject(schema, kind, apiVersion, rest)
}

/** A watch event about any object with a schema (bookmarks, errors). */
export function protobufEventOf(type: string, value: unknown): Uint8Array {
  return encodeWatchFrame(type, protobufValue(value) ?? new Uint8Array())
}
