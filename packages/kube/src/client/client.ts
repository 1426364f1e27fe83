import type { ResourceInfo } from '@berth/api'
import type { DeletionPropagation, ListMeta, Status } from '@berth/api/types/meta/v1'
import type { TransportRequest, TransportResponse } from '../transport/transport.ts'

export interface GetOptions {
  namespace?: string
  subresource?: string
  resourceVersion?: string
  signal?: AbortSignal
}

export interface ListOptions {
  /** All namespaces when absent. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  signal?: AbortSignal
}

export interface WatchOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  resourceVersionMatch?: 'NotOlderThan'
  allowWatchBookmarks?: boolean
  sendInitialEvents?: boolean
  timeoutSeconds?: number
  signal?: AbortSignal
}

export interface CreateOptions {
  /** The object's own namespace when absent. */
  namespace?: string
  /** With a subresource (`binding`, `eviction`, `token`), the name of the parent. */
  name?: string
  subresource?: string
  dryRun?: boolean
  fieldManager?: string
  signal?: AbortSignal
}

export interface UpdateOptions {
  namespace?: string
  subresource?: string
  dryRun?: boolean
  fieldManager?: string
  signal?: AbortSignal
}

export interface PatchOptions {
  namespace?: string
  subresource?: string
  dryRun?: boolean
  fieldManager?: string
  /** Takes over fields of other managers; for `apply` alone. */
  force?: boolean
  signal?: AbortSignal
}

export interface DeleteOptions {
  namespace?: string
  gracePeriodSeconds?: number
  propagationPolicy?: DeletionPropagation
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: boolean
  signal?: AbortSignal
}

/** A patch: `json` is a list of RFC 6902 operations, the others are (parts of) an object. */
export interface Patch {
  type: 'json' | 'merge' | 'strategic' | 'apply'
  body: unknown
}

export interface KubeList<T> {
  metadata: ListMeta
  items: T[]
}

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  /** With `ERROR` it is a Status; with `BOOKMARK` an object with a resource version only. */
  object: T
}

/**
 * A client of the Kubernetes API. Every method rejects with {@link ApiError} where the server answers with an error, and with
 * TransportError where it does not answer. Objects of a list carry `apiVersion` and `kind` like single ones.
 */
export interface KubeClient {
  get<T>(resource: ResourceInfo<T>, name: string, options?: GetOptions): Promise<T>
  list<T>(resource: ResourceInfo<T>, options?: ListOptions): Promise<KubeList<T>>
  /** Ends when the server ends the stream or the signal aborts; a broken connection throws. Leaving the loop cancels the request. */
  watch<T>(resource: ResourceInfo<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>
  create<T>(resource: ResourceInfo<T>, object: T, options?: CreateOptions): Promise<T>
  /** Posts to a subresource whose kind differs from its parent's and answers with what the server gives (TokenRequest, Binding, Eviction). */
  createSubresource<O>(resource: ResourceInfo, name: string, subresource: string, object: O, options?: CreateOptions): Promise<O>
  update<T>(resource: ResourceInfo<T>, object: T, options?: UpdateOptions): Promise<T>
  patch<T>(resource: ResourceInfo<T>, name: string, patch: Patch, options?: PatchOptions): Promise<T>
  /** Answers with the object where it still exists (finalizers, grace), else with a Status. */
  delete<T>(resource: ResourceInfo<T>, name: string, options?: DeleteOptions): Promise<T | Status>
  deleteCollection<T>(resource: ResourceInfo<T>, options?: ListOptions & Omit<DeleteOptions, 'preconditions'>): Promise<KubeList<T> | Status>
  /** Any request, its answer undecoded; an error status resolves too. */
  raw(request: TransportRequest): Promise<TransportResponse>
}

export interface ClientOptions {
  /** `berth` when absent. */
  userAgent?: string
  /** The manager that writes are recorded under, where a call names none. */
  fieldManager?: string
}
