// How aggregated servers describe what they serve: OpenAPI v3 stays with them and is found by their index, v2 is merged into ours.
import { isDeepStrictEqual } from 'node:util'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { groupVersionOf } from './api-services.ts'
import { askBackend } from './backends.ts'
import type { BackendAccess } from './backends.ts'

const answerWithinMs = 60_000

/** The part of an OpenAPI v2 document that is merged. */
export interface Swagger { readonly paths?: Record<string, unknown>, readonly definitions?: Record<string, unknown>, readonly [field: string]: unknown }

/** An APIService's descriptions as they were fetched last. */
export interface RemoteOpenApi {
  /** Where its v3 document is on its server; undefined where it has none. */
  readonly v3Url: string | undefined
  readonly v2: Swagger | undefined
  readonly v2Etag: string
}

/** Fetches the descriptions; what `known` has is kept where it did not change. Rejects where the server gives no answer. */
export async function remoteOpenApi(access: BackendAccess, service: APIService, known: RemoteOpenApi | undefined, signal: AbortSignal): Promise<RemoteOpenApi> {
  const path = `apis/${groupVersionOf(service)}`
  const index = await askBackend(access, service, '/openapi/v3', { headers: { accept: 'application/json' }, timeoutMs: answerWithinMs, signal })
  const v3Url = index.status === 200 ? (JSON.parse(index.body) as { paths?: Record<string, { serverRelativeURL?: string }> }).paths?.[path]?.serverRelativeURL : undefined
  const headers = { accept: 'application/json', ...(known && known.v2Etag !== '' && { 'if-none-match': known.v2Etag }) }
  const document = await askBackend(access, service, '/openapi/v2', { headers, timeoutMs: answerWithinMs, signal })
  if (document.status === 304 && known) return { ...known, v3Url }
  const v2 = document.status === 200 ? belowPath(JSON.parse(document.body) as Swagger, `/${path}/`) : undefined
  return { v3Url, v2, v2Etag: String(document.headers['etag'] ?? '') }
}

/** What a document says of the paths below one (itself included), with the definitions that they use. */
export function belowPath({ paths = {}, definitions = {} }: Swagger, prefix: string): Swagger {
  const kept = Object.fromEntries(Object.entries(paths).filter(([path]) => path.startsWith(prefix)))
  const used = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key !== '$ref' || typeof inner !== 'string') visit(inner)
      else {
        const name = inner.replace(/^#\/definitions\//, '')
        if (used.has(name) || !(name in definitions)) continue
        used.add(name)
        visit(definitions[name])
      }
    }
  }
  visit(kept)
  return { paths: kept, definitions: Object.fromEntries([...used].sort().map((name) => [name, definitions[name]])) }
}

/** Adds documents to ours. Paths that are there stay as they are; a definition of the same name that says something else gets a number. */
export function mergeSwagger(own: Swagger, others: readonly Swagger[]): Swagger {
  const paths = { ...own.paths }
  const definitions = { ...own.definitions }
  for (const other of others) {
    const renamed = new Map<string, string>()
    for (const [name, definition] of Object.entries(other.definitions ?? {})) {
      let wanted = name
      for (let number = 2; wanted in definitions && !isDeepStrictEqual(definitions[wanted], definition); number++) wanted = `${name}_v${number}`
      if (wanted !== name) renamed.set(`#/definitions/${name}`, `#/definitions/${wanted}`)
      definitions[wanted] = definition
    }
    for (const wanted of Object.keys(other.definitions ?? {}).map((name) => renamed.get(`#/definitions/${name}`)?.replace('#/definitions/', '') ?? name)) definitions[wanted] = withRefs(definitions[wanted], renamed)
    for (const [path, item] of Object.entries(other.paths ?? {})) paths[path] ??= withRefs(item, renamed)
  }
  return { ...own, paths, definitions }
}

function withRefs(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (renamed.size === 0 || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => withRefs(each, renamed))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === '$ref' && typeof inner === 'string' ? renamed.get(inner) ?? inner : withRefs(inner, renamed)]))
}
