import { jsonMergePatch, schemaOf, strategicMergePatch } from '@berth/api'
import type { RequestHandler, TransportRequest, TransportResponse } from '@berth/kube'

interface Stored { apiVersion?: string; kind?: string; metadata: Record<string, unknown> & { name: string; namespace?: string }; spec?: Record<string, unknown>; status?: unknown }
interface Change { type: string; object: Stored; collection: string; version: number; before: Stored | undefined }

/** A small API server in memory: objects by path, lists, watches, patches, graceful deletion of pods. It checks nothing; the suites that need a real one use one. */
export interface MemoryApi {
  readonly handler: RequestHandler
  get<T>(path: string): T | undefined
  list<T>(collection: string): T[]
  put(path: string, object: object): void
  /** Asks for the deletion of a pod as a user would. */
  deletePod(namespace: string, name: string, graceSeconds?: number): void
  /** Every request so far, as `METHOD path`. */
  readonly requests: string[]
}

const kinds: Record<string, { group: string; kind: string }> = {
  pods: { group: '', kind: 'Pod' }, nodes: { group: '', kind: 'Node' }, services: { group: '', kind: 'Service' }, configmaps: { group: '', kind: 'ConfigMap' },
  secrets: { group: '', kind: 'Secret' }, persistentvolumeclaims: { group: '', kind: 'PersistentVolumeClaim' }, persistentvolumes: { group: '', kind: 'PersistentVolume' }, events: { group: '', kind: 'Event' }, leases: { group: 'coordination.k8s.io', kind: 'Lease' },
}

