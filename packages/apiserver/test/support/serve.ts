// Run as a process of its own: an API server that names its port on standard output once it is ready, and tells its memory when it is asked.
import { silentLogger } from '@berth/kube'
import { startApiServer } from '../../src/index.ts'

/** Faults with where they come from, on one line each. */
const logger = Object.assign(silentLogger(), {
  error(error: unknown, message: string, values: Record<string, unknown> = {}) {
    process.stderr.write(`${JSON.stringify({ message, ...values, error: error instanceof Error ? error.stack : String(error) })}\n`)
  },
})

const [dataDir = '', tokenFile = '', settings = '{}'] = process.argv.slice(2)
const server = await startApiServer({ dataDir, securePort: 0, bindAddress: '127.0.0.1', tokenAuthFile: tokenFile, logger, ...JSON.parse(settings) as object })
await server.whenReady()
process.stdout.write(`port ${server.port}\n`)
process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)))
process.on('message', () => {
  (globalThis as { gc?: () => void }).gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send?.({ rss, heapUsed, external })
})
// The channel alone keeps nothing alive.
process.channel?.unref()
