import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path, { join } from 'node:path'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { issueCertificate, type Logger, type RunningPart } from '@berth/kube'
import type { ControlPlane } from '../../control-plane/control-plane.ts'
import type { RealNodeOptions } from '../../options.ts'

/** Starts Berth's kubelet in this process, on a CRI runtime. What it keeps is in a directory of its own, which goes with it, as the pods' sandboxes do. */
export async function startRealNode({ plane, node, logger }: { plane: ControlPlane, node: RealNodeOptions & { readonly name: string }, logger: Logger }): Promise<RunningPart> {
  // Loaded where it is used: most tests have no real node.
  const { leaveNode, startKubelet } = await import('@berth/kubelet')
  const { name, labels, taints, nodeIp, runtimeEndpoint, kubelet = {} } = node
  const directory = await mkdtemp(join(tmpdir(), 'berth-testing-node-'))
  const { authority } = plane.api.certificates
  const serving = await issueCertificate(authority, { commonName: `system:node:${name}`, organizations: ['system:nodes'], dnsNames: [name, 'localhost'], ipAddresses: ['127.0.0.1', ...(nodeIp === undefined ? [] : [nodeIp])], usages: ['server'] })
  const client = plane.clientOf({ name: `system:node:${name}`, groups: ['system:nodes'] }, 'kubelet')
  const cgroupRoot = `/berth-testing-${process.pid}-${plane.api.port}/${name}`
  const ran = new Set<string>()
  const note = ({ metadata, spec }: Pod): void => {
    if (spec.nodeName === name) ran.add(metadata.uid ?? '')
  }
  const offPods = plane.informers.for(core.pods).on({ added: note, updated: (_old, pod) => note(pod) })
  const running = await startKubelet({
    client, nodeName: name, runtimeEndpoint, rootDir: join(directory, 'kubelet'), podLogsDir: join(directory, 'pods'), containerLogsDir: join(directory, 'containers'),
    ...(nodeIp !== undefined && { nodeIp }), ...(labels && { nodeLabels: labels }), ...(taints && { registerWithTaints: [...taints] }),
    clientCa: authority.certificate, serving: { cert: serving.certificate, key: serving.key },
    config: { port: 0, healthzPort: 0, cgroupRoot, failSwapOn: false, failCgroupV1: false, clusterDomain: 'cluster.local', ...kubelet },
    logger,
  })
  return {
    name: `node ${name}`,
    async stop() {
      offPods()
      await running.stop()
      await leaveNode({ runtimeEndpoint, pods: ran, rootDir: directory, cgroupRoot: path.dirname(cgroupRoot) })
    },
  }
}
