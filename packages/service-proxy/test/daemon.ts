// The proxy in a process of its own, so that it can live in a node's namespace and be killed. Changes of objects come as JSON lines on stdin.
import { createInterface } from 'node:readline'
import { createClient, createLogger, inProcessTransport, silentLogger } from '@berth/kube'
import { SmallApi } from '../../overlay/test/small-api.ts'
import { startServiceProxy } from '../src/index.ts'

const [nodeName = '', config = '{}', verbosity] = process.argv.slice(2)
const api = new SmallApi()
const ready = Promise.withResolvers<void>()
createInterface({ input: process.stdin }).on('line', (line) => {
  const change = JSON.parse(line)
  if (change.start) ready.resolve()
  else if (change.object) api.put(change.path, change.object)
  else api.remove(change.path, change.name)
})
await ready.promise
const client = createClient(inProcessTransport(api.handler, { name: 'test', groups: [] }))
const logger = verbosity === undefined ? silentLogger() : createLogger({ name: 'proxy', verbosity: Number(verbosity) })
await startServiceProxy({ client, nodeName, config: JSON.parse(config), logger })
console.log('ready')
