// A request as webhooks and expressions see it: admission.k8s.io/v1 AdmissionRequest.
import { randomUUID } from 'node:crypto'
import { applyDefaults, core, decode, schemaOf } from '@berth/api'
import type { Json } from '@berth/api'
import type { AdmissionAttributes, ApiObject, ResourceStore } from '../../interfaces.ts'

/** The request without its objects; they are given beside it. */
export function admissionRequest({ kind, resource, subresource, name, namespace, operation, user, dryRun, options, object }: AdmissionAttributes): Record<string, unknown> & { uid: string } {
  const { group, version } = resource
  const plural = { group, version, resource: resource.resource }
  const sub = subresource === '' ? {} : { subResource: subresource }
  return {
    uid: randomUUID(), kind: { ...kind }, resource: plural, ...sub, requestKind: { ...kind }, requestResource: plural, ...(subresource === '' ? {} : { requestSubResource: subresource }),
    name: name || object?.metadata?.name || '', ...(namespace === '' ? {} : { namespace }), operation,
    userInfo: { username: user.name, ...(user.uid === undefined ? {} : { uid: user.uid }), groups: user.groups, ...(user.extra ? { extra: user.extra } : {}) },
    dryRun, options,
  }
}

/** The namespace of a request's object, as expressions see it; null for what lives in none. */
export function namespaceObject({ namespace, resource }: AdmissionAttributes, store: ResourceStore): unknown {
  if (namespace === '' || (resource.group === '' && resource.resource === 'namespaces')) return null
  const found = store.get(core.namespaces, namespace)
  if (!found) return null
  const { uid, managedFields: _, ownerReferences: __, ...metadata } = found.metadata
  return { metadata: { ...metadata, UID: uid }, spec: found.spec ?? {}, status: found.status ?? {} }
}

/**
 * Reads what a webhook or policy made of a request's object as an object of its kind, with defaults. Throws DecodeError where it is none, or
 * an Error where nothing of the kind is stored.
 */
export function readBack(attributes: AdmissionAttributes, made: unknown): ApiObject {
  const { kind, resource, adopt } = attributes
  // The object of a subresource may be of another kind than those that are stored (a Scale).
  const own = kind.kind === resource.kind ? undefined : schemaOf(kind)
  if (!own) return adopt ? adopt(made) : made as ApiObject
  const object = structuredClone(decode(own, made as Json, 'ignore').object)
  applyDefaults(own, object)
  return object as unknown as ApiObject
}

/** Puts another object's content into an object, which stays the same one: whoever holds it or its metadata sees the change. */
export function replaceInPlace(object: ApiObject, by: ApiObject): void {
  const { metadata } = object
  for (const key of Object.keys(metadata)) delete (metadata as unknown as Record<string, unknown>)[key]
  Object.assign(metadata, by.metadata)
  for (const key of Object.keys(object)) if (key !== 'metadata') delete object[key]
  for (const [key, value] of Object.entries(by)) if (key !== 'metadata') object[key] = value
}
