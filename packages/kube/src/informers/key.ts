import type { ObjectMeta } from '@berth/api/types/meta/v1'

/** `namespace/name`, or the name alone where there is no namespace. */
export function keyOf(object: { metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): string {
  const { name, namespace } = object.metadata
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

/** The two parts of a key; the namespace is empty where it has none. */
export function splitKey(key: string): { namespace: string; name: string } {
  const at = key.indexOf('/')
  return at < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) }
}
