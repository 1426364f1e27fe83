import type { ResourceInfo } from '@berth/api'
import { resourceKey, type KubernetesObject } from '../framework/resource-key.ts'

/** Keeps of an object what some plugin reads. It may change its argument and must keep name, namespace, uid and resourceVersion. */
export type Projection = (object: KubernetesObject) => KubernetesObject

/** No plugin reads who wrote which field. */
export function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  delete object.metadata.managedFields
  return object
}

/** What is kept of the kinds that plugins watch, by resourceKey, where more can go than managedFields. One line a kind. */
const projections: Readonly<Record<string, Projection>> = {}

export function projectionOf(resource: ResourceInfo): Projection {
  return projections[resourceKey(resource)] ?? withoutManagedFields
}
