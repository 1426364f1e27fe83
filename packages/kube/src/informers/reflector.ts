import type { ResourceInfo } from '@berth/api'
import type { ObjectMeta, Status } from '@berth/api/types/meta/v1'
import type { KubeClient, ListOptions, WatchEvent } from '../client/client.ts'
import type { Clock } from '../clock/clock.ts'
import { sleep } from '../clock/system-clock.ts'
import { ApiError, isGone, isTooManyRequests, TransportError } from '../errors.ts'
import type { Logger } from '../logging/logger.ts'

/** Where a reflector puts what it sees. */
export interface ReflectorSink<T> {
  /** All objects there are, as of a list. */
  replace(objects: T[]): void
  put(object: T): void
  remove(object: T): void
}

export interface ReflectorOptions<T> {
  client: KubeClient
  resource: ResourceInfo<T>
  selection: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>
  sink: ReflectorSink<T>
  clock: Clock
  logger: Logger
  /** 0 to 1: spreads retries and watch lengths of many clients. */
  random?: () => number
}

const firstDelayMs = 800
const greatestDelayMs = 30_000
/** A healthy stretch this long ends the back-off. */
const resetAfterMs = 120_000
/** Watches are asked to last between this and twice this. */
const watchSeconds = 300

/** The list must be taken again, without waiting for a version that the server no longer has. */
class Relist extends Error {}

/**
 * Keeps a sink like the server's objects until the signal aborts: lists once, then watches from there, resuming after each end of the
 * stream. Lists again only where the server has forgotten our version (410) or answers with an error that a new watch would meet too.
 */
export async function reflect<T>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { clock, logger, resource } = options
  const backoff = createBackoff(clock, options.random ?? Math.random)
  // '0': any version the server's cache has will do for the first list. Later: at least what we have seen; after 410, the newest.
  let version = '0'
  while (!signal.aborted) {
    try {
      const list = await options.client.list(resource, { ...options.selection, resourceVersion: version, signal })
      version = list.metadata.resourceVersion ?? ''
      options.sink.replace(list.items)
      logger.v(4).info('Listed', { resource: resource.resource, count: list.items.length, resourceVersion: version })
      await watchOn(options, version, (seen) => { version = seen }, backoff, signal)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Relist || isGone(error) || isTooLarge(error)) version = ''
      if (error instanceof Relist) logger.v(2).info('Watch ended, listing again', { resource: resource.resource, reason: error.message })
      else logger.warn('Failed to list or watch', { resource: resource.resource, err: error })
      await backoff.wait(signal)
    }
  }
}

async function watchOn<T>(options: ReflectorOptions<T>, from: string, seen: (version: string) => void, backoff: Backoff, signal: AbortSignal): Promise<never> {
  const { clock, logger, resource } = options
  let version = from
  for (;;) {
    signal.throwIfAborted()
    const started = clock.now()
    let events = 0
    try {
      for await (const event of guardedWatch(options, version, signal)) {
        events += 1
        const at = (event.object as { metadata?: ObjectMeta }).metadata?.resourceVersion
        take(options.sink, event)
        if (at !== undefined && at !== '') {
          version = at
          seen(at)
        }
      }
    } catch (error) {
      signal.throwIfAborted()
      if (isGone(error)) throw new Relist('too old resource version')
      if (!(error instanceof TransportError) && !isTooManyRequests(error)) throw error
      logger.v(1).info('Watch broke off, resuming', { resource: resource.resource, resourceVersion: version, err: error })
      await backoff.wait(signal)
      continue
    }
    // A server that ends watches at once would be asked in a tight loop.
    if (events === 0 && clock.now() - started < 1000) await backoff.wait(signal)
    logger.v(5).info('Watch ended, resuming', { resource: resource.resource, resourceVersion: version, events })
  }
}

/** A watch that is given up where the server neither ends it in the time agreed on nor sends anything: the connection is dead. */
async function* guardedWatch<T>(options: ReflectorOptions<T>, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
  const timeoutSeconds = Math.floor(watchSeconds * (1 + (options.random ?? Math.random)()))
  const guard = new AbortController()
  const abort = (): void => guard.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const timer = options.clock.setTimeout(() => guard.abort(), (timeoutSeconds + 30) * 1000)
  try {
    yield* options.client.watch(options.resource, { ...options.selection, resourceVersion, allowWatchBookmarks: true, timeoutSeconds, signal: guard.signal })
    if (guard.signal.aborted && !signal.aborted) throw new TransportError('timeout', `the server did not end a watch of ${timeoutSeconds} s`)
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', abort)
  }
}

function take<T>(sink: ReflectorSink<T>, event: WatchEvent<T>): void {
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED': return sink.put(event.object)
    case 'DELETED': return sink.remove(event.object)
    case 'BOOKMARK': return
    case 'ERROR': {
      const status = event.object as unknown as Status
      throw new ApiError(status.code ?? 500, status)
    }
  }
}

/** The server says that our version is of the future: it has been restored from a backup. */
function isTooLarge(error: unknown): boolean {
  return error instanceof ApiError && (error.status.details?.causes ?? []).some((cause) => cause.reason === 'ResourceVersionTooLarge')
}

interface Backoff {
  wait(signal: AbortSignal): Promise<void>
}

/** Doubles from 0.8 s to 30 s, each wait stretched by up to its own length; starts over after two quiet minutes. */
function createBackoff(clock: Clock, random: () => number): Backoff {
  let delay = firstDelayMs
  let last = -Infinity
  return {
    async wait(signal) {
      if (clock.now() - last > resetAfterMs) delay = firstDelayMs
      const ms = delay * (1 + random())
      delay = Math.min(delay * 2, greatestDelayMs)
      last = clock.now() + ms
      await sleep(clock, ms, signal).catch(() => {})
    },
  }
}
