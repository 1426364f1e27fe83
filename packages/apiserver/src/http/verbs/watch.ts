// watch: changes of a collection as a stream of JSON lines.
import { resourceExpired } from '../../errors.ts'
import type { ApiObject, ApiResponse } from '../../interfaces.ts'
import { jsonText } from '../../registry/cached-object.ts'
import type { CachedObject } from '../../registry/cached-object.ts'
import { matcherOf } from '../../registry/listing.ts'
import type { CacheEvent } from '../../registry/watch-cache.ts'
import { HistoryGone } from '../../registry/watch-cache.ts'
import { encodeWatchFrame } from '../../protobuf/encode.ts'
import { protobufEventOf, protobufMetadata, protobufType, protobufWatchEvent } from '../../protobuf/responses.ts'
import type { ResourceContext } from '../context.ts'
import type { Representation } from '../media-types.ts'
import { parseListOptions, parseResourceVersion } from '../query-options.ts'
import { bytesOf, partialMetadata, table, toStatusError } from '../respond.ts'
import { WatchStream } from '../watch-stream.ts'
import { presentation, representationOf, waitForFreshness } from './read.ts'

const encoder = new TextEncoder()
const bookmarkIntervalMs = 60_000
const initialEventsEnd = 'k8s.io/initial-events-end'

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

/** Turns versions into frames for one watcher. */
class Framer {
  readonly #context: ResourceContext
  readonly #representation: Representation
  readonly #plain: boolean
  #columnsSent = false

  constructor(context: ResourceContext, representation: Representation) {
    this.#context = context
    this.#representation = representation
    this.#plain = representation.as === 'object' && representation.format === 'json'
  }

  /** Whether frames are made for this watcher alone. */
  get own(): boolean {
    return !this.#plain && (this.#representation.format !== 'protobuf' || this.#representation.as !== 'object')
  }

  /** What there is when the watch begins, framed as it is drawn. */
  initial(objects: readonly CachedObject[], end: Iterable<Uint8Array>): Iterable<Uint8Array> {
    const columns = !this.#columnsSent
    if (objects.length > 0) this.#columnsSent = true
    return this.#initial(objects, columns, end)
  }