export function createMemoryApi(): MemoryApi {
  const objects = new Map<string, Stored>()
  const changes: Change[] = []
  const listeners = new Set<() => void>()
  const requests: string[] = []
  let version = 1

  const publish = (type: string, path: string, object: Stored, before: Stored | undefined): void => {
    changes.push({ type, object: structuredClone(object), collection: path.split('/').slice(0, -1).join('/'), version, before })
    for (const wake of [...listeners]) wake()
  }
  const store = (path: string, object: Stored): Stored => {
    const before = objects.get(path)
    version++
    object.metadata.resourceVersion = String(version)
    object.metadata.uid ??= `uid-${version}-${object.metadata.name}`
    object.metadata.creationTimestamp ??= new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    objects.set(path, structuredClone(object))
    publish(before ? 'MODIFIED' : 'ADDED', path, object, before)
    return object
  }
  const remove = (path: string): void => {
    const before = objects.get(path)
    if (!before) return
    objects.delete(path)
    version++
    publish('DELETED', path, { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } }, before)
  }
  const selected = (object: Stored, selector: string | null): boolean => {
    const [field, value] = (selector ?? '').split('=')
    if (field === 'spec.nodeName') return object.spec?.nodeName === value
    if (field === 'metadata.name') return object.metadata.name === value
    return true
  }
  /** Does the object lie in the collection, which may span namespaces? */
  const within = (collection: string, wanted: string): boolean => collection === wanted || collection.replace(/\/namespaces\/[^/]+/, '') === wanted

  const deletePod = (path: string, grace: number): void => {
    const pod = objects.get(path)
    if (!pod) return
    if (grace === 0 || !pod.spec?.nodeName) return remove(path)
    store(path, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(Date.now() + grace * 1000).toISOString(), deletionGracePeriodSeconds: grace } })
  }

  const handler: RequestHandler = async (request) => {
    requests.push(`${request.method} ${request.path}`)
    const url = new URL(request.path, 'http://api')
    const parts = url.pathname.split('/').filter((p) => p !== '')
    const resourceAt = parts.findIndex((p) => kinds[p] !== undefined && p !== 'namespaces')
    const resource = parts[resourceAt] ?? ''
    const name = parts[resourceAt + 1]
    const path = `/${parts.slice(0, resourceAt + 2).join('/')}`
    const body = request.body === undefined ? undefined : (JSON.parse(typeof request.body === 'string' ? request.body : Buffer.from(request.body).toString('utf8')) as Stored & { gracePeriodSeconds?: number })
    const { group = '', kind = '' } = kinds[resource] ?? {}
    const apiVersion = group ? `${group}/v1` : 'v1'
    const full = (o: Stored): Stored => ({ ...o, apiVersion, kind })

    if (resource === '' && parts.includes('serviceaccounts'))
      return json(201, { ...body, status: { token: `token-for-${parts.at(-2)}`, expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() } })
    if (request.method === 'GET' && name === undefined) {
      const fieldSelector = url.searchParams.get('fieldSelector')
      if (url.searchParams.get('watch') !== 'true' && url.searchParams.get('watch') !== '1') {
        const items = [...objects].filter(([p, o]) => within(p.split('/').slice(0, -1).join('/'), url.pathname) && selected(o, fieldSelector)).map(([, o]) => full(o))
        return json(200, { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: String(version) }, items })
      }
      return watchResponse(request, url, fieldSelector, full)
    }
    const existing = name === undefined ? undefined : objects.get(path)
    if (request.method === 'POST' && body) {
      const at = `${path}/${body.metadata.name || `${String(body.metadata.generateName)}${version}`}`
      if (objects.has(at)) return failure(409, 'AlreadyExists', `${resource} "${body.metadata.name}" already exists`)
      return json(201, full(store(at, body)))
    }
    if (!existing || name === undefined) return failure(404, 'NotFound', `${resource} "${name ?? ''}" not found`)
    if (request.method === 'GET') return json(200, full(existing))
    if (request.method === 'DELETE') {
      if (resource === 'pods') deletePod(path, body?.gracePeriodSeconds ?? Number(existing.spec?.terminationGracePeriodSeconds ?? 30))
      else remove(path)
      return json(200, full(existing))
    }
    if (request.method === 'PUT' && body) return json(200, full(store(path, { ...body, metadata: { ...existing.metadata, ...body.metadata } })))
    if (request.method === 'PATCH' && body) {
      const strategic = request.headers?.['content-type']?.includes('strategic')
      const schema = schemaOf({ group, version: 'v1', kind })
      if (!schema) throw new Error(`no schema of ${kind}`)
      const patched = (strategic ? strategicMergePatch(schema, existing, body) : jsonMergePatch(existing, body)) as unknown as Stored
      return json(200, full(store(path, patched)))
    }
    return failure(405, 'MethodNotAllowed', request.method)
  }

  const watchResponse = (request: TransportRequest, url: URL, fieldSelector: string | null, full: (o: Stored) => Stored): TransportResponse => {
    let seen = Number(url.searchParams.get('resourceVersion') ?? '0')
    const { signal } = request
    async function* body(): AsyncGenerator<Uint8Array> {
      for (;;) {
        if (signal?.aborted) return
        const next = changes.filter((c) => c.version > seen && within(c.collection, url.pathname))
        for (const c of next) {
          seen = c.version
          const now = selected(c.object, fieldSelector)
          const was = c.before !== undefined && selected(c.before, fieldSelector)
          if (!now && !was) continue
          const type = c.type === 'DELETED' || !now ? 'DELETED' : was ? 'MODIFIED' : 'ADDED'
          yield Buffer.from(`${JSON.stringify({ type, object: full(c.object) })}\n`)
        }
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            listeners.delete(wake)
            resolve()
          }
          listeners.add(wake)
          signal?.addEventListener('abort', wake, { once: true })
        })
      }
    }
    return { status: 200, headers: { 'content-type': 'application/json' }, body: body() }
  }

  return {
    handler,
    requests,
    get: <T>(path: string) => objects.get(path) as T | undefined,
    list: <T>(collection: string) => [...objects].filter(([p]) => within(p.split('/').slice(0, -1).join('/'), collection)).map(([, o]) => o as T),
    put: (path, object) => void store(path, object as Stored),
    deletePod: (namespace, name, graceSeconds = 30) => deletePod(`/api/v1/namespaces/${namespace}/pods/${name}`, graceSeconds),
  }
}

function json(status: number, value: unknown): TransportResponse {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(JSON.stringify(value))
  }
  return { status, headers: { 'content-type': 'application/json' }, body: body() }
}

const failure = (code: number, reason: string, message: string): TransportResponse => json(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })
