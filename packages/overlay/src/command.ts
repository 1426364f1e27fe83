import { createClient, defineCommand, startComponentServer, transportFromKubeconfig } from '@berth/kube'
import { Registry } from 'prom-client'
import { readNetConf } from './config.ts'
import { OverlayError } from './errors.ts'
import { startOverlay } from './overlay.ts'

/** `berth overlay`: the node's network daemon by itself, as flanneld. Flags carry flannel's names where flannel has them. */
export const command = defineCommand({
  name: 'berth overlay',
  summary: 'Gives pods their addresses and routes between nodes',
  flags: {
    'kubeconfig-file': { type: 'string', description: 'kubeconfig file location; in-cluster configuration without it' },
    'node-name': { type: 'string', description: 'the name of the Node this runs on (default: the environment\'s NODE_NAME)' },
    'net-config-path': { type: 'string', description: 'path to the network configuration file (net-conf.json)' },
    'ip-masq': { type: 'boolean', default: true, description: 'setup IP masquerade for traffic destined for outside of the pod network' },
    'healthz-ip': { type: 'string', default: '127.0.0.1', description: 'the IP address for the health and metrics server to listen on' },
    'healthz-port': { type: 'number', default: 0, description: 'the port for the health and metrics server to listen on; 0 disables it' },
    'cni-conf-dir': { type: 'string', default: '/etc/cni/net.d', description: 'where 10-berth.conflist is written' },
    'cni-bin-dir': { type: 'string', default: '/opt/cni/bin', description: 'where the CNI plugin is installed' },
    'state-dir': { type: 'string', default: '/var/lib/cni/networks', description: 'where allocated addresses are kept' },
    socket: { type: 'string', default: '/run/berth/overlay.sock', description: 'the unix socket between the CNI plugin and this daemon' },
  },
  async run(flags, _positionals, io) {
    const nodeName = flags['node-name'] ?? io.env.NODE_NAME
    if (!nodeName) throw new OverlayError('Config', 'the node is not named: give --node-name or NODE_NAME')
    const netConf = flags['net-config-path'] === undefined ? undefined : await readNetConf(flags['net-config-path'])
    const transport = transportFromKubeconfig(flags['kubeconfig-file'])
    const registry = new Registry()
    const overlay = await startOverlay({
      client: createClient(transport, { userAgent: 'berth-overlay' }), nodeName, netConf, ipMasq: flags['ip-masq'], registry, logger: io.logger,
      cniConfDir: flags['cni-conf-dir'], cniBinDir: flags['cni-bin-dir'], stateDir: flags['state-dir'], socket: flags.socket,
    })
    const server = flags['healthz-port'] === 0 ? undefined
      : await startComponentServer({ name: 'overlay', address: flags['healthz-ip'], port: flags['healthz-port'], metrics: registry, checks: { ping: () => {} }, logger: io.logger })
    if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }))
    await server?.close()
    await overlay.stop()
    await transport.close()
    return 0
  },
})
