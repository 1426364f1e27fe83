import type { ResourceInfo } from '@berth/api'
import type { ReplicaSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { controllerReference } from '../common/owners.ts'

/** The pod that a ReplicaSet creates: its template under a generated name, controlled by the set. */
export function podOf(set: ReplicaSet, resource: ResourceInfo): Pod {
  const template = set.spec.template
  const meta = template?.metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace,
      ...(meta?.labels === undefined ? {} : { labels: { ...meta.labels } }),
      ...(meta?.annotations === undefined ? {} : { annotations: { ...meta.annotations } }),
      ...(meta?.finalizers === undefined ? {} : { finalizers: [...meta.finalizers] }),
      ownerReferences: [controllerReference(set, resource)],
    },
    spec: structuredClone(template?.spec ?? { containers: [] }),
  }
}
