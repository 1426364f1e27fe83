import type { ResourceInfo } from '@berth/api'
import type { ObjectMeta } from '@berth/api/types/meta/v1'

/** Any object of the API, as the stream of changes carries it. */
export interface KubernetesObject {
  readonly metadata: ObjectMeta
}

/** What names a kind in the stream of changes: `persistentvolumes`, `resourceclaims.resource.k8s.io`. Its version is not part of it. */
export function resourceKey(info: Pick<ResourceInfo, 'group' | 'resource'>): string {
  return info.group === '' ? info.resource : `${info.resource}.${info.group}`
}
