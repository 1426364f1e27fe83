// The overlay in a process of its own, so that it can live in a node's namespace and be killed. Objects come as JSON lines on stdin.
import { createInterface } from 'node:readline'
import { createClient, inProcessTransport, silentLogger } from '@berth/kube'
import { startOverlay } from '../src/index.ts'
import { SmallApi } from './small-api.ts'

const [nodeName = '', dir = ''] = process.argv.slice(2)
const api = new SmallApi()
createInterface({ input: process.stdin }).on('line', (line) => api.put('/api/v1/nodes', JSON.parse(line)))
const client = createClient(inProcessTransport(api.handler, { name: 'test', groups: [] }))
await startOverlay({
  client, nodeName, stateDir: `${dir}/state`, cniConfDir: `${dir}/conf`, cniBinDir: `${dir}/bin`, socket: `${dir}/overlay.sock`,
  logger: silentLogger(),
})
console.log('ready')
