import { setMaxListeners } from 'node:events'
import { apiVersionOf, type ResourceInfo } from '@berth/api'
import type { ObjectMeta, Status } from '@berth/api/types/meta/v1'
import { sleep, systemClock } from '../clock/system-clock.ts'
import { ApiError, TransportError, UsageError } from '../errors.ts'
import type { Transport, TransportRequest, TransportResponse } from '../transport/transport.ts'
import type { ClientOptions, KubeClient, KubeList, Patch, WatchEvent, WatchOptions } from './client.ts'
import { lines, readText } from './frames.ts'
import { queryString, resourcePath } from './paths.ts'

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

/** How often a request is repeated that the server answered with `Retry-After`. */
const maximumRetries = 10

/** Makes a {@link KubeClient} on a transport. Answers of 429 and 5xx with a `Retry-After` header are waited for and repeated. */
export function createClient(transport: Transport, options: ClientOptions = {}): KubeClient {
  const userAgent = options.userAgent ?? 'berth'

  const send = async (request: TransportRequest): Promise<TransportResponse> => {
    const headers = { accept: 'application/json', 'user-agent': userAgent, ...request.headers }
    // One signal may end any number of requests.
    if (request.signal !== undefined) setMaxListeners(0, request.signal)
    for (let attempt = 0; ; attempt += 1) {
      const response = await transport.request({ ...request, headers })
      if (response.status < 400) return response
      const error = await errorOf(response)
      const retryAfter = Number(response.headers['retry-after'])
      const mayRetry = (error.code === 429 || error.code >= 500) && Number.isFinite(retryAfter) && retryAfter > 0
      if (!mayRetry || attempt >= maximumRetries) throw error
      await sleep(systemClock, retryAfter * 1000, request.signal)
    }
  }

  const call = async <T>(method: string, path: string, body: unknown, signal: AbortSignal | undefined, contentType = 'application/json'): Promise<T> => {
    const response = await send({
      method, path,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': contentType } }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await readText(response.body)
    try {
      return JSON.parse(text) as T
    } catch (error) {
      throw new TransportError('broken', `${method} ${path}: the answer is not JSON`, { cause: error })
    }
  }

  const writeQuery = (o: { dryRun?: boolean; fieldManager?: string; force?: boolean }): string =>
    queryString({ dryRun: o.dryRun === true ? 'All' : undefined, fieldManager: o.fieldManager ?? options.fieldManager, force: o.force })

  const client: KubeClient = {
    get: (resource, name, o = {}) => call('GET', resourcePath(resource, { ...o, name }) + queryString({ resourceVersion: o.resourceVersion }), undefined, o.signal),

    async list<T>(resource: ResourceInfo<T>, { namespace, signal, ...query } = {} as Parameters<KubeClient['list']>[1] & object): Promise<KubeList<T>> {
      const list = await call<KubeList<T>>('GET', resourcePath(resource, { ...(namespace === undefined ? {} : { namespace }) }) + queryString(query), undefined, signal)
      list.items ??= []
      const typeMeta = { apiVersion: apiVersionOf(resource), kind: resource.kind }
      for (const item of list.items) Object.assign(item as object, typeMeta)
      return list
    },

    watch: (resource, o) => watchEvents(send, resource, o),

    create: (resource, object, o = {}) => {
      const namespace = o.namespace ?? metadataOf(object).namespace
      if (o.subresource !== undefined && o.name === undefined) throw new UsageError(`${resource.resource}/${o.subresource}: the parent's name is needed`)
      if (resource.namespaced && (namespace === undefined || namespace === '')) throw new UsageError(`${resource.resource}: a namespace is needed`)
      return call('POST', resourcePath(resource, { ...o, ...(namespace === undefined ? {} : { namespace }) }) + writeQuery(o), withType(resource, object, o.subresource), o.signal)
    },

    createSubresource: (resource, name, subresource, object, o = {}) =>
      call('POST', resourcePath(resource, { ...o, name, subresource }) + writeQuery(o), object, o.signal),

    update: (resource, object, o = {}) => {
      const { name, namespace } = metadataOf(object)
      const at = o.namespace ?? namespace
      const path = resourcePath(resource, { name, ...(at === undefined ? {} : { namespace: at }), ...(o.subresource === undefined ? {} : { subresource: o.subresource }) })
      return call('PUT', path + writeQuery(o), withType(resource, object, o.subresource), o.signal)
    },

    patch: (resource, name, patch, o = {}) => call('PATCH', resourcePath(resource, { ...o, name }) + writeQuery(o), patch.body, o.signal, patchTypes[patch.type]),

    delete: (resource, name, { namespace, signal, dryRun, ...rest } = {}) =>
      call('DELETE', resourcePath(resource, { name, ...(namespace === undefined ? {} : { namespace }) }), deleteOptions({ ...rest, dryRun }), signal),

    deleteCollection: (resource, { namespace, signal, dryRun, gracePeriodSeconds, propagationPolicy, ...query } = {}) =>
      call('DELETE', resourcePath(resource, { ...(namespace === undefined ? {} : { namespace }) }) + queryString(query), deleteOptions({ gracePeriodSeconds, propagationPolicy, dryRun }), signal),

    raw: (request) => transport.request({ ...request, headers: { 'user-agent': userAgent, ...request.headers } }),
  }
  return client
}

async function* watchEvents<T>(send: (r: TransportRequest) => Promise<TransportResponse>, resource: ResourceInfo<T>, o: WatchOptions): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { namespace, signal, ...query } = o
  const path = resourcePath(resource, { ...(namespace === undefined ? {} : { namespace }) }) + queryString({ ...query, watch: true })
  try {
    const response = await send({ method: 'GET', path, ...(signal === undefined ? {} : { signal }) })
    for await (const line of lines(response.body)) {
      if (signal?.aborted === true) return
      let event: WatchEvent<T>
      try {
        event = JSON.parse(line) as WatchEvent<T>
      } catch (error) {
        throw new TransportError('broken', `GET ${path}: an event is not JSON`, { cause: error })
      }
      yield event
    }
  } catch (error) {
    if (signal?.aborted === true) return
    throw error
  }
}

/** The error in an answer: its Status, or one made of whatever came instead (a proxy's page). */
export async function errorOf(response: TransportResponse): Promise<ApiError> {
  const retryAfter = Number(response.headers['retry-after'])
  const seconds = Number.isFinite(retryAfter) ? retryAfter : undefined
  const text = await readText(response.body).catch(() => '')
  let status: Status | undefined
  try {
    const parsed = JSON.parse(text) as Status
    if (parsed !== null && parsed.kind === 'Status') status = parsed
  } catch {
    // Not a Status: its text becomes the message.
  }
  status ??= { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: response.status, message: text.trim().slice(0, 2048) || `the server responded with the status code ${response.status}` }
  return new ApiError(response.status, status, seconds)
}

function metadataOf(object: unknown): ObjectMeta {
  return (object as { metadata?: ObjectMeta }).metadata ?? { name: '' }
}

/** The object with apiVersion and kind, which a caller may have left out. A subresource may be of another kind: it must state its own. */
function withType(resource: ResourceInfo, object: unknown, subresource: string | undefined): unknown {
  const typed = object as { apiVersion?: string; kind?: string }
  if (typed.apiVersion !== undefined && typed.kind !== undefined) return object
  const info = subresource === undefined ? undefined : resource.subresources.find((s) => s.name === subresource)
  const group = info === undefined || info.version === '' ? resource : info
  return { apiVersion: apiVersionOf(group), kind: info?.kind ?? resource.kind, ...typed }
}

function deleteOptions(o: { gracePeriodSeconds?: number | undefined; propagationPolicy?: string | undefined; preconditions?: object; dryRun?: boolean | undefined }): object {
  return {
    apiVersion: 'v1', kind: 'DeleteOptions',
    ...(o.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: o.gracePeriodSeconds }),
    ...(o.propagationPolicy === undefined ? {} : { propagationPolicy: o.propagationPolicy }),
    ...(o.preconditions === undefined ? {} : { preconditions: o.preconditions }),
    ...(o.dryRun === true ? { dryRun: ['All'] } : {}),
  }
}
