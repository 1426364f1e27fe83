import { hostname } from 'node:os'
import type { Taint } from '@berth/api/types/core/v1'
import { CommandError, createClient, defineCommand, readConfigFile, transportFromKubeconfig } from '@berth/kube'
import type { KubeletConfiguration } from './config/configuration.ts'
import { kubeletConfigurationShape } from './config/shape.ts'
import { ConfigError, messageOf } from './errors.ts'
import { startKubelet } from './kubelet.ts'

/** `berth kubelet`: the node agent alone, with upstream's flags. Flags go before the configuration file. */
export const command = defineCommand({
  name: 'berth kubelet',
  summary: 'Run the node agent: pods bound to this node, on any CRI runtime',
  flags: {
    kubeconfig: { type: 'string', description: 'Path to a kubeconfig file, specifying how to connect to the API server' },
    config: { type: 'string', description: 'The Kubelet will load its initial configuration from this file (KubeletConfiguration, kubelet.config.k8s.io/v1beta1)' },
    'hostname-override': { type: 'string', description: 'If non-empty, will use this string as identification instead of the actual hostname' },
    'node-ip': { type: 'string', description: 'IP address (or comma-separated dual-stack IP addresses) of the node' },
    'container-runtime-endpoint': { type: 'string', description: 'The endpoint of container runtime service, unix:///run/containerd/containerd.sock by default' },
    'root-dir': { type: 'string', default: '/var/lib/kubelet', description: 'Directory path for managing kubelet files (volume mounts, etc)' },
    'register-node': { type: 'boolean', default: true, description: 'Register the node with the apiserver' },
    'node-labels': { type: 'string[]', description: "Labels to add when registering the node in the cluster: key=value pairs separated by ','" },
    'register-with-taints': { type: 'string[]', description: 'Register the node with the given list of taints (comma separated "<key>=<value>:<effect>")' },
    'pod-manifest-path': { type: 'string', description: 'Path to the directory containing static pod files to run' },
    'cluster-dns': { type: 'string[]', description: 'Comma-separated list of DNS server IP addresses' },
    'cluster-domain': { type: 'string', description: 'Domain for this cluster' },
    'fail-cgroupv1': { type: 'boolean', default: true, description: 'Prevent the kubelet from starting on the host using cgroup v1' },
  },
  run: async (flags, _, io) => {
    try {
      const config = flags.config === undefined
        ? {}
        : await readConfigFile<KubeletConfiguration>(flags.config, { group: 'kubelet.config.k8s.io', version: 'v1beta1', kind: 'KubeletConfiguration' }, kubeletConfigurationShape)
      if (io.given.has('cluster-dns')) config.clusterDNS = flags['cluster-dns'].flatMap((s) => s.split(','))
      if (flags['cluster-domain'] !== undefined) config.clusterDomain = flags['cluster-domain']
      if (io.given.has('fail-cgroupv1')) config.failCgroupV1 = flags['fail-cgroupv1']
      if (io.given.has('register-node')) config.registerNode = flags['register-node']
      const transport = transportFromKubeconfig(flags.kubeconfig)
      const kubelet = await startKubelet({
        client: createClient(transport, { userAgent: 'kubelet/berth' }),
        nodeName: (flags['hostname-override'] ?? hostname()).trim().toLowerCase(),
        config,
        rootDir: flags['root-dir'],
        ...(flags['node-ip'] === undefined ? {} : { nodeIp: flags['node-ip'].split(',') }),
        ...(flags['container-runtime-endpoint'] === undefined ? {} : { runtimeEndpoint: flags['container-runtime-endpoint'] }),
        ...(flags['pod-manifest-path'] === undefined ? {} : { staticPodPath: flags['pod-manifest-path'] }),
        nodeLabels: parseLabels(flags['node-labels']),
        ...(io.given.has('register-with-taints') ? { registerWithTaints: parseTaints(flags['register-with-taints']) } : {}),
        logger: io.logger,
      })
      await new Promise<void>((resolve) => {
        if (io.signal.aborted) resolve()
        else io.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await kubelet.stop()
      await transport.close()
      return 0
    } catch (error) {
      if (error instanceof ConfigError) throw new CommandError(messageOf(error), 1, { cause: error })
      throw error
    }
  },
})

/** `a=b,c=d`, in any number of flags. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const pair of texts.flatMap((t) => t.split(',')).filter((t) => t !== '')) {
    const at = pair.indexOf('=')
    if (at <= 0) throw new ConfigError(`invalid argument ${JSON.stringify(pair)} for "--node-labels" flag: must be formatted as key=value`)
    labels[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return labels
}

const effects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** `key=value:effect` or `key:effect`, separated by commas. */
export function parseTaints(texts: readonly string[]): Taint[] {
  return texts.flatMap((t) => t.split(',')).filter((t) => t !== '').map((text) => {
    const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text) ?? []
    if (key === '' || !effects.includes(effect)) throw new ConfigError(`invalid argument ${JSON.stringify(text)} for "--register-with-taints" flag: invalid taint spec: ${text}`)
    return { key, effect: effect as Taint['effect'], ...(value ? { value } : {}) }
  })
}
