import type { Container, Namespace, Node, Pod, ReplicationController, Service, Volume } from '@berth/api/types/core/v1'
import type { LabelSelector, ObjectMeta } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'

/** The annotations that plugins read (placement/bandwidth.ts, placement/image-layers.ts); undefined where there are none. */
function readAnnotations(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const read = Object.entries(annotations ?? {}).filter(([name]) => name.startsWith('berth.dev/') || name === 'kubernetes.io/ingress-bandwidth' || name === 'kubernetes.io/egress-bandwidth')
  return read.length > 0 ? Object.fromEntries(read) : undefined
}

/** The named fields that an object has. */
function pick<T extends object, K extends keyof T>(object: T, ...names: K[]): Pick<T, K> {
  const picked: Partial<T> = {}
  for (const name of names) if (object[name] !== undefined && object[name] !== null) picked[name] = object[name]
  return picked as Pick<T, K>
}

/** Volumes of these kinds say nothing of where a pod can be. */
const anywhere = ['secret', 'configMap', 'emptyDir', 'downwardAPI', 'projected', 'hostPath'] as const

function projectVolumes(volumes: readonly Volume[] | undefined): { volumes?: Volume[] } {
  const kept = (volumes ?? []).filter((volume) => !anywhere.some((kind) => volume[kind] !== undefined))
  return kept.length > 0 ? { volumes: kept } : {}
}

function projectContainer(container: Container): Container {
  const ports = container.ports?.filter((p) => p.hostPort)
  return { ...pick(container, 'name', 'image', 'resources', 'restartPolicy', 'restartPolicyRules'), ...(ports?.length ? { ports } : {}) }
}

function projectStatus(status: NonNullable<Pod['status']>): NonNullable<Pod['status']> {
  const conditions = (status.conditions ?? []).filter((c) => c.type === 'PodScheduled' || c.type === 'PodResizePending' || c.type === 'DisruptionTarget')
  const resized = (statuses: typeof status.containerStatuses): typeof status.containerStatuses => statuses?.filter((c) => c.resources ?? c.allocatedResources)
    .map((c) => pick(c, 'name', 'image', 'imageID', 'ready', 'restartCount', 'resources', 'allocatedResources'))
  const containerStatuses = resized(status.containerStatuses)
  const initContainerStatuses = resized(status.initContainerStatuses)
  return {
    ...pick(status, 'phase', 'nominatedNodeName', 'startTime', 'resize', 'qosClass', 'resources', 'allocatedResources', 'resourceClaimStatuses', 'extendedResourceClaimStatus'),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(containerStatuses?.length ? { containerStatuses } : {}), ...(initContainerStatuses?.length ? { initContainerStatuses } : {}),
  }
}

/** Keeps of a pod what plugins, binding and reporting read: most of its bytes are not among it. */
export function projectPod(pod: Pod): Pod {
  const { spec, status } = pod
  const annotations = readAnnotations(pod.metadata.annotations)
  return {
    metadata: {
      ...pick(pod.metadata, 'name', 'namespace', 'uid', 'resourceVersion', 'generation', 'labels', 'deletionTimestamp', 'creationTimestamp', 'ownerReferences'),
      ...(annotations ? { annotations } : {}),
    },
    spec: {
      ...pick(spec, 'nodeName', 'nodeSelector', 'affinity', 'tolerations', 'topologySpreadConstraints', 'priority', 'priorityClassName', 'preemptionPolicy', 'schedulerName', 'schedulingGates', 'schedulingGroup',
        'resources', 'resourceClaims', 'overhead', 'hostNetwork', 'hostUsers', 'os', 'runtimeClassName'),
      containers: spec.containers.map(projectContainer),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(projectContainer) } : {}),
      ...projectVolumes(spec.volumes),
    },
    ...(status ? { status: projectStatus(status) } : {}),
  }
}

/** Keeps of a node what plugins read: not its heartbeats. */
export function projectNode(node: Node): Node {
  const annotations = readAnnotations(node.metadata.annotations)
  return {
    metadata: { ...pick(node.metadata, 'name', 'uid', 'resourceVersion', 'labels'), ...(annotations ? { annotations } : {}) },
    spec: pick(node.spec, 'taints', 'unschedulable'),
    status: pick(node.status ?? {}, 'allocatable', 'images', 'declaredFeatures'),
  }
}

function names<T extends { metadata: ObjectMeta }>({ metadata }: T): Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'> {
  return pick(metadata, 'name', 'namespace', 'uid', 'resourceVersion')
}

export function projectNamespace(namespace: Namespace): Namespace {
  return { metadata: { ...names(namespace), ...pick(namespace.metadata, 'labels') }, spec: {} }
}

export function projectService(service: Service): Service {
  return { metadata: names(service), spec: pick(service.spec ?? {}, 'selector') }
}

/** Keeps of a ReplicaSet or StatefulSet which pods are its own. */
export function projectOwner<T extends { metadata: ObjectMeta; spec: { selector?: LabelSelector } }>(owner: T): T {
  return { metadata: names(owner), spec: { selector: owner.spec.selector } } as T
}

export function projectController(controller: ReplicationController): ReplicationController {
  return { metadata: names(controller), spec: pick(controller.spec ?? {}, 'selector') }
}

export function projectBudget(budget: PodDisruptionBudget): PodDisruptionBudget {
  return {
    metadata: names(budget),
    spec: pick(budget.spec ?? {}, 'selector'),
    ...(budget.status ? { status: pick(budget.status, 'disruptionsAllowed', 'disruptedPods', 'currentHealthy', 'desiredHealthy', 'expectedPods') } : {}),
  }
}
