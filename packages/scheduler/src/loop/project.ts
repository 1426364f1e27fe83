import type { Node, Pod } from '@berth/api/types/core/v1'

/** Keeps of a pod what plugins, binding and reporting read: most of its bytes are not among it. */
export function projectPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, generation, labels, deletionTimestamp, creationTimestamp, ownerReferences } = pod.metadata
  const status = pod.status
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }), ...(generation === undefined ? {} : { generation }), ...(labels ? { labels } : {}),
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
  return {
    metadata: { name, ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }), ...(labels ? { labels } : {}) },
    spec: { ...(node.spec.taints ? { taints: node.spec.taints } : {}), ...(node.spec.unschedulable ? { unschedulable: true } : {}) },
    status: { ...(node.status?.allocatable ? { allocatable: node.status.allocatable } : {}), ...(node.status?.images ? { images: node.status.images } : {}) },
  }
}
