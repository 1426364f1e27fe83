import type { RequestHandler, TransportResponse } from '@berth/kube'

interface Stored {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; resourceVersion?: string; uid?: string }
}

/**
 * A very small API server inside the process, behind a real client and real informers: list, watch from a version, get, create, update, patch (merge), delete. It knows
 * no selectors but metadata.name, no validation and no authorization.
 */
export class SmallApi {
  readonly #objects = new Map<string, Stored>()
  readonly #history: { version: number; path: string; type: string; object: Stored }[] = []
  readonly #watchers = new Set<() => void>()
  #version = 1

  /** Adds or replaces; `path` is the collection with its namespace, such as /api/v1/nodes or /api/v1/namespaces/default/services. */
  put(path: string, object: Omit<Stored, 'metadata'> & { metadata: object }): void {
    const stored = structuredClone(object) as Stored
    const key = `${path}/${stored.metadata.name}`
    const before = this.#objects.get(key)
    stored.metadata.resourceVersion = String(++this.#version)
    stored.metadata.uid ??= before?.metadata.uid ?? `uid-${this.#version}`
    this.#objects.set(key, stored)
    this.#record(before ? 'MODIFIED' : 'ADDED', path, stored)
  }

  remove(path: string, name: string): void {
    const object = this.#objects.get(`${path}/${name}`)
    if (!object) return
    this.#objects.delete(`${path}/${name}`)
    this.#version++
    this.#record('DELETED', path, { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } })
  }

  get(path: string, name: string): unknown {
    return this.#objects.get(`${path}/${name}`)
  }

  readonly handler: RequestHandler = async (request) => {
    const url = new URL(request.path, 'http://api')
    const body = request.body === undefined ? undefined : (JSON.parse(Buffer.from(request.body).toString()) as Stored)
    const [collection, name] = split(url.pathname)
    if (request.method === 'GET' && url.searchParams.get('watch') !== null && url.searchParams.get('watch') !== 'false') return this.#watch(collection, url, request.signal)
    if (request.method === 'GET' && name === '') return json(200, this.#list(collection, url))
    const existing = this.#objects.get(`${collection}/${name}`)
    if (request.method === 'POST' && body) {
      if (this.#objects.has(`${collection}/${body.metadata.name}`)) return failure(409, 'AlreadyExists')
      this.put(collection, { ...body, metadata: { ...body.metadata, namespace: /namespaces\/([^/]+)/.exec(collection)?.[1] } })
      return json(201, this.get(collection, body.metadata.name))
    }
    if (!existing) return failure(404, 'NotFound')
    if (request.method === 'DELETE') this.remove(collection, name)
    if (request.method === 'PUT' && body) {
      if (body.metadata.resourceVersion && body.metadata.resourceVersion !== existing.metadata.resourceVersion) return failure(409, 'Conflict')
      this.put(collection, body)
    }
    if (request.method === 'PATCH') return failure(405, 'MethodNotAllowed')
    return json(200, this.get(collection, name) ?? existing)
  }

  #list(collection: string, url: URL): object {
    const items = [...this.#objects].filter(([key, object]) => within(collection, key) && selected(url, object)).map(([, object]) => object)
    return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: String(this.#version) }, items }
  }

  #watch(collection: string, url: URL, signal: AbortSignal | undefined): TransportResponse {
    let cursor = Number(url.searchParams.get('resourceVersion') ?? this.#version)
    const next = async function* (this: SmallApi): AsyncIterable<Uint8Array> {
      while (!signal?.aborted) {
        for (const entry of this.#history.filter((past) => past.version > cursor && within(collection, `${past.path}/x`) && selected(url, past.object))) {
          yield Buffer.from(`${JSON.stringify({ type: entry.type, object: entry.object })}\n`)
        }
        cursor = this.#version
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            this.#watchers.delete(wake)
            resolve()
          }
          this.#watchers.add(wake)
          signal?.addEventListener('abort', wake, { once: true })
        })
      }
    }
    return { status: 200, headers: { 'content-type': 'application/json' }, body: next.call(this) }
  }

  #record(type: string, path: string, object: Stored): void {
    this.#history.push({ version: this.#version, path, type, object })
    for (const wake of [...this.#watchers]) wake()
  }
}

// A collection of all namespaces holds those of each.
function within(collection: string, key: string): boolean {
  const parent = key.slice(0, key.lastIndexOf('/'))
  return parent === collection || parent.replace(/\/namespaces\/[^/]+\//, '/') === collection
}

function selected(url: URL, object: Stored): boolean {
  const wanted = /(?:^|,)metadata\.name=([^,]+)/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1]
  return wanted === undefined || wanted === object.metadata.name
}

// The plural that ends a collection's path, then a name.
function split(path: string): [string, string] {
  const match = /^((?:\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/[^/]+)?\/[a-z]+)(?:\/([^/]+))?$/.exec(path)
  return [match?.[1] ?? path, match?.[2] ?? '']
}

function json(status: number, body: unknown): TransportResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: (async function* () { yield Buffer.from(JSON.stringify(body)) })() }
}

function failure(code: number, reason: string): TransportResponse {
  return json(code, { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', reason, code, message: reason })
}
