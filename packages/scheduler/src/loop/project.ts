import type { Node, Pod } from '@berth/api/types/core/v1'

/** The annotations that plugins read (placement/bandwidth.ts, placement/image-layers.ts); undefined where there are none. */
function readAnnotations(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const read = Object.entries(annotations ?? {}).filter(([name]) => name.startsWith('berth.dev/') || name === 'kubernetes.io/ingress-bandwidth' || name === 'kubernetes.io/egress-bandwidth')
  return read.length > 0 ? Object.fromEntries(read) : undefined
}

/** Keeps of a pod what plugins, binding and reporting read: most of its bytes are not among it. */
export function projectPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, generation, labels, deletionTimestamp, creationTimestamp, ownerReferences } = pod.metadata
  const annotations = readAnnotations(pod.metadata.annotations)
  const status = pod.status
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }), ...(generation === undefined ? {} : { generation }), ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}),
      ...(deletionTimestamp ? { deletionTimestamp } : {}), ...(creationTimestamp ? { creationTimestamp } : {}), ...(ownerReferences ? { ownerReferences } : {}),
    },
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map(projectContainer),
      ...(pod.spec.initContainers ? { initContainers: pod.spec.initContainers.map(projectContainer) } : {}),
    },
    ...(status ? { status: {
      ...(status.phase ? { phase: status.phase } : {}),
      ...(status.nominatedNodeName ? { nominatedNodeName: status.nominatedNodeName } : {}),
      ...(status.startTime ? { startTime: status.startTime } : {}),
      conditions: (status.conditions ?? []).filter((c) => c.type === 'PodScheduled' || c.type === 'PodResizePending' || c.type === 'DisruptionTarget'),
      containerStatuses: (status.containerStatuses ?? []).filter((c) => c.resources).map(({ name: n, image, imageID, ready, restartCount, resources, allocatedResources }) => ({ name: n, image, imageID, ready, restartCount, ...(resources ? { resources } : {}), ...(allocatedResources ? { allocatedResources } : {}) })),
    } } : {}),
  }
}

function projectContainer(container: Pod['spec']['containers'][number]): Pod['spec']['containers'][number] {
  const { name, image, resources, ports, restartPolicy } = container
  return { name, ...(image === undefined ? {} : { image }), ...(resources ? { resources } : {}), ...(ports ? { ports: ports.filter((p) => p.hostPort) } : {}), ...(restartPolicy ? { restartPolicy } : {}) }
}

/** Keeps of a node what plugins read: not its heartbeats. */
export function projectNode(node: Node): Node {
  const { name, uid, resourceVersion, labels } = node.metadata
  const annotations = readAnnotations(node.metadata.annotations)
  return {
    metadata: { name, ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }), ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: { ...(node.spec.taints ? { taints: node.spec.taints } : {}), ...(node.spec.unschedulable ? { unschedulable: true } : {}) },
    status: { ...(node.status?.allocatable ? { allocatable: node.status.allocatable } : {}), ...(node.status?.images ? { images: node.status.images } : {}) },
  }
}
