import type { PodInfo } from '../../framework/pod-info.ts'

const known = new WeakMap<PodInfo, string>()

/**
 * What a pod is one of several of, as Swarm's tasks are of a service: its controller; for a Deployment's pods the
 * Deployment, so that a rollout's two ReplicaSets count as one. '' for a pod that nobody controls.
 */
export function serviceOf(info: PodInfo): string {
  const before = known.get(info)
  if (before !== undefined) return before
  const { ownerReferences, labels } = info.pod.metadata
  const owner = ownerReferences?.find(({ controller }) => controller)
  const suffix = `-${labels?.['pod-template-hash'] ?? ''}`
  const service = !owner ? ''
    : owner.kind === 'ReplicaSet' && suffix !== '-' && owner.name.endsWith(suffix) ? `${info.namespace}/Deployment/${owner.name.slice(0, -suffix.length)}`
    : `${info.namespace}/${owner.kind}/${owner.name}`
  known.set(info, service)
  return service
}

/** What a pod is packed with: its scheduling group, else those of the same controller. '' for a pod alone. */
export function groupOf(info: PodInfo): string {
  const name = info.pod.spec.schedulingGroup?.podGroupName
  return name ? `${info.namespace}/PodGroup/${name}` : serviceOf(info)
}
