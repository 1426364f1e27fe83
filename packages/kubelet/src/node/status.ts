import type { ContainerImage, NodeAddress, NodeCondition, NodeStatus } from '@berth/api/types/core/v1'
import type { Image, StatusResponse } from '@berth/cri'
import { kubernetesVersion, parseQuantity } from '@berth/kube'
import { amountOf } from '../pods/resources.ts'
import { toTime } from '../pods/time.ts'
import type { KubeletSettings } from '../config/settings.ts'
import type { Machine, Usage } from './machine.ts'

export interface RuntimeView {
  /** `containerd://1.7.2` */
  version: string
  /** Absent when the runtime did not answer. */
  status?: StatusResponse
  error?: string
}

export interface NodeStatusInput {
  settings: KubeletSettings
  machine: Machine
  usage: Usage
  runtime: RuntimeView
  images: readonly Image[]
  addresses: readonly string[]
  serverPort: number
  previous: NodeStatus | undefined
  now: number
}

/** What the node has, and what pods may use of it after reservations and the hard eviction thresholds. */
export function nodeResources(settings: KubeletSettings, machine: Machine, usage: Usage): { capacity: Record<string, string>; allocatable: Record<string, string> } {
  const pods = settings.podsPerCore > 0 ? Math.min(settings.maxPods, settings.podsPerCore * machine.cpus) : settings.maxPods
  const capacity: Record<string, string> = {
    cpu: String(machine.cpus),
    'ephemeral-storage': `${usage.fsCapacity / 1024n}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: `${machine.memoryBytes / 1024n}Ki`,
    ...settings.capacityOverride,
    pods: settings.capacityOverride?.pods ?? String(pods),
  }
  const allocatable: Record<string, string> = {}
  for (const [name, text] of Object.entries(capacity)) {
    let left = amountOf(name, text)
    for (const reserved of [settings.kubeReserved, settings.systemReserved]) if (reserved[name] !== undefined) left -= amountOf(name, reserved[name])
    if (name === 'memory') left -= threshold(settings.evictionHard['memory.available'], left)
    if (name === 'ephemeral-storage') left -= threshold(settings.evictionHard['nodefs.available'], amountOf(name, text))
    if (left < 0n) left = 0n
    const unchanged = left === amountOf(name, text)
    allocatable[name] = unchanged ? text : name === 'cpu' ? `${left}m` : name === 'memory' && left % 1024n === 0n ? `${left / 1024n}Ki` : String(left)
  }
  for (const [name, text] of Object.entries(allocatable)) if (name === 'cpu') allocatable[name] = parseQuantity(text).toString()
  return { capacity, allocatable }
}

/** An eviction threshold in units: a quantity, or a share of what there is. */
export function threshold(text: string | undefined, capacity: bigint): bigint {
  if (text === undefined) return 0n
  if (text.endsWith('%')) return (capacity * BigInt(Math.round(Number.parseFloat(text) * 1000))) / 100_000n
  return parseQuantity(text).value()
}

const wellKnown = {
  MemoryPressure: { False: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'], True: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'] },
  DiskPressure: { False: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'], True: ['KubeletHasDiskPressure', 'kubelet has disk pressure'] },
  PIDPressure: { False: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'], True: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'] },
} as const

/** Why the node cannot take pods; empty when it can. */
export function notReadyReasons(runtime: RuntimeView): string[] {
  if (!runtime.status) return [`container runtime is down${runtime.error ? `: ${runtime.error}` : ''}`]
  const reasons: string[] = []
  for (const [type, what] of [['RuntimeReady', 'container runtime not ready'], ['NetworkReady', 'container runtime network not ready']] as const) {
    const found = runtime.status.status?.conditions.find((c) => c.type === type)
    if (!found) reasons.push(`${what}: ${type} condition is missing`)
    else if (!found.status) reasons.push(`${what}: ${type}=false reason:${found.reason} message:${found.message}`)
  }
  return reasons
}

/** The node's conditions in upstream's order. Transition times move with the status, heartbeats always. */
export function nodeConditions(input: Pick<NodeStatusInput, 'settings' | 'usage' | 'runtime' | 'previous' | 'now'>): NodeCondition[] {
  const { settings, usage, runtime, previous } = input
  const now = toTime(input.now)
  const hard = settings.evictionHard
  const pressure = {
    MemoryPressure: usage.memoryAvailable < threshold(hard['memory.available'], usage.memoryCapacity),
    DiskPressure: usage.fsAvailable < threshold(hard['nodefs.available'], usage.fsCapacity) || (usage.fsInodes > 0n && usage.fsInodesFree < threshold(hard['nodefs.inodesFree'], usage.fsInodes)),
    PIDPressure: usage.pidsAvailable < threshold(hard['pid.available'], usage.pidsCapacity),
  }
  const make = (type: string, status: 'True' | 'False', reason: string, message: string): NodeCondition => {
    const old = previous?.conditions?.find((c) => c.type === type)
    return { type, status, lastHeartbeatTime: now, lastTransitionTime: old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : now, reason, message }
  }
  const conditions = (Object.keys(pressure) as (keyof typeof pressure)[]).map((type) => {
    const status = pressure[type] ? 'True' : 'False'
    const [reason, message] = wellKnown[type][status]
    return make(type, status, reason, message)
  })
  const reasons = notReadyReasons(runtime)
  conditions.push(
    reasons.length === 0
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', reasons.length === 1 ? (reasons[0] ?? '') : `[${reasons.join(', ')}]`),
  )
  return conditions
}

/** The biggest images, as many as the node reports. */
export function nodeImages(images: readonly Image[], max: number): ContainerImage[] {
  const sorted = images.toSorted((a, b) => (a.size > b.size ? -1 : a.size < b.size ? 1 : 0))
  return (max < 0 ? sorted : sorted.slice(0, max)).map((i) => ({ names: [...i.repoDigests, ...i.repoTags].slice(0, 5), sizeBytes: Number(i.size) })).filter((i) => i.names.length > 0)
}

/** Everything of a node's status. */
export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const { settings, machine, runtime } = input
  const addresses: NodeAddress[] = [...input.addresses.map((address) => ({ type: 'InternalIP' as const, address })), { type: 'Hostname', address: settings.nodeName }]
  const { capacity, allocatable } = nodeResources(settings, machine, input.usage)
  const handlers = runtime.status?.runtimeHandlers ?? []
  return {
    addresses,
    capacity,
    allocatable,
    conditions: nodeConditions(input),
    daemonEndpoints: { kubeletEndpoint: { Port: input.serverPort } },
    images: nodeImages(input.images, settings.nodeStatusMaxImages),
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: runtime.version,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: kubernetesVersion,
      machineID: machine.machineId,
      operatingSystem: 'linux',
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
    },
    ...(handlers.length > 0
      ? { runtimeHandlers: handlers.map((h) => ({ name: h.name, features: { recursiveReadOnlyMounts: h.features?.recursiveReadOnlyMounts ?? false, userNamespaces: h.features?.userNamespaces ?? false } })) }
      : {}),
    ...(runtime.status?.features ? { features: { supplementalGroupsPolicy: runtime.status.features.supplementalGroupsPolicy } } : {}),
  }
}
