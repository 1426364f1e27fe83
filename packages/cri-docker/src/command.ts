import { once } from 'node:events'
import { CommandError, defineCommand, startComponentServer } from '@berth/kube'
import { Registry } from 'prom-client'
import { startCriDocker } from './start-cri-docker.ts'

/** `berth cri-docker`: the runtime shim by itself, under any kubelet. */
export const command = defineCommand({
  name: 'berth cri-docker',
  summary: 'Serves the Container Runtime Interface on Docker Engine.',
  flags: {
    'container-runtime-endpoint': { type: 'string', default: 'unix:///run/cri-docker.sock', description: 'The unix socket at which CRI is served.' },
    'docker-host': { type: 'string', default: 'unix:///run/docker.sock', description: 'The unix socket of Docker Engine on this machine.' },
    'cni-conf-dir': { type: 'string', default: '/etc/cni/net.d', description: 'Where the pod network is configured; the first valid list is used.' },
    'cni-bin-dir': { type: 'string[]', default: ['/opt/cni/bin'], description: 'Where CNI plugins are looked for.' },
    'cni-cache-dir': { type: 'string', default: '/var/lib/cni', description: "Where CNI results are kept, in libcni's form." },
    'root-dir': { type: 'string', default: '/var/lib/cri-docker', description: "Where the sandboxes' own files are." },
    'streaming-bind-addr': { type: 'string', default: '127.0.0.1:0', description: 'host:port of the server for exec, attach and port-forward; port 0 takes a free one.' },
    'image-pull-progress-deadline': { type: 'duration', default: '5m', description: 'A pull that makes no progress for so long is cancelled.' },
    'metrics-bind-address': { type: 'string', default: '127.0.0.1:10268', description: 'host:port of /metrics and /healthz; empty for none.' },
    'node-label': { type: 'string', default: 'default', description: 'Serves only sandboxes with this label, where several nodes share one Engine.' },
    'host-network-container': { type: 'string', description: "A container whose network stands for the node's, where the node itself is a network namespace." },
    'cgroup-parent-prefix': { type: 'string', default: '', description: 'Put before the cgroup parents that the kubelet names.' },
  },
  async run(flags, _positionals, io) {
    const metrics = new Registry()
    const shim = await startCriDocker({
      metrics,
      endpoint: flags['container-runtime-endpoint'],
      dockerHost: flags['docker-host'],
      cniConfDir: flags['cni-conf-dir'],
      cniBinDirs: flags['cni-bin-dir'],
      cniCacheDir: flags['cni-cache-dir'],
      rootDir: flags['root-dir'],
      streamingAddress: flags['streaming-bind-addr'],
      imagePullProgressDeadlineMs: flags['image-pull-progress-deadline'],
      nodeLabel: flags['node-label'],
      cgroupParentPrefix: flags['cgroup-parent-prefix'],
      logger: io.logger,
      ...(flags['host-network-container'] === undefined ? {} : { hostNetworkContainer: flags['host-network-container'] }),
    })
    const address = /^(.*):(\d+)$/.exec(flags['metrics-bind-address'])
    if (!address && flags['metrics-bind-address'] !== '') throw new CommandError(`--metrics-bind-address: "${flags['metrics-bind-address']}" is not HOST:PORT`)
    const server = address && (await startComponentServer({ name: 'cri-docker', address: address[1] ?? '', port: Number(address[2]), metrics, logger: io.logger }))
    if (!io.signal.aborted) await once(io.signal, 'abort')
    await server?.close()
    await shim.stop()
    return 0
  },
})
