import type { KubernetesObject } from '../../framework/resource-key.ts'

interface Assumption<T> {
  readonly object: T
  /** The version of the API's object that was assumed upon. */
  readonly version: string | undefined
}

/**
 * Objects as they will be once what was decided is written: a view over what the API says. An assumption ends as soon as
 * the API has another version of the object (ours arrived, or somebody else was first), or when it is taken back.
 */
export class AssumedObjects<T extends KubernetesObject> {
  readonly #byKey = new Map<string, Assumption<T>>()

  /** The object as it counts now; undefined where the API has none. */
  current(key: string, api: T | undefined): T | undefined {
    const assumption = this.#byKey.get(key)
    if (!assumption) return api
    if (api && api.metadata.resourceVersion === assumption.version) return assumption.object
    this.#byKey.delete(key)
    return api
  }

  assume(key: string, object: T, api: T): void {
    this.#byKey.set(key, { object, version: api.metadata.resourceVersion })
  }

  restore(key: string): void {
    this.#byKey.delete(key)
  }
}
