import { core } from '@berth/api'
import type { Node } from '@berth/api/types/core/v1'
import { createInformers, createWorkQueue, type Informers, type KubeClient, type Logger, type RunningPart, runWorkers } from '@berth/kube'
import { runNetActions } from '@berth/native'
import { Registry } from 'prom-client'
import { Allocator } from './allocator/allocator.ts'
import { Attachments } from './attach/attachments.ts'
import { findBackend } from './backends/index.ts'
import { serveCni } from './cni/server.ts'
import { defaultNetConf, type NetConf } from './config.ts'
import { CniFailure, OverlayError } from './errors.ts'
import { type Ipv4Range, parseRange } from './ipv4.ts'
import { KeyedLocks } from './locks.ts'
import { createMetrics } from './metrics.ts'
import { removeUdpFlows } from './nat/conntrack.ts'
import { runNft } from './nat/nft.ts'
import { natTable, renderNat } from './nat/render.ts'
import { installConflist, installPlugin, networkName } from './node/install.ts'
import { detectMtu } from './node/mtu.ts'
import { peerOf, podCidrOf, projectNode } from './node/peers.ts'
import { parseAddresses, parseNodeRoutes, routeActions } from './node/routes.ts'

export interface OverlayOptions {
  client: KubeClient
  /** Shared informers; own ones are made (and started) without. */
  informers?: Informers
  nodeName: string
  /** Addresses are kept below it, in a folder named as the network. host-local's place by default. */
  stateDir?: string
  cniConfDir?: string
  cniBinDir?: string
  /** Where the CNI plugin finds us. */
  socket?: string
  netConf?: NetConf
  /** Masquerade what pods send out of the cluster; true by default. */
  ipMasq?: boolean
  registry?: Registry
  logger: Logger
}

// Whatever changed behind our back (a flushed table, a deleted route) is put right after this time at the latest.
const resyncMs = 60_000

/** Runs the overlay of this node in this process's network namespace. Resolves when CNI calls are served; pods get addresses once the node has its podCIDR. */
export async function startOverlay(options: OverlayOptions): Promise<RunningPart> {
  const { nodeName, logger, stateDir = '/var/lib/cni/networks', cniConfDir = '/etc/cni/net.d', cniBinDir = '/opt/cni/bin', socket = '/run/berth/overlay.sock', netConf = defaultNetConf } = options
  const backend = findBackend(netConf.backend.type)
  if (!backend) throw new OverlayError('Unsupported', `backend ${JSON.stringify(netConf.backend.type)} is not supported`)
  const stop = new AbortController()
  const metrics = createMetrics(options.registry ?? new Registry())
  const nodeNetns = `/proc/${process.pid}/ns/net`
  const informers = options.informers ?? createInformers(options.client, { logger })
  const nodes = informers.for<Node>(core.nodes, { project: projectNode })
  const queue = createWorkQueue<'nat' | 'node' | 'attachments'>({ name: 'overlay', maxDelayMs: 30_000 })

  let range: Ipv4Range | undefined
  let mtu = netConf.mtu
  const allocator = await Allocator.load(`${stateDir}/${networkName}`)
  // One after the other, each with the allocations of its own moment: an older picture must not win.
  const locks = new KeyedLocks()
  const applyNat = (): Promise<void> => locks.run('nat', () => runNft(renderNat(options.ipMasq === false ? undefined : netConf.network, allocator.list())))
  const attachments = new Attachments({
    allocator,
    range: () => range,
    mtu: async () => (mtu ||= detectMtu(await runNetActions(['list-links', 'list-routes']))),
    portsChanged: async (ports) => {
      await applyNat()
      await removeUdpFlows(ports.filter((port) => port.protocol === 'udp').map((port) => port.hostPort)).catch((error: unknown) => logger.error(error, 'Cannot remove flows of UDP host ports'))
    },
    nodeNetns,
  })

  const syncNode = async (): Promise<void> => {
    const own = nodes.store.get(nodeName)
    const podCidr = own && podCidrOf(own)
    if (podCidr) {
      range = parseRange(podCidr)
      await installConflist(cniConfDir, socket)
    }
    if (!nodes.synced) return
    const peers = nodes.store.list().filter((node) => node.metadata?.name !== nodeName).flatMap((node) => peerOf(node) ?? [])
    const lines = await runNetActions(['list-addrs', 'list-routes own'])
    const plan = backend.plan(peers, parseAddresses(lines))
    for (const problem of plan.problems) logger.warn('A node cannot be routed to', { problem })
    // Addresses of ours that no pod has are refused here; without this they would follow the default route and come back.
    const wanted = podCidr ? [...plan.routes, { cidr: podCidr, device: 'unreachable' }] : plan.routes
    const actions = routeActions(wanted, parseNodeRoutes(lines))
    if (actions.length > 0) {
      await runNetActions(actions)
      logger.info('Changed routes to nodes', { actions: actions.join('; ') })
    }
  }
  const syncAttachments = async (): Promise<void> => {
    const { released, removed } = await attachments.reconcile()
    if (released + removed > 0) logger.info('Cleaned up after containers that are gone', { releasedAddresses: released, removedDevices: removed })
    metrics.addresses(allocator.list().length)
  }
  const tasks = { nat: applyNat, node: syncNode, attachments: syncAttachments }

  await runNetActions(['sysctl net/ipv4/ip_forward 1'])
  await installPlugin(cniBinDir)
  await syncAttachments()
  await applyNat()
  const server = await serveCni(socket, async (request, connection) => {
    const start = performance.now()
    const observe = (code: number): void => metrics.observe(request.command, code, (performance.now() - start) / 1000)
    try {
      const result = await attachments.serve(request, connection)
      observe(0)
      return result
    } catch (error) {
      observe(error instanceof CniFailure ? error.code : 999)
      throw error
    } finally {
      metrics.addresses(allocator.list().length)
    }
  }, logger)
  const changed = (): void => queue.add('node')
  const off = nodes.on({ added: changed, updated: (old, now) => { if (matters(old, now)) changed() }, deleted: changed })
  if (!options.informers) informers.start(stop.signal)
  const working = runWorkers(queue, 1, (key) => tasks[key](), { logger, signal: stop.signal })
  void nodes.whenSynced(stop.signal).then(changed, () => {})
  const timer = setInterval(() => {
    queue.add('node')
    queue.add('nat')
    queue.add('attachments')
  }, resyncMs)
  logger.info('Overlay started', { node: nodeName, backend: backend.type, network: netConf.network, table: natTable, socket })

  return {
    name: 'overlay',
    async stop() {
      if (stop.signal.aborted) return
      // Devices, routes and tables stay: pods live on while we are away.
      stop.abort()
      clearInterval(timer)
      off()
      server.close()
      await working
    },
  }
}

function matters(old: Node, now: Node): boolean {
  return JSON.stringify([old.spec, old.status]) !== JSON.stringify([now.spec, now.status])
}
