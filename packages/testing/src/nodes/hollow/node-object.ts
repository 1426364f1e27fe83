import { randomUUID } from 'node:crypto'
import type { Node, NodeCondition, Taint } from '@berth/api/types/core/v1'
import { kubernetesVersion } from '@berth/kube'
import type { HollowJobs } from './instructions.ts'

/** What a hollow node says of itself. */
export interface HollowNode {
  readonly name: string
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly capacity: Readonly<Record<string, string>>
  readonly jobs: HollowJobs
}

/** What a hollow node has where nobody says otherwise. */
export const defaultCapacity: Readonly<Record<string, string>> = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110', 'hugepages-1Gi': '0', 'hugepages-2Mi': '0' }

const healthy: readonly [type: string, status: 'True' | 'False', reason: string, message: string][] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
]

/** The Node as a kubelet registers it, Ready. `now` is a metav1.Time. */
export function nodeObject({ name, address, labels, taints, capacity }: HollowNode, now: string): Node {
  const conditions: NodeCondition[] = healthy.map(([type, status, reason, message]) => ({ type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now }))
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  return {
    apiVersion: 'v1', kind: 'Node',
    metadata: {
      name,
      labels: { 'beta.kubernetes.io/arch': arch, 'beta.kubernetes.io/os': 'linux', 'kubernetes.io/arch': arch, 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name, ...labels },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { ...(taints.length > 0 && { taints: [...taints] }) },
    status: {
      addresses: [{ type: 'InternalIP', address }, { type: 'Hostname', address: name }],
      capacity: { ...capacity }, allocatable: { ...capacity }, conditions,
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      nodeInfo: {
        architecture: arch, bootID: randomUUID(), containerRuntimeVersion: 'hollow://1', kernelVersion: '0.0.0', kubeProxyVersion: '', kubeletVersion: kubernetesVersion, machineID: randomUUID().replaceAll('-', ''),
        operatingSystem: 'linux', osImage: 'hollow', systemUUID: randomUUID(),
      },
    },
  }
}
