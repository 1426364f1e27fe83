import { createClient, defineCommand, transportFromKubeconfig } from '@berth/kube'
import { startDns } from './dns.ts'
import { DnsError } from './errors.ts'

/** `berth dns`: the cluster DNS of one node by itself. */
export const command = defineCommand({
  name: 'berth dns',
  summary: 'Answers the names of Services and pods',
  flags: {
    kubeconfig: { type: 'string', description: 'Path to a kubeconfig file; in-cluster configuration without it' },
    'node-name': { type: 'string', description: 'The Node this runs on (default: the environment\'s NODE_NAME)' },
    listen: { type: 'string[]', description: 'Addresses to listen on (IP or IP:port); the first one is the node\'s endpoint of the Service kube-dns' },
    upstream: { type: 'string[]', description: 'Resolvers for other names (default: the host\'s)' },
    'cluster-domain': { type: 'string', default: 'cluster.local', description: 'Domain of the cluster' },
    ttl: { type: 'number', default: 5, description: 'Seconds that answers of the cluster\'s zone may be kept' },
    'manage-service': { type: 'boolean', description: 'Create the Service kube-system/kube-dns if it is missing' },
    'cluster-dns': { type: 'string', default: '10.96.0.10', description: 'The Service\'s cluster IP' },
    'publish-endpoint': { type: 'boolean', default: true, description: 'Keep an EndpointSlice of the Service for this node' },
    'metrics-bind-address': { type: 'string', default: '127.0.0.1:9153', description: 'Address for /metrics, /health and /ready; empty disables it' },
  },
  async run(flags, _positionals, io) {
    const nodeName = flags['node-name'] ?? io.env.NODE_NAME
    if (!nodeName) throw new DnsError('Config', 'the node is not named: give --node-name or NODE_NAME')
    const transport = transportFromKubeconfig(flags.kubeconfig)
    const dns = await startDns({
      client: createClient(transport, { userAgent: 'berth-dns' }), nodeName, logger: io.logger, worker: false, listen: flags.listen, clusterDomain: flags['cluster-domain'], ttl: flags.ttl,
      ...(flags.upstream.length > 0 ? { upstreams: flags.upstream } : {}),
      manageService: flags['manage-service'], serviceIp: flags['cluster-dns'], publishEndpoint: flags['publish-endpoint'],
      ...(flags['metrics-bind-address'] === '' ? {} : { metricsAddress: flags['metrics-bind-address'] }),
    })
    if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }))
    await dns.stop()
    await transport.close()
    return 0
  },
})
