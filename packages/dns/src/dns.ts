import { isMainThread, MessageChannel, Worker } from 'node:worker_threads'
import { type KubeClient, type Logger, type RunningPart, serveMessagePort } from '@berth/kube'
import { runDnsServer } from './dns-server.ts'
import { DnsError } from './errors.ts'
import { type DnsConfig, type DnsSettings, settle } from './settings.ts'

export interface DnsOptions extends DnsConfig {
  client: KubeClient
  logger: Logger
  /** Serve on a thread of its own, whose requests to the API server go through `client`; by default where the caller is on the main thread. */
  worker?: boolean
  /** Where the thread's program is, if it is not beside this file (bundles). */
  workerUrl?: URL
}

/** Runs the cluster DNS of this node in this process's network namespace. Resolves when it answers. Throws DnsError: a wrong field, or an address that cannot be listened on. */
export async function startDns(options: DnsOptions): Promise<RunningPart> {
  const settings = settle(options, options.logger.verbosity)
  if (!(options.worker ?? isMainThread)) return runDnsServer(settings, options.client, options.logger)
  return superviseWorker(settings, options)
}

/** Starts the thread, and another one whenever it dies. */
async function superviseWorker(settings: DnsSettings, options: DnsOptions): Promise<RunningPart> {
  const { logger } = options
  let stopping = false
  let current = await startWorker(settings, options)
  const watch = (): void => {
    const died = current
    void died.ended.then(async () => {
      for (let delay = 500; !stopping && current === died; delay = Math.min(10_000, delay * 2)) {
        logger.error(new DnsError('Listen', 'the DNS thread ended'), 'Starting DNS again', { delayMs: delay })
        await new Promise((resolve) => setTimeout(resolve, delay).unref())
        if (stopping) return
        try {
          current = await startWorker(settings, options)
          if (stopping) current.worker.postMessage('stop')
          watch()
        } catch (error) {
          logger.error(error, 'Cannot start DNS, will retry')
        }
      }
    })
  }
  watch()
  return {
    name: 'dns',
    async stop() {
      stopping = true
      current.worker.postMessage('stop')
      await current.ended
    },
  }
}

interface RunningWorker {
  worker: Worker
  ended: Promise<void>
}

function startWorker(settings: DnsSettings, { client, logger, workerUrl }: DnsOptions): Promise<RunningWorker> {
  const channel = new MessageChannel()
  const stopServing = serveMessagePort(channel.port1, (request) => client.raw(request))
  // This file's own ending: `.ts` from the sources, `.js` in a bundle.
  const program = workerUrl ?? new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)
  const worker = new Worker(program, { workerData: { settings, api: channel.port2 }, transferList: [channel.port2], name: 'dns' })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => {
    stopServing()
    channel.port1.close()
    resolve()
  }))
  return new Promise((resolve, reject) => {
    worker.on('message', (message: { log?: string; ready?: boolean; failed?: string }) => {
      if (message.log !== undefined) process.stderr.write(message.log)
      if (message.ready) resolve({ worker, ended })
      if (message.failed !== undefined) reject(new DnsError('Listen', message.failed))
    })
    worker.on('error', (error) => {
      logger.error(error, 'The DNS thread failed')
      reject(new DnsError('Listen', 'the DNS thread failed', { cause: error }))
    })
    void ended.then(() => reject(new DnsError('Listen', 'the DNS thread ended')))
  })
}
