import { apps } from '@berth/api'
import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import type { PodTemplateSpec } from '@berth/api/types/core/v1'
import { canonicalJson, contentHash } from '../common/hash.ts'
import { controllerReference } from '../common/owners.ts'
import { newReplicaSetAnnotations } from './annotations.ts'
import { byCreation, desiredReplicas, maxSurge, newSetReplicas } from './replica-math.ts'

const hashLabel = 'pod-template-hash'

/** Whether two templates make the same pods; the hash label that a Deployment adds does not count. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return canonicalJson(comparable(a)) === canonicalJson(comparable(b))
}

function comparable(template: PodTemplateSpec | undefined): unknown {
  const { [hashLabel]: _hash, ...labels } = template?.metadata?.labels ?? {}
  const { name: _name, creationTimestamp: _created, ...metadata } = template?.metadata ?? { name: '' }
  return {
    metadata: { ...metadata, labels: Object.keys(labels).length === 0 ? undefined : labels, annotations: Object.keys(metadata.annotations ?? {}).length === 0 ? undefined : metadata.annotations },
    spec: template?.spec,
  }
}

/** The set of the Deployment's present template: the oldest, should there be several. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.toSorted(byCreation).find((set) => sameTemplate(set.spec.template, deployment.spec.template))
}

export function oldSets(sets: readonly ReplicaSet[], newSet: ReplicaSet | undefined): ReplicaSet[] {
  return sets.filter((set) => set.metadata.uid !== newSet?.metadata.uid)
}

/** The set to create for the present template. Its name, label and selector carry the template's hash. */
export function newReplicaSet(deployment: Deployment, sets: readonly ReplicaSet[], revision: number): ReplicaSet {
  const hash = contentHash(deployment.spec.template, deployment.status?.collisionCount ?? 0)
  const { name, namespace } = deployment.metadata
  const template = structuredClone(deployment.spec.template)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  template.metadata = { ...template.metadata, labels } as PodTemplateSpec['metadata']
  const selector = { ...deployment.spec.selector, matchLabels: { ...deployment.spec.selector.matchLabels, [hashLabel]: hash } }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: newReplicaSetAnnotations(deployment, undefined, revision, desiredReplicas(deployment) + maxSurge(deployment)),
      ownerReferences: [controllerReference(deployment, apps.deployments)],
    },
    spec: {
      replicas: newSetReplicas(deployment, sets, 0),
      ...(deployment.spec.minReadySeconds === undefined || deployment.spec.minReadySeconds === 0 ? {} : { minReadySeconds: deployment.spec.minReadySeconds }),
      selector,
      template,
    },
  }
}
