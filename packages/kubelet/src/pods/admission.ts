import type { Node, Pod } from '@berth/api/types/core/v1'
import { amountsOf, findUntoleratedTaint, hostPortsConflict, hostPortsOf, podAmounts, requiredNodeAffinityMatches } from '@berth/pod-rules'

/** Why a pod may not run here; `reason` becomes status.reason, with upstream's names. */
export interface Refusal { reason: string; message: string }

export interface AdmissionInput {
  pod: Pod
  node: Node
  /** Pods that were admitted before and are not over. */
  active: readonly Pod[]
  allowedUnsafeSysctls: readonly string[]
}

const safeSysctls = new Set([
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem',
])

const failed = (name: string, text: string): Refusal => ({ reason: name, message: `Predicate ${name} failed: ${text}` })

/**
 * The checks a kubelet makes before it takes a pod, whoever bound it: the scheduler may have been late, or not be asked at all.
 * Gives the first refusal in upstream's order, or undefined.
 */
export function admit(input: AdmissionInput): Refusal | undefined {
  const { pod, node } = input
  if (pod.spec.os?.name && pod.spec.os.name !== 'linux') return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  const forbidden = (pod.spec.securityContext?.sysctls ?? []).map((s) => s.name).find((name) => !sysctlAllowed(name, pod, input.allowedUnsafeSysctls))
  if (forbidden) return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${forbidden}" not allowlisted` }
  const resources = fits(input)
  if (resources) return resources
  if (pod.spec.nodeName && pod.spec.nodeName !== node.metadata.name) return failed('NodeName', "node(s) didn't match the requested node name")
  const ports = hostPortsOf(pod)
  if (ports.some((p) => input.active.some((other) => hostPortsOf(other).some((o) => hostPortsConflict(p, o)))))
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  if (!requiredNodeAffinityMatches(pod, node)) return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  if (!isStatic(pod) && findUntoleratedTaint(node.spec.taints ?? [], pod.spec.tolerations ?? [], ['NoExecute']))
    return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate")
  return undefined
}

/** A static pod, from a manifest on the node. */
export const isStatic = (pod: Pod): boolean => (pod.metadata.annotations?.['kubernetes.io/config.source'] ?? 'api') !== 'api'

function sysctlAllowed(name: string, pod: Pod, unsafe: readonly string[]): boolean {
  const hostNet = pod.spec.hostNetwork === true && name.startsWith('net.')
  const hostIpc = pod.spec.hostIPC === true && (name.startsWith('kernel.shm') || name.startsWith('kernel.msg') || name === 'kernel.sem' || name.startsWith('fs.mqueue.'))
  if (hostNet || hostIpc) return false
  return safeSysctls.has(name) || unsafe.some((u) => (u.endsWith('*') ? name.startsWith(u.slice(0, -1)) : u === name))
}

function fits({ pod, node, active }: AdmissionInput): Refusal | undefined {
  const allocatable = amountsOf(node.status?.allocatable)
  const maxPods = allocatable.pods
  const short = (name: string, requested: number, used: number, capacity: number): Refusal => ({
    reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  })
  if (maxPods !== undefined && active.length + 1 > maxPods) return short('pods', 1, active.length, maxPods)
  const wanted = podAmounts(pod)
  const used: Record<string, number> = {}
  for (const other of active) for (const [name, amount] of Object.entries(podAmounts(other))) used[name] = (used[name] ?? 0) + amount
  for (const [name, amount] of Object.entries(wanted)) {
    if (amount === 0) continue
    // What the node has nothing of in its status is not the kubelet's to judge (a device plugin may bring it), except what every node has.
    const capacity = allocatable[name] ?? (name === 'cpu' || name === 'memory' ? 0 : undefined)
    if (capacity === undefined) continue
    if (amount > capacity - (used[name] ?? 0)) return short(name, amount, used[name] ?? 0, capacity)
  }
  return undefined
}
