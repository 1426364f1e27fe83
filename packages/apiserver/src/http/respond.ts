// Answers: objects, lists, tables and failures as bytes.
import { apiVersionOf } from '@berth/api'
import { internalError, StatusError } from '../errors.ts'
import type { ApiObject, ApiResponse } from '../interfaces.ts'
import { protobufList, protobufMetadata, protobufMetadataList, protobufObject, protobufValue } from '../protobuf/responses.ts'
import type { CachedObject } from '../registry/cached-object.ts'
import { isOfType, jsonText, typePrefixLength } from '../registry/cached-object.ts'
import type { ResourceRuntime } from '../registry/resource-runtime.ts'
import type { Representation } from './media-types.ts'
import { toYaml } from './yaml.ts'

const encoder = new TextEncoder()

/** Any JSON value as an answer. */
export function jsonResponse(status: number, value: unknown, representation?: Pick<Representation, 'format' | 'contentType'>, pretty = false): ApiResponse {
  if (representation?.format === 'yaml') return { status, headers: { 'content-type': representation.contentType }, body: toYaml(value) }
  if (representation?.format === 'protobuf') {
    const bytes = protobufValue(value)
    if (bytes) return { status, headers: { 'content-type': representation.contentType }, body: bytes }
    return jsonResponse(status, value, undefined, pretty)
  }
  const text = pretty ? `${indented(value)}\n` : `${jsonText(value)}\n`
  return { status, headers: { 'content-type': representation?.contentType ?? 'application/json' }, body: text }
}

function indented(value: unknown): string {
  try {
    return JSON.stringify(value, null, 2)
  } catch {
    // Indentation is not worth losing digits for.
    return jsonText(value)
  }
}

/** Plain text, as upstream's health checks and 404s of unknown paths. */
export function textResponse(status: number, text: string): ApiResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body: text }
}

/** A failure as its Status. */
export function errorResponse(error: StatusError): ApiResponse {
  return { status: error.code, headers: { 'content-type': 'application/json', ...error.headers }, body: `${jsonText(error.status)}\n` }
}

/** What a client is told of a fault of ours, in upstream's words for a handler that panicked: what went wrong is in the log alone. */
const panicked = 'This request caused apiserver to panic. Look in the logs for details.'

/** Whether an error was thrown by the language or the platform, and not by a part that has something to say. */
function isFault(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError || error instanceof SyntaxError
    || (error instanceof Error && String((error as NodeJS.ErrnoException).code ?? '').startsWith('ERR_'))
}

/** Whatever was thrown, as the StatusError that the client gets. */
export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  if (isFault(error)) return new StatusError(500, 'InternalError', panicked, {}, { cause: error })
  return internalError(error)
}

/** The bytes of a version in the API version of `runtime`; made once a version. */
export function bytesOf(runtime: ResourceRuntime, cached: CachedObject): Uint8Array {
  if (!runtime.definition.view && (runtime.rules.custom !== true || isOfType(cached.bytes, runtime.gvk.kind, runtime.apiVersion))) return cached.bytes
  const name = `as:${runtime.apiVersion}`
  let bytes = cached.derived.get(name)
  if (!bytes) {
    const { kind, apiVersion, ...rest } = runtime.serve(cached.object)
    bytes = encoder.encode(jsonText({ kind, apiVersion, ...rest }))
    cached.derived.set(name, bytes)
  }
  return bytes
}

/** One object as an answer in the representation asked for. */
export function objectResponse(status: number, runtime: ResourceRuntime, cached: CachedObject, representation: Representation, options: { pretty: boolean, includeObject: string, now: number }): ApiResponse {
  if (representation.as === 'object' && representation.format === 'json' && !options.pretty) {
    return { status, headers: { 'content-type': 'application/json' }, body: bytesOf(runtime, cached) }
  }
  if (representation.format === 'protobuf' && representation.as === 'object') return { status, headers: { 'content-type': representation.contentType }, body: protobufObject(runtime, cached) }
  return servedResponse(status, runtime, runtime.serve(cached.object), representation, options)
}

