import type { ContainerMetadata, NamespaceMode, PodSandboxMetadata, Signal } from '@berth/cri'

/** Labels on Docker containers: all that the shim knows between two of its lives. The first three are those that other Docker shims use. */
export const labelKeys = {
  type: 'io.kubernetes.docker.type',
  sandboxId: 'io.kubernetes.sandbox.id',
  logPath: 'io.kubernetes.container.logpath',
  node: 'berth.dev/node',
  /** JSON of SandboxSpec or ContainerSpec. */
  spec: 'berth.dev/spec',
} as const

/** What a sandbox was asked to be, as far as Docker does not keep it. */
export interface SandboxSpec {
  kind: 'sandbox'
  metadata: PodSandboxMetadata
  labels: Record<string, string>
  annotations: Record<string, string>
  runtimeHandler: string
  logDirectory: string
  hostname: string
  cgroupParent: string
  namespaces: { network: NamespaceMode; pid: NamespaceMode; ipc: NamespaceMode }
  portMappings: { containerPort: number; hostPort: number; protocol: string; hostIp: string }[]
  /** The directory with the sandbox's own resolv.conf and hosts. */
  directory: string
  /** The container that was the node's network when the sandbox was made; empty for the host's. Another one now means that the node has rebooted since. */
  anchor: string
}

/** What a container was asked to be, as far as Docker does not keep it. */
export interface ContainerSpec {
  kind: 'container'
  metadata: ContainerMetadata
  labels: Record<string, string>
  annotations: Record<string, string>
  sandboxId: string
  /** The image as the pod's author wrote it. */
  image: string
  /** Absolute; empty where the kubelet wants no log. */
  logPath: string
  stopSignal: Signal
  mounts: MountSpec[]
  /** As whom its first process is started; absent in containers of shims before this was kept. */
  identity?: Identity
  /** What the Engine cannot set and the shim writes into the container's cgroup once it runs. */
  cgroupFiles?: CgroupFiles
}

/** A mount as ContainerStatus tells it. */
export interface MountSpec {
  containerPath: string
  hostPath: string
  readonly: boolean
  propagation: string
  recursiveReadOnly: boolean
  /** Of an image volume. */
  image?: { image: string; userSpecifiedImage: string; imageRef: string }
  imageSubPath?: string
}

/** A process' user and groups. */
export interface Identity {
  uid: number
  gid: number
  /** The primary one too. */
  supplementalGroups: number[]
}

/** Limits by the names that CRI has for them. */
export interface CgroupFiles {
  /** Bytes by page size (`2MB`), as decimal text. */
  hugepages?: Record<string, string>
  /** Files of the unified hierarchy. */
  unified?: Record<string, string>
}

export type Spec = SandboxSpec | ContainerSpec

/** The labels of a new container. The pod's own labels are there too, for people who look with docker; ours win. */
export function labelsOf(spec: Spec, node: string): Record<string, string> {
  return {
    ...spec.labels,
    [labelKeys.type]: spec.kind === 'sandbox' ? 'podsandbox' : 'container',
    ...(spec.kind === 'container' ? { [labelKeys.sandboxId]: spec.sandboxId, [labelKeys.logPath]: spec.logPath } : {}),
    [labelKeys.node]: node,
    [labelKeys.spec]: JSON.stringify(spec),
  }
}

/** The spec of a container that is ours, or undefined. */
export function specOf(labels: Record<string, string> | null | undefined, node: string): Spec | undefined {
  if (labels?.[labelKeys.node] !== node) return undefined
  try {
    const spec = JSON.parse(labels[labelKeys.spec] ?? '') as Spec
    return spec.kind === 'sandbox' || spec.kind === 'container' ? spec : undefined
  } catch {
    return undefined
  }
}

/** The node's label where only one node uses an Engine. */
export const defaultNode = 'default'

const unusable = /[^a-zA-Z0-9_.-]/g

/** The Docker name of a sandbox, by which a second attempt at the same one is noticed. Form of other Docker shims: k8s_POD_pod_namespace_uid_attempt. */
export function sandboxName(node: string, { name, namespace, uid, attempt }: PodSandboxMetadata): string {
  return nameOf(node, 'POD', name, namespace, uid, attempt)
}

/** The Docker name of a container: k8s_container_pod_namespace_uid_attempt. */
export function containerName(node: string, container: ContainerMetadata, { name, namespace, uid, attempt: sandboxAttempt }: PodSandboxMetadata): string {
  return `${nameOf(node, container.name, name, namespace, uid, container.attempt)}${sandboxAttempt > 0 ? `_${sandboxAttempt}` : ''}`
}

function nameOf(node: string, ...parts: (string | number)[]): string {
  return ['k8s', ...parts, ...(node === defaultNode ? [] : [node])].join('_').replace(unusable, '-')
}
