import type { Logger } from '@berth/kube'

/** Something that is stopped at the end of a process. */
export interface Stoppable {
  readonly name: string
  stop(): Promise<unknown>
}

/**
 * Stops things one after the other, in the order given. One that fails, or is not done within `limitMs`, is said in the log and
 * left behind: the process ends either way, and the next one reads the world anew.
 */
export async function stopInTurn(things: readonly Stoppable[], logger: Logger, limitMs = 3000): Promise<void> {
  for (const thing of things) {
    const { name } = thing
    const started = performance.now()
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it is not done after ${limitMs} ms`)), limitMs)
    })
    try {
      await Promise.race([thing.stop(), limit])
      logger.v(1).info('Stopped', { part: name, ms: Math.round(performance.now() - started) })
    } catch (error) {
      logger.error(error, 'Cannot stop in order', { part: name })
    } finally {
      clearTimeout(timer)
    }
  }
}