/** An object that is nowhere stored as it is served (a projection), as an answer in the representation asked for. */
export function servedResponse(status: number, runtime: Pick<ResourceRuntime, 'rules'>, object: ApiObject, representation: Representation, options: { pretty: boolean, includeObject: string, now: number }): ApiResponse {
  if (representation.as === 'object') return jsonResponse(status, object, representation, options.pretty)
  if (representation.as === 'PartialObjectMetadata' && representation.format === 'protobuf') {
    return { status, headers: { 'content-type': representation.contentType }, body: protobufMetadata(object.metadata, representation.version) }
  }
  if (representation.as === 'PartialObjectMetadata') return jsonResponse(status, partialMetadata(object, representation.version), representation, options.pretty)
  const meta = object.metadata.resourceVersion === undefined ? {} : { resourceVersion: object.metadata.resourceVersion }
  return jsonResponse(status, table(runtime, [object], meta, representation.version, options), representation, options.pretty)
}

/** metadata alone, under its own kind. */
export function partialMetadata(object: ApiObject, version: string): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}

/** A Table of objects; `columns: false` for the later events of a watch. */
export function table(runtime: Pick<ResourceRuntime, 'rules'>, objects: readonly ApiObject[], metadata: Record<string, unknown>, version: string, options: { includeObject: string, now: number, columns?: boolean }): Record<string, unknown> {
  const now = new Date(options.now)
  return {
    kind: 'Table', apiVersion: `meta.k8s.io/${version}`, metadata,
    columnDefinitions: options.columns === false ? null : runtime.rules.columns(),
    rows: objects.map((object) => ({ cells: runtime.rules.cells(object, now), object: rowObject(object, version, options.includeObject) })),
  }
}

function rowObject(object: ApiObject, version: string, include: string): unknown {
  if (include === 'None') return null
  return include === 'Object' ? object : partialMetadata(object, version)
}

/** List metadata. */
export interface ListMetadata { resourceVersion: string, continue?: string, remainingItemCount?: number }

/** A list of objects; items of built-in kinds lose their kind and apiVersion, as upstream's typed lists have none. */
export function listResponse(runtime: ResourceRuntime, items: readonly CachedObject[], metadata: ListMetadata, representation: Representation, options: { pretty: boolean, includeObject: string, now: number }): ApiResponse {
  const { resource } = runtime.definition
  const kind = `${resource.kind}List`
  if (representation.format === 'protobuf') {
    const body = representation.as === 'object' ? protobufList(runtime, items, metadata) : protobufMetadataList(items.map((c) => runtime.serve(c.object).metadata), metadata, representation.version)
    return { status: 200, headers: { 'content-type': representation.contentType }, body }
  }
  if (representation.as === 'Table') {
    return jsonResponse(200, table(runtime, items.map((c) => runtime.serve(c.object)), { ...metadata }, representation.version, options), representation, options.pretty)
  }
  if (representation.as === 'PartialObjectMetadataList') {
    const objects = items.map((c) => partialMetadata(runtime.serve(c.object), representation.version))
    return jsonResponse(200, { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${representation.version}`, metadata, items: objects }, representation, options.pretty)
  }
  if (representation.format === 'yaml' || options.pretty) {
    const objects = items.map((c) => {
      const { kind, apiVersion, ...rest } = runtime.serve(c.object)
      return runtime.rules.custom ? { apiVersion, kind, ...rest } : rest
    })
    return jsonResponse(200, { kind, apiVersion: apiVersionOf(resource), metadata, items: objects }, representation, options.pretty)
  }
  const skip = runtime.rules.custom ? 0 : typePrefixLength(resource.kind, runtime.apiVersion)
  const head = encoder.encode(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(runtime.apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`)
  const parts: Uint8Array[] = [head]
  for (const [i, cached] of items.entries()) parts.push(i === 0 ? open : commaOpen, bytesOf(runtime, cached).subarray(1 + skip))
  parts.push(close)
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.concat(parts) }
}

const open = encoder.encode('{')
const commaOpen = encoder.encode(',{')
const close = encoder.encode(']}\n')
