import { parentPort, workerData } from 'node:worker_threads'
import { createClient, createLogger, messagePortTransport, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { settleAfterStart } from '../boot/settle.ts'
import type { PartThreadData } from './threads.ts'

/** The inside of a part's thread: makes its client and logger, starts the part, and stops it when the main thread says so. */
export async function runPartThread(name: string, start: (context: { client: KubeClient; logger: Logger; settings: Readonly<Record<string, unknown>>; verbosity: number }) => Promise<RunningPart>): Promise<void> {
  settleAfterStart()
  const { port, verbosity, settings } = workerData as PartThreadData
  const logger = createLogger({ name, verbosity })
  const transport = messagePortTransport(port)
  const part = await start({ client: createClient(transport, { userAgent: `berth-${name}` }), logger, settings, verbosity })
  parentPort?.on('message', (message) => {
    if (message !== 'stop') return
    void part.stop().then(() => transport.close()).then(() => process.exit(0))
  })
}
