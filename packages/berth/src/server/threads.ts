import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { serveMessagePort, type Logger, type RequestHandler, type RequestUser, type RunningPart } from '@berth/kube'
import { workerPart } from '../threads/worker-part.ts'

/** What a part's thread is started with; plain data. */
export interface PartThreadData {
  readonly port: MessagePort
  readonly verbosity: number
  readonly settings: Readonly<Record<string, unknown>>
}

/** Runs a part's script on a thread of its own, whose API requests are answered by `handler` on this thread, as `user`. */
export function startPartThread(options: { name: string; script: URL; handler: RequestHandler; user: RequestUser; verbosity: number; settings: Record<string, unknown>; logger: Logger; maxOldSpaceMb: number }): RunningPart {
  const { name, script, handler, user, logger } = options
  const { port1, port2 } = new MessageChannel()
  const unserve = serveMessagePort(port1, (request) => handler({ ...request, user }))
  const workerData: PartThreadData = { port: port2, verbosity: options.verbosity, settings: options.settings }
  const worker = new Worker(script, { name, workerData, transferList: [port2], resourceLimits: { maxOldGenerationSizeMb: options.maxOldSpaceMb } })
  const part = workerPart(name, worker, logger)
  return {
    name,
    async stop() {
      await part.stop()
      unserve()
    },
  }
}
