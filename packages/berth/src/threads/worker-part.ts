import type { Worker } from 'node:worker_threads'
import type { Logger, RunningPart } from '@berth/kube'

/** How long a thread may take to stop its part before it is ended. */
const stopMs = 2000

/**
 * A thread as a part of this process. Its script stops what it runs and exits when it gets the message `stop`. A thread that ends by
 * itself ends the process: the supervisor starts it again, and everything reads the world anew.
 */
export function workerPart(name: string, worker: Worker, logger: Logger): RunningPart {
  let stopping = false
  worker.on('error', (error) => logger.error(error, 'A thread failed', { thread: name }))
  worker.on('exit', (code) => {
    if (stopping) return
    logger.error(new Error(`exit code ${code}`), 'A thread ended', { thread: name })
    process.exit(1)
  })
  return {
    name,
    async stop() {
      stopping = true
      worker.postMessage('stop')
      const ended = new Promise<void>((resolve) => { worker.once('exit', () => resolve()) })
      await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, stopMs).unref() })])
      await worker.terminate()
    },
  }
}
