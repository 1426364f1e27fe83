import { setMaxListeners } from 'node:events'
import type { Logger } from '../logging/logger.ts'
import { isConflict } from '../errors.ts'
import type { WorkQueue } from './work-queue.ts'

/**
 * Takes keys with `count` workers until the queue or the signal ends. A handler that throws has its key retried with back-off and logged;
 * one that returns ends the key's back-off. Resolves when the last handler is done.
 */
export async function runWorkers<K extends string>(queue: WorkQueue<K>, count: number, handler: (key: K) => Promise<void>, options: { logger: Logger; signal: AbortSignal }): Promise<void> {
  const { logger, signal } = options
  setMaxListeners(0, signal)
  const stop = (): void => queue.shutDown()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const work = async (): Promise<void> => {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      try {
        if (!signal.aborted) await handler(key)
        queue.forget(key)
      } catch (error) {
        if (signal.aborted) continue
        // A write that lost a race is everyday life: the next try reads again.
        if (isConflict(error)) logger.v(2).info('Conflict, will retry', { queue: queue.name, key, err: error })
        else logger.error(error, 'Failed to sync, will retry', { queue: queue.name, key, retries: queue.retries(key) })
        queue.addRateLimited(key)
      } finally {
        queue.done(key)
      }
    }
  }
  await Promise.all(Array.from({ length: count }, work))
  signal.removeEventListener('abort', stop)
}
