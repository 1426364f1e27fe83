// The thread that DNS is served on: floods of questions and slow resolvers stay away from the agent's probes and leases.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createClient, createLogger, messagePortTransport } from '@berth/kube'
import { runDnsServer } from './dns-server.ts'
import type { DnsSettings } from './settings.ts'

const { settings, api } = workerData as { settings: DnsSettings; api: MessagePort }
try {
  const logger = createLogger({ name: 'dns', verbosity: settings.verbosity, write: (line) => parentPort?.postMessage({ log: line }) })
  const server = await runDnsServer(settings, createClient(messagePortTransport(api), { userAgent: 'berth-dns' }), logger)
  parentPort?.on('message', (message) => {
    if (message === 'stop') void server.stop().then(() => process.exit(0))
  })
  parentPort?.postMessage({ ready: true })
} catch (error) {
  parentPort?.postMessage({ failed: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}
