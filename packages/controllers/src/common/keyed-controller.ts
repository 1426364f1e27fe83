import { createWorkQueue, runWorkers, type Informer, type WorkQueue } from '@berth/kube'
import type { ControllerContext } from '../context.ts'

export interface KeyedOptions<K extends string> {
  /** The queue's name: upstream's word for it. */
  name: string
  workers: number
  context: ControllerContext
  /** Must have synced before the first key is handled. */
  informers: readonly Pick<Informer<unknown>, 'whenSynced'>[]
  sync(key: K, queue: WorkQueue<K>): Promise<void>
  maxDelayMs?: number
}

/** The frame of a controller: a queue of keys, filled by informers' handlers, and workers that bring each key's object to what it should be. */
export function keyedController<K extends string = string>(options: KeyedOptions<K>): { queue: WorkQueue<K>; run(): Promise<void> } {
  const { context, informers } = options
  const queue = createWorkQueue<K>({ name: options.name, clock: context.clock, observer: context.queueObserver?.(options.name), ...(options.maxDelayMs === undefined ? {} : { maxDelayMs: options.maxDelayMs }) })
  return {
    queue,
    async run() {
      try {
        await Promise.all(informers.map((informer) => informer.whenSynced(context.signal)))
      } catch (error) {
        if (context.signal.aborted) return queue.shutDown()
        throw error
      }
      await runWorkers(queue, options.workers, (key) => options.sync(key, queue), { logger: context.logger, signal: context.signal })
    },
  }
}

/** Calls `act` now and each `periodMs` after it ended, until the signal aborts. Errors are logged. */
export async function periodically(context: ControllerContext, name: string, periodMs: number, act: () => Promise<void>): Promise<void> {
  while (!context.signal.aborted) {
    try {
      await act()
    } catch (error) {
      if (!context.signal.aborted) context.logger.error(error, 'A periodic task failed, will retry', { task: name })
    }
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) return resolve()
      const stop = (): void => {
        timer.cancel()
        resolve()
      }
      const timer = context.clock.setTimeout(() => {
        context.signal.removeEventListener('abort', stop)
        resolve()
      }, periodMs)
      context.signal.addEventListener('abort', stop, { once: true })
    })
  }
}
