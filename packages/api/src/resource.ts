/** A subresource of a resource: its path element, the kind it speaks, its verbs. An empty group and version mean the parent's. */
export interface SubresourceInfo {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

/**
 * What names a resource of the Kubernetes API: enough to build its paths and to list it in discovery.
 * `T` is the wire type of its objects; it exists for the type checker alone.
 */
export interface ResourceInfo<T = unknown> {
  readonly group: string
  readonly version: string
  /** The plural, as in paths: `pods`. */
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly subresources: readonly SubresourceInfo[]
  /** Never set: carries `T`. */
  readonly wireType?: T
}

/** States a resource, with the wire type of its objects. */
export function defineResource<T>(info: Omit<ResourceInfo<T>, 'wireType'>): ResourceInfo<T> {
  return info
}

/** `v1` for the core group, `apps/v1` for others: the form of `apiVersion`. */
export function apiVersionOf(info: Pick<ResourceInfo, 'group' | 'version'>): string {
  return info.group === '' ? info.version : `${info.group}/${info.version}`
}
