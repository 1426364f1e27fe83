import { apps } from '@berth/api'
import type { DaemonSet } from '@berth/api/types/apps/v1'
import type { Affinity, Pod, Toleration } from '@berth/api/types/core/v1'
import { controllerReference } from '../common/owners.ts'

export const hashLabel = 'controller-revision-hash'
export const generationAnnotation = 'deprecated.daemonset.template.generation'
const generationLabel = 'pod-template-generation'
const nameField = 'metadata.name'

/** What each daemon pod tolerates besides what its template says: a daemon belongs to its node, whatever befalls it. */
function daemonTolerations(hostNetwork: boolean): Toleration[] {
  const exists = (name: string, effect: 'NoExecute' | 'NoSchedule'): Toleration => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect })
  return [
    exists('not-ready', 'NoExecute'), exists('unreachable', 'NoExecute'), exists('disk-pressure', 'NoSchedule'), exists('memory-pressure', 'NoSchedule'),
    exists('pid-pressure', 'NoSchedule'), exists('unschedulable', 'NoSchedule'), ...(hostNetwork ? [exists('network-unavailable', 'NoSchedule')] : []),
  ]
}

function sameToleration(a: Toleration, b: Toleration): boolean {
  return (a.key ?? '') === (b.key ?? '') && (a.effect ?? '') === (b.effect ?? '') && (a.operator ?? '') === (b.operator ?? '') && (a.value ?? '') === (b.value ?? '')
}

/** The affinity of a template with its required node terms replaced by one node's name. */
function onNode(affinity: Affinity | undefined, node: string): Affinity {
  const terms = [{ matchFields: [{ key: nameField, operator: 'In' as const, values: [node] }] }]
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } }
}

/** The pod of a set as the template has it, with the daemons' tolerations: what the rules ask whether a node takes it. */
export function templatePod(set: DaemonSet): Pod {
  const spec = structuredClone(set.spec.template.spec ?? { containers: [] })
  const added = daemonTolerations(spec.hostNetwork === true)
  const tolerations = [...(spec.tolerations ?? []).filter((each) => !added.some((other) => sameToleration(each, other))), ...added]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: '', namespace: set.metadata.namespace }, spec: { ...spec, tolerations } }
}

/** The pod that a set creates for a node. */
export function podFor(set: DaemonSet, node: string, hash: string): Pod {
  const meta = set.spec.template.metadata
  const pod = templatePod(set)
  const generation = set.metadata.annotations?.[generationAnnotation]
  return {
    ...pod,
    metadata: {
      name: '', generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace,
      labels: { ...meta?.labels, ...(generation === undefined ? {} : { [generationLabel]: generation }), ...(hash === '' ? {} : { [hashLabel]: hash }) },
      ...(meta?.annotations === undefined ? {} : { annotations: { ...meta.annotations } }),
      ...(meta?.finalizers === undefined ? {} : { finalizers: [...meta.finalizers] }),
      ownerReferences: [controllerReference(set, apps.daemonsets)],
    },
    spec: { ...pod.spec, affinity: onNode(pod.spec.affinity, node) },
  }
}

/** Whether a pod is of the set's present template: by the revision's hash, or by the template's generation. */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
  const labels = pod.metadata.labels ?? {}
  const generation = set.metadata.annotations?.[generationAnnotation]
  return (hash !== '' && labels[hashLabel] === hash) || (generation !== undefined && labels[generationLabel] === generation)
}

/** The node a daemon pod is on, or is made for; undefined where neither is said. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const term of terms) {
    const named = term.matchFields?.find((field) => field.key === nameField && field.operator === 'In' && field.values?.length === 1)
    if (named !== undefined) return named.values?.[0]
  }
  return undefined
}
