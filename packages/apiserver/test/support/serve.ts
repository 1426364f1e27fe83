// Run as a process of its own: an API server that names its port on standard output once it is ready.
import { startApiServer } from '../../src/index.ts'

const [dataDir = '', tokenFile = ''] = process.argv.slice(2)
const server = await startApiServer({ dataDir, securePort: 0, bindAddress: '127.0.0.1', tokenAuthFile: tokenFile })
await server.whenReady()
process.stdout.write(`port ${server.port}\n`)
process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)))