  * #initial(objects: readonly CachedObject[], columns: boolean, end: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const [i, cached] of objects.entries()) {
      if (this.#representation.as === 'Table') yield this.#line('ADDED', this.#table(this.#context.runtime.serve(cached.object), columns && i === 0))
      else yield this.frame('ADDED', cached)
    }
    yield* end
  }

  /** One event's line; `shared` holds what other watchers of the same event have made. */
  frame(type: EventType, cached: CachedObject, shared?: Map<string, Uint8Array>): Uint8Array {
    const { runtime } = this.#context
    const protobuf = this.#representation.format === 'protobuf'
    if (!this.#plain && (!protobuf || this.#representation.as !== 'object')) return this.#line(type, this.#shaped(runtime.serve(cached.object)))
    const name = `${this.#representation.format}:${type}:${runtime.apiVersion}`
    let frame = shared?.get(name)
    if (!frame) {
      frame = protobuf ? protobufWatchEvent(type, runtime, cached) : Buffer.concat([encoder.encode(`{"type":"${type}","object":`), bytesOf(runtime, cached), encoder.encode('}\n')])
      shared?.set(name, frame)
    }
    return frame
  }

  bookmark(revision: number, initialEnd: boolean): Uint8Array {
    const { runtime } = this.#context
    const metadata = { name: '', resourceVersion: String(revision), creationTimestamp: null, ...(initialEnd && { annotations: { [initialEventsEnd]: 'true' } }) }
    const object = { kind: runtime.gvk.kind, apiVersion: runtime.apiVersion, metadata }
    if (this.#representation.as === 'Table') {
      return this.#line('BOOKMARK', { ...table(runtime, [object], { resourceVersion: String(revision) }, this.#representation.version, { includeObject: 'Metadata', now: 0, columns: false }), rows: [] })
    }
    return this.#line('BOOKMARK', this.#representation.as === 'object' ? object : partialMetadata(object, this.#representation.version))
  }

  error(status: unknown): Uint8Array {
    return this.#line('ERROR', status)
  }

  #shaped(object: ApiObject): unknown {
    if (this.#representation.as === 'object') return object
    if (this.#representation.as === 'PartialObjectMetadata') return partialMetadata(object, this.#representation.version)
    const columns = !this.#columnsSent
    this.#columnsSent = true
    return this.#table(object, columns)
  }

  #table(object: ApiObject, columns: boolean): unknown {
    const meta = { resourceVersion: object.metadata.resourceVersion ?? '' }
    return table(this.#context.runtime, [object], meta, this.#representation.version, { ...presentation(this.#context), columns })
  }

  #line(type: EventType, object: unknown): Uint8Array {
    if (this.#representation.format === 'protobuf') {
      const { kind, metadata } = object as { kind?: unknown, metadata?: object }
      if (kind === 'PartialObjectMetadata' && metadata) return encodeWatchFrame(type, protobufMetadata(metadata, this.#representation.version))
      return protobufEventOf(type, object)
    }
    return encoder.encode(`${jsonText({ type, object })}\n`)
  }
}

/** GET of a collection with watch=true. Answers 200 and streams until the timeout, the client's going, or the server's stop. */
export async function watch(context: ResourceContext): Promise<ApiResponse> {
  const { deps, info, runtime, query, request } = context
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const options = { ...parseListOptions(query, runtime), watch: true }
  const since = parseResourceVersion(options.resourceVersion)
  if (since !== undefined) await waitForFreshness(deps.registry, since, request.signal)
  const matches = matcherOf(runtime.definition, options.labels, options.fields)
  const prefix = runtime.prefix(runtime.definition.resource.namespaced ? info.namespace : '')
  // /api/v1/watch/.../NAME was authorized for that one object.
  const only = info.parts.length > 1 ? runtime.key(info.namespace, info.name) : undefined
  const framer = new Framer(context, representation)

  const seconds = options.timeoutSeconds || deps.minRequestTimeoutSeconds * (1 + Math.random())
  const ends: (() => void)[] = []
  const fromState = options.sendInitialEvents ?? (since === undefined || since === 0)
  const initial = fromState ? [...runtime.cache.range(prefix)].filter((cached) => (only === undefined || cached.key === only) && (!matches || matches(cached.object))) : []
  const start = fromState || !since ? deps.registry.revision : since
  await runtime.prepareToServe(initial)
  const stream = new WatchStream(() => {
    for (const end of ends.splice(0)) end()
  }, framer.initial(initial, fromState && options.sendInitialEvents === true && options.bookmarks ? [framer.bookmark(start, true)] : []))
  // Where conversion takes asking somebody, events wait for it, and bookmarks for the events before them.
  let before = Promise.resolve()
  const inTurn = (cached: CachedObject | undefined, push: () => void): void => {
    if (runtime.definition.conversion === undefined) return push()
    before = before.then(async () => {
      if (stream.ended) return
      if (cached) await runtime.prepareToServe([cached])
      push()
    }).catch((error: unknown) => {
      stream.push(framer.error(toStatusError(error).status))
      stream.end()
    })
  }
  const send = (type: EventType, cached: CachedObject, frames: CacheEvent['frames']): void => inTurn(cached, () => stream.push(framer.frame(type, cached, frames), framer.own))
  const bookmark = (): void => {
    const frame = framer.bookmark(deps.registry.revision, false)
    inTurn(undefined, () => stream.push(frame))
  }
  const tell = (event: CacheEvent): void => {
    if (!event.key.startsWith(prefix) || (only !== undefined && event.key !== only)) return
    const now = event.current !== undefined && (!matches || matches(event.current.object))
    const was = event.previous !== undefined && (!matches || matches(event.previous.object))
    if (now && event.current) send(was ? 'MODIFIED' : 'ADDED', event.current, event.frames)
    else if (was && event.departed) send('DELETED', event.departed, event.frames)
  }
  try {
    ends.push(runtime.cache.subscribe(start, tell, () => stream.end()))
  } catch (error) {
    if (!(error instanceof HistoryGone)) throw error
    stream.push(framer.error(resourceExpired(`too old resource version: ${since ?? 0} (${error.oldest})`).status))
    stream.end()
  }
  if (!stream.ended) {
    if (options.bookmarks) {
      const timer = setInterval(bookmark, bookmarkIntervalMs)
      ends.push(() => clearInterval(timer))
    }
    const timer = setTimeout(() => {
      if (options.bookmarks) bookmark()
      inTurn(undefined, () => stream.end())
    }, Math.min(seconds * 1000, 2 ** 31 - 1))
    ends.push(() => clearTimeout(timer))
    const abort = (): void => stream.abandon()
    request.signal.addEventListener('abort', abort, { once: true })
    ends.push(() => request.signal.removeEventListener('abort', abort))
    if (request.signal.aborted) stream.abandon()
  } else for (const end of ends.splice(0)) end()
  const contentType = representation.format === 'protobuf' ? `${protobufType};stream=watch` : representation.format === 'json' ? representation.contentType : 'application/json'
  return { status: 200, headers: { 'content-type': contentType }, body: stream, whenCut: (cut) => stream.whenCut(cut) }
}
