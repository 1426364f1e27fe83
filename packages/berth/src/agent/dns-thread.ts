import { parentPort, workerData } from 'node:worker_threads'
import { startDns } from '@berth/dns'
import { createClient, createLogger, transportFromKubeconfig } from '@berth/kube'
import { settleAfterStart } from '../boot/settle.ts'

/** What the agent's main thread says; plain data. */
export interface DnsThreadData {
  readonly kubeconfig: string
  readonly nodeName: string
  readonly address: string
  readonly serviceIp: string
  readonly clusterDomain: string
  readonly upstreams: string[]
  readonly verbosity: number
}

settleAfterStart()
const data = workerData as DnsThreadData
const transport = transportFromKubeconfig(data.kubeconfig)
const dns = await startDns({
  client: createClient(transport, { userAgent: 'berth-dns' }),
  nodeName: data.nodeName,
  listen: [data.address],
  upstreams: data.upstreams,
  clusterDomain: data.clusterDomain,
  manageService: true,
  serviceIp: data.serviceIp,
  logger: createLogger({ name: 'dns', verbosity: data.verbosity }),
})
parentPort?.on('message', (message) => {
  if (message === 'stop') void dns.stop().then(() => transport.close()).then(() => process.exit(0))
})
