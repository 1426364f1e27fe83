import { apiVersionOf, type ResourceInfo } from '@berth/api'
import type { ObjectMeta, OwnerReference } from '@berth/api/types/meta/v1'

/** Any object of the API. */
export interface ApiObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

/** The reference to the object that manages this one; undefined where none does. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

/** A reference that makes `owner` the controller of what bears it. */
export function controllerReference(owner: ApiObject, resource: ResourceInfo): OwnerReference {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true, blockOwnerDeletion: true }
}

/** Index values: the controller's uid, or `orphan/NAMESPACE`. */
export function controllerIndex(object: ApiObject): string[] {
  return [controllerOf(object)?.uid ?? `orphan/${object.metadata.namespace ?? ''}`]
}

export function orphansOf(namespace: string): string {
  return `orphan/${namespace}`
}
