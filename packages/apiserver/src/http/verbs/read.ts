// get and list.
import { notFound, StatusError } from '../../errors.ts'
import type { ApiObject, ApiResponse } from '../../interfaces.ts'
import { CachedObject } from '../../registry/cached-object.ts'
import { listPage, matcherOf } from '../../registry/listing.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ResourceRuntime } from '../../registry/resource-runtime.ts'
import type { ResourceContext } from '../context.ts'
import { negotiate, routeNotAcceptable, wantsPretty } from '../media-types.ts'
import type { Representation } from '../media-types.ts'
import { parseListOptions, parseResourceVersion } from '../query-options.ts'
import { listResponse, objectResponse } from '../respond.ts'

const freshnessTimeoutMs = 3_000

/** Waits until the caches have reached a revision that the client has seen. Throws 504 when they do not in time. */
export async function waitForFreshness(registry: Registry, revision: number, signal: AbortSignal): Promise<void> {
  if (revision <= registry.revision) return
  try {
    await registry.waitForRevision(revision, AbortSignal.any([signal, AbortSignal.timeout(freshnessTimeoutMs)]))
  } catch (error) {
    throw new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${revision}, current: ${registry.revision}`,
      { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 }, { cause: error })
  }
}

/** What a read waits for: the revision that it names, or, naming none, every write that was acknowledged before it. Throws 504. */
export async function waitForRead(registry: Registry, revision: number | undefined, signal: AbortSignal): Promise<void> {
  if (revision !== undefined) await waitForFreshness(registry, revision, signal)
  else if (registry.storage.shared) await waitForFreshness(registry, await registry.storage.latest(), signal)
}

/** The representation of an answer; unknown media types get go-restful's 406. */
export function representationOf(context: Pick<ResourceContext, 'request'> & { runtime?: ResourceContext['runtime'] }, shapes: readonly Representation['as'][]): Representation {
  const accept = context.request.headers['accept']
  try {
    return negotiate(accept, shapes, context.runtime?.rules.custom !== true)
  } catch (error) {
    if (accept !== undefined && !/json|yaml|protobuf|\*\/\*/.test(accept)) throw routeNotAcceptable()
    throw error
  }
}

export function presentation(context: ResourceContext): { pretty: boolean, includeObject: string, now: number } {
  return {
    pretty: wantsPretty(context.query, context.request.headers['user-agent']), includeObject: context.query.get('includeObject') ?? '', now: context.deps.registry.now(),
  }
}

/** Objects that are nowhere stored, as if they were. */
async function computedOf(runtime: ResourceRuntime, matches: ((object: ApiObject) => boolean) | undefined): Promise<CachedObject[]> {
  const objects = await runtime.definition.computed?.() ?? []
  return objects.filter((object) => !matches || matches(object)).map((object) => new CachedObject(runtime.key('', object.metadata.name), 0, object, undefined))
}

/** GET of one object. */
export async function get(context: ResourceContext): Promise<ApiResponse> {
  const { deps, info, runtime, query } = context
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const revision = parseResourceVersion(query.get('resourceVersion') ?? '')
  await waitForRead(deps.registry, revision, context.request.signal)
  const cached = runtime.definition.computed ? (await computedOf(runtime, (object) => object.metadata.name === info.name))[0] : runtime.cache.get(runtime.key(info.namespace, info.name))
  if (!cached) throw notFound(runtime.groupResource, info.name)
  await runtime.prepareToServe([cached])
  return objectResponse(200, runtime, cached, representation, presentation(context))
}

/** GET of a collection. */
export async function list(context: ResourceContext): Promise<ApiResponse> {
  const { deps, info, runtime, query } = context
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadataList'])
  const options = parseListOptions(query, runtime)
  const revision = parseResourceVersion(options.resourceVersion)
  await waitForRead(deps.registry, revision, context.request.signal)
  if (runtime.definition.computed) return listResponse(runtime, await computedOf(runtime, matcherOf(runtime.definition, options.labels, options.fields)), { resourceVersion: '' }, representation, presentation(context))
  // Without a match rule a page at a given revision is that revision; whole lists only promise not to be older.
  const exact = options.resourceVersionMatch === 'Exact' || (options.resourceVersionMatch === '' && options.limit > 0 && revision !== undefined && revision > 0)
  const page = await listPage(deps.registry, runtime, {
    namespace: runtime.definition.resource.namespaced ? info.namespace : '', matches: matcherOf(runtime.definition, options.labels, options.fields),
    exactRevision: exact ? revision : undefined, limit: options.limit, continueToken: options.continueToken,
  })
  const metadata = {
    resourceVersion: String(page.revision), ...(page.continueToken !== undefined && { continue: page.continueToken }),
    ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
  }
  await runtime.prepareToServe(page.items)
  return listResponse(runtime, page.items, metadata, representation, presentation(context))
}
