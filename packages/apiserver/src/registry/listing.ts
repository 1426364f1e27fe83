// Lists: at the newest revision or a past one, filtered, in pages.
import type { FieldSelector, Selector } from '@berth/api'
import { JsonSyntaxError, parseJson } from '@berth/api'
import { badRequest, resourceExpired, StatusError } from '../errors.ts'
import type { ApiObject } from '../interfaces.ts'
import type { CachedObject } from './cached-object.ts'
import { cachedObjectOf } from './cached-object.ts'
import type { ResourceDefinition } from './definition.ts'
import type { Registry } from './registry.ts'
import type { ResourceRuntime } from './resource-runtime.ts'
import { asRecord, entryOf } from './values.ts'
import type { WatchCache } from './watch-cache.ts'

/** A selector over labels and fields as one test; undefined when everything matches. */
export function matcherOf(definition: ResourceDefinition, labels: Selector, fields: FieldSelector): ((object: ApiObject) => boolean) | undefined {
  if (labels.isEmpty() && fields.isEmpty()) return undefined
  return (object) => labels.matches(object.metadata.labels) && fields.matches((field) => fieldValue(definition, object, field))
}

function fieldValue(definition: ResourceDefinition, object: ApiObject, field: string): string {
  if (field === 'metadata.name') return object.metadata.name
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  return entryOf(definition.fieldLabels, field)?.(object) ?? ''
}

export interface ListRequest {
  namespace: string
  matches: ((object: ApiObject) => boolean) | undefined
  /** undefined: the newest. */
  exactRevision: number | undefined
  /** 0: no limit. */
  limit: number
  continueToken: string
}

export interface ListPage {
  items: CachedObject[]
  revision: number
  continueToken: string | undefined
  remaining: number | undefined
}

const goneForList = 'The resourceVersion for the provided list is too old.'
const goneForContinue = 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

/** One page of a list, in key order. Throws 400 for a bad token, 410 when the revision is no longer kept. */
export async function listPage(registry: Registry, runtime: ResourceRuntime, request: ListRequest): Promise<ListPage> {
  const { cache } = runtime
  const prefix = runtime.prefix(request.namespace)
  const token = request.continueToken === '' ? undefined : decodeToken(request.continueToken)
  const wanted = token && token.revision > 0 ? token.revision : token ? undefined : request.exactRevision
  const revision = wanted ?? registry.revision
  const after = token ? prefix + token.start : ''
  const source = await pastOrPresent(registry, cache, { wanted, prefix, after })
  const items: CachedObject[] = []
  let more = 0
  if (source) {
    for (const cached of source) {
      if (request.matches && !request.matches(cached.object)) continue
      if (request.limit === 0 || items.length < request.limit) items.push(cached)
      else {
        more++
        if (request.matches) break
      }
    }
  } else {
    if (!token) throw resourceExpired(goneForList)
    const inconsistent = encodeToken({ revision: -1, start: token.start })
    const refusal = resourceExpired(goneForContinue)
    throw new StatusError(410, 'Expired', refusal.message, undefined, { headers: {} }).withListMetadata({ continue: inconsistent })
  }
  const last = items.at(-1)
  return {
    items, revision, continueToken: more > 0 && last ? encodeToken({ revision, start: last.key.slice(prefix.length) }) : undefined,
    remaining: more > 0 && !request.matches ? more : undefined,
  }
}

/** The objects behind `after`: now, or at a past revision, out of the cache's history or else the store's. undefined: that past is gone. */
async function pastOrPresent(registry: Registry, cache: WatchCache, { wanted, prefix, after }: { wanted: number | undefined, prefix: string, after: string }): Promise<Iterable<CachedObject> | undefined> {
  if (wanted === undefined || wanted === registry.revision) return cache.range(prefix, after)
  if (wanted >= cache.oldest) return cache.rangeAt(wanted, prefix, after)
  const stored = await registry.storage.readAt(prefix, wanted)
  return stored?.filter(({ key }) => key > after).map(cachedObjectOf)
}

interface ContinueToken { revision: number, start: string }

function encodeToken(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: `${token.start}\u0000` })).toString('base64url')
}

function decodeToken(text: string): ContinueToken {
  const refuse = (why: string, cause?: unknown): StatusError => badRequest(`invalid continue token: ${why}`, cause)
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw refuse(`continue key is not valid: illegal base64 data at input byte ${text.search(/[^A-Za-z0-9_-]/)}`)
  const json = Buffer.from(text, 'base64url').toString('latin1')
  const first = json.codePointAt(0) ?? 0
  if (first >= 0x80) throw refuse(`continue key is not valid: invalid character '\\u${first.toString(16).padStart(4, '0')}' looking for beginning of value`)
  let value: unknown
  try {
    value = parseJson(json).value
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw refuse(`continue key is not valid: ${error.message}`, error)
    throw error
  }
  const token = asRecord(value) ?? {}
  if (token['v'] !== 'meta.k8s.io/v1') throw refuse(`continue key is not valid: server does not recognize this encoded version ${JSON.stringify(token['v'] ?? '')}`)
  const revision = Number(token['rv'] ?? 0)
  if (!Number.isInteger(revision) || revision === 0) throw refuse('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  const start = typeof token['start'] === 'string' ? Buffer.from(token['start'], 'latin1').toString('utf8') : ''
  if (start === '') throw refuse('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  if (`/${start}`.includes('/../') || start.startsWith('../')) throw refuse(`continue key is not valid: ${start}`)
  return { revision, start: start.endsWith('\0') ? start.slice(0, -1) : start }
}
