import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { serveMessagePort, type Logger, type RequestHandler, type RequestUser } from '@berth/kube'

/** A part on a thread of its own, whose API requests are answered on this thread. */
export interface PartThread { stop(): Promise<void> }

/** What a part's thread is started with; plain data. */
export interface PartThreadData {
  readonly port: MessagePort
  readonly verbosity: number
  readonly settings: Readonly<Record<string, unknown>>
}

/**
 * Runs a part's script on a thread, with a transport to `handler` on which it is `user`. A thread that dies ends the process:
 * the supervisor starts it again, and everything reads the world anew.
 */
export function startPartThread(options: { name: string; script: URL; handler: RequestHandler; user: RequestUser; verbosity: number; settings: Record<string, unknown>; logger: Logger; maxOldSpaceMb: number }): PartThread {
  const { name, script, handler, user, logger } = options
  const { port1, port2 } = new MessageChannel()
  const unserve = serveMessagePort(port1, (request) => handler({ ...request, user }))
  const workerData: PartThreadData = { port: port2, verbosity: options.verbosity, settings: options.settings }
  const worker = new Worker(script, { name, workerData, transferList: [port2], resourceLimits: { maxOldGenerationSizeMb: options.maxOldSpaceMb } })
  let stopping = false
  worker.on('error', (error) => logger.error(error, 'A thread failed', { thread: name }))
  worker.on('exit', (code) => {
    if (stopping) return
    logger.error(new Error(`exit code ${code}`), 'A thread ended', { thread: name })
    process.exit(1)
  })
  return {
    async stop() {
      stopping = true
      worker.postMessage('stop')
      const ended = new Promise<void>((resolve) => { worker.once('exit', () => resolve()) })
      await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, 3000).unref() })])
      unserve()
      await worker.terminate()
    },
  }
}
