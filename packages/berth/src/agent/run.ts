import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { startLocalPathProvisioner } from '@berth/controllers/local-path'
import { startCriDocker } from '@berth/cri-docker'
import { startKubelet } from '@berth/kubelet'
import { createClient, transportFromKubeconfig, type KubeClient, type Logger, type RunningPart, type Transport } from '@berth/kube'
import { startOverlay } from '@berth/overlay'
import { startServiceProxy } from '@berth/service-proxy'
import { dockerHostOf } from '../engine/client.ts'
import { stopInTurn } from '../boot/stop.ts'
import { nodeAddress, type Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'
import { nodeKubeconfig, nodeServing, type nodeIdentities } from '../server/credentials.ts'
import { workerPart } from '../threads/worker-part.ts'
import { watchAnchor } from './anchor-watch.ts'
import { nodeCapacity } from './capacity.ts'
import type { DnsThreadData } from './dns-thread.ts'
import { usableResolvConf } from './resolv-conf.ts'

export interface RunAgentOptions {
  readonly layout: Layout
  readonly instance: Instance
  readonly node: string
  readonly anchor: { readonly id: string; readonly pid: number }
  readonly verbosity: number
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** Runs a node until the signal. The anchor's death ends the process with 1: its restart is the node's reboot. */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  const { layout, instance, node, anchor, logger, signal } = options
  const paths = layout.node(node)
  const address = nodeAddress(instance, node)
  const stopWatching = watchAnchor(anchor.pid, () => {
    logger.error(new Error('the anchor container is gone'), 'The node reboots', { node })
    process.exit(1)
  })
  for (const folder of [paths.rootDir, paths.kubeletDir, paths.podLogsDir, paths.containerLogsDir, paths.criDir, paths.cniConfDir, paths.cniBinDir, paths.overlayDir, sockets(paths.criSocket)]) fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const resolv = usableResolvConf()
  fs.writeFileSync(paths.resolvConf, resolv?.text ?? '')
  const transports: Transport[] = []
  const clientOf = async (part: keyof typeof nodeIdentities): Promise<KubeClient> => {
    const file = nodeKubeconfig(layout, node, part)
    while (!fs.existsSync(file)) await sleep(50, undefined, { signal })
    const transport = transportFromKubeconfig(file)
    transports.push(transport)
    return createClient(transport, { userAgent: `berth-${part}` })
  }
  const parts: RunningPart[] = []
  parts.push(await startOverlay({
    client: await clientOf('overlay'), nodeName: node, stateDir: paths.overlayDir, cniConfDir: paths.cniConfDir, cniBinDir: paths.cniBinDir, socket: paths.overlaySocket,
    netConf: { network: instance.podCidr, mtu: 0, backend: { type: 'host-gw' } }, logger: logger.with({ part: 'overlay' }),
  }))
  parts.push(await startCriDocker({
    dockerHost: dockerHostOf(layout, instance), endpoint: `unix://${paths.criSocket}`, cniConfDir: paths.cniConfDir, cniBinDirs: [paths.cniBinDir], rootDir: paths.criDir,
    streamingAddress: '127.0.0.1:0', cniCacheDir: `${paths.criDir}/cni`, nodeLabel: `${layout.name}/${node}`, hostNetworkContainer: anchor.id, logger: logger.with({ part: 'cri-docker' }),
  }))
  parts.push(await startServiceProxy({ client: await clientOf('service-proxy'), nodeName: node, config: { clusterCIDR: instance.podCidr }, logger: logger.with({ part: 'service-proxy' }) }))
  const capacity = nodeCapacity(instance.nodes.length)
  const serving = nodeServing(layout, node)
  parts.push(await startKubelet({
    client: await clientOf('kubelet'), nodeName: node, runtimeEndpoint: `unix://${paths.criSocket}`, rootDir: paths.kubeletDir, nodeIp: address, podLogsDir: paths.podLogsDir,
    containerLogsDir: paths.containerLogsDir, clientCa: fs.readFileSync(serving.ca, 'utf8'), serving: { cert: fs.readFileSync(serving.certificate, 'utf8'), key: fs.readFileSync(serving.key, 'utf8') },
    ...(capacity ? { capacity } : {}),
    config: {
      address, clusterDNS: [instance.clusterDns], clusterDomain: instance.clusterDomain, resolvConf: paths.resolvConf, cgroupRoot: `/${layout.name}/${node}`, cgroupDriver: 'cgroupfs',
      // The machines that Berth is tried on are not all on cgroup v2 yet.
      failCgroupV1: false, failSwapOn: false,
    },
    logger: logger.with({ part: 'kubelet' }),
  }))
  parts.push(await startLocalPathProvisioner({ client: await clientOf('local-path'), nodeName: node, directory: paths.storageDir, logger: logger.with({ part: 'local-path' }) }))
  const dns = startDnsThread({
    kubeconfig: nodeKubeconfig(layout, node, 'dns'), nodeName: node, address, serviceIp: instance.clusterDns, clusterDomain: instance.clusterDomain, upstreams: resolv?.nameservers ?? [], verbosity: options.verbosity,
  }, logger)
  logger.info('The node runs', { node, address })
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
  stopWatching()
  await stopInTurn([dns, ...parts.reverse(), ...transports.map((transport) => ({ name: 'transport', stop: () => transport.close() }))], logger)
  return 0
}

function sockets(socket: string): string {
  return socket.slice(0, socket.lastIndexOf('/'))
}

/** Runs the DNS on a thread of its own: its load must not delay a probe or a lease. */
function startDnsThread(workerData: DnsThreadData, logger: Logger): RunningPart {
  return workerPart('dns', new Worker(new URL('./dns-thread.ts', import.meta.url), { name: 'dns', workerData }), logger)
}
