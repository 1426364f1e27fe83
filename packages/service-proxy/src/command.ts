import { writeFile } from 'node:fs/promises'
import { createClient, defineCommand, transportFromKubeconfig } from '@berth/kube'
import { type KubeProxyConfiguration, readProxyConfig } from './config.ts'
import { ProxyError } from './errors.ts'
import { removeTable } from './nft/nft.ts'
import { startServiceProxy } from './service-proxy.ts'

/** `berth service-proxy`: kube-proxy's place by itself, with kube-proxy's flags. A configuration file wins over flags, as upstream. */
export const command = defineCommand({
  name: 'berth service-proxy',
  summary: 'Brings Services and EndpointSlices into the kernel (nftables)',
  flags: {
    config: { type: 'string', description: 'The path to the configuration file (KubeProxyConfiguration).' },
    kubeconfig: { type: 'string', description: 'Path to kubeconfig file with authorization information; in-cluster configuration without it.' },
    'hostname-override': { type: 'string', description: 'If non-empty, will be used as the name of the Node that kube-proxy is running on (default: the environment\'s NODE_NAME).' },
    'cluster-cidr': { type: 'string', description: 'The CIDR range of the pods in the cluster.' },
    'proxy-mode': { type: 'string', description: 'Which proxy mode to use: only nftables.' },
    'masquerade-all': { type: 'boolean', description: 'SNAT all traffic sent via Service cluster IPs.' },
    'nodeport-addresses': { type: 'string[]', description: 'A list of CIDR ranges that contain valid node IPs, or alternatively, the single string "primary".' },
    'healthz-bind-address': { type: 'string', description: 'The IP address and port for the health check server to serve on.' },
    'metrics-bind-address': { type: 'string', description: 'The IP address and port for the metrics server to serve on.' },
    cleanup: { type: 'boolean', description: 'If true cleanup nftables rules and exit.' },
  },
  async run(flags, _positionals, io) {
    if (flags.cleanup) {
      await removeTable()
      return 0
    }
    const config = flags.config === undefined ? fromFlags(flags, io.given) : await readProxyConfig(flags.config)
    const nodeName = config.hostnameOverride || flags['hostname-override'] || io.env.NODE_NAME
    if (!nodeName) throw new ProxyError('Config', 'the node is not named: give --hostname-override or NODE_NAME')
    if (config.oomScoreAdj != null) {
      await writeFile('/proc/self/oom_score_adj', String(config.oomScoreAdj)).catch((error: unknown) => io.logger.error(error, 'Cannot set oomScoreAdj'))
    }
    const transport = transportFromKubeconfig(config.clientConnection?.kubeconfig || flags.kubeconfig)
    const proxy = await startServiceProxy({ client: createClient(transport, { userAgent: 'berth-service-proxy' }), nodeName, config, logger: io.logger })
    if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }))
    await proxy.stop()
    await transport.close()
    return 0
  },
})

interface Flags {
  'cluster-cidr'?: string | undefined
  'proxy-mode'?: string | undefined
  'masquerade-all': boolean
  'nodeport-addresses': string[]
  'healthz-bind-address'?: string | undefined
  'metrics-bind-address'?: string | undefined
}

function fromFlags(flags: Flags, given: ReadonlySet<string>): KubeProxyConfiguration {
  return {
    clusterCIDR: flags['cluster-cidr'],
    mode: flags['proxy-mode'],
    nftables: { masqueradeAll: flags['masquerade-all'] },
    nodePortAddresses: flags['nodeport-addresses'],
    ...(given.has('healthz-bind-address') ? { healthzBindAddress: flags['healthz-bind-address'] } : {}),
    ...(given.has('metrics-bind-address') ? { metricsBindAddress: flags['metrics-bind-address'] } : {}),
  }
}
