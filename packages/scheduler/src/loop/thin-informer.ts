import type { ResourceInfo } from '@berth/api'
import { keyOf, type Informers } from '@berth/kube'
import type { KubernetesObject } from '../framework/resource-key.ts'

/**
 * Follows a kind without keeping it: the informer's store holds no more of an object than says that it is the same one.
 * Who is told keeps what is needed, in the only copy there is.
 */
export function followThinly<T extends KubernetesObject>(
  informers: Informers,
  resource: ResourceInfo<T>,
  options: { readonly fieldSelector?: string; readonly project: (object: T) => T },
  handler: { set(object: T): void; gone(key: string): void },
): void {
  const whole = new WeakMap<object, T>()
  const take = (stub: T): void => {
    const object = whole.get(stub)
    if (object === undefined) return
    whole.delete(stub)
    handler.set(object)
  }
  informers.for(resource, {
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
    project(object) {
      const { name, namespace, uid, resourceVersion } = object.metadata
      // The store's T is not ours to read: nobody else has this projection.
      const stub = { metadata: { name, namespace, uid, resourceVersion } } as T
      whole.set(stub, options.project(object))
      return stub
    },
  }).on({ added: take, updated: (_, now) => take(now), deleted: (last) => handler.gone(keyOf(last)) })
}
