// What a served resource is: facts about it (ResourceInfo) and a strategy, the parts of upstream's rest.Strategy that differ between kinds.
import type { FieldError, ResourceInfo } from '@berth/api'
import type { Features } from '../features.ts'
import type { ApiObject, ResourceStore, UserInfo, WriteContext } from '../interfaces.ts'
import type { KindRules } from './kind-rules.ts'

/** How one resource differs from the generic one. Everything but `resource` and `storagePrefix` is optional. */
export interface ResourceDefinition {
  readonly resource: ResourceInfo
  /** Below /registry/, as upstream lays out etcd: `pods`, `services/specs`, `minions`. */
  readonly storagePrefix: string
  /** This resource is another one's objects in a different version (events.k8s.io Events are stored as core Events). */
  readonly view?: ResourceView
  /** Objects of this resource's versions are made of each other by asking somebody. */
  readonly conversion?: Conversion
  /** What its objects go through, where it is no built-in kind. */
  readonly rules?: KindRules
  /** The objects are made when they are asked for, and only read. */
  readonly computed?: () => Promise<ApiObject[]>
  /** A delete answers with the object instead of a Status. */
  readonly returnsDeletedObject?: boolean
  /** PUT to a name that is not there creates. */
  readonly allowCreateOnUpdate?: boolean
  /** Every answer carries this warning: the whole resource is on its way out. */
  readonly deprecation?: string
  /** Served only where --runtime-config asks for its version. */
  readonly offByDefault?: boolean
  /** What a deletion that says nothing does with dependents; they are deleted where nothing is said here. */
  readonly orphansByDefault?: boolean
  /** What a deletion with these options is warned of. */
  readonly deleteWarning?: (options: { propagationPolicy?: string, orphanDependents?: boolean }) => string | undefined
  /** PUT must carry a resourceVersion. */
  readonly refusesUnconditionalUpdate?: boolean
  /** Paths that the main resource ignores (status) or a subresource may not touch; they get no managedFields owner. */
  readonly resetFields?: readonly (readonly string[])[]
  /** Seconds until an object is removed by itself (Events). */
  readonly ttlSeconds?: (options: { eventTtlSeconds: number }) => number
  /** Wipes and sets what the server owns, before validation, and drops what gates keep off. Metadata of the system is set already. */
  prepareForCreate?(object: ApiObject, features: Features, user: UserInfo): void
  prepareForUpdate?(object: ApiObject, old: ApiObject, features: Features): void
  /** The grace period that a deletion gets, given the one asked for; undefined: no graceful deletion. */
  gracePeriod?(object: ApiObject, asked: number | undefined): number | undefined
  /** Work when a deletion begins and the object must stay for now (namespaces terminate). */
  markDeleting?(object: ApiObject): void
  /** More finalizers than metadata.finalizers (namespaces' spec.finalizers). */
  hasMoreFinalizers?(object: ApiObject): boolean
  /** Selectable fields beside metadata.name and metadata.namespace. */
  readonly fieldLabels?: Readonly<Record<string, (object: ApiObject) => string>>
  /** Stored subresources by name. */
  readonly subresources?: Readonly<Record<string, Subresource>>
}

/** Conversion that takes asking somebody: what will be needed is prepared, and is then there. */
export interface Conversion {
  /** Converts objects to a version. Those that `areStored` are told by uid and resourceVersion, which of others say nothing. Throws StatusError. */
  prepare(objects: readonly ApiObject[], apiVersion: string, areStored: boolean): Promise<void>
  /** What an object was converted to, the object itself where it is of that version. Throws where it was not prepared. */
  converted(object: ApiObject, apiVersion: string, isStored: boolean): ApiObject
}

/** Another version of stored objects. */
export interface ResourceView {
  /** The stored resource. */
  readonly of: ResourceInfo
  toStored(object: ApiObject): ApiObject
  fromStored(object: ApiObject): ApiObject
}

/** A subresource that reads and writes (part of) the stored object. */
export type Subresource = PartSubresource | ProjectionSubresource | ActionSubresource

/** The same kind as the parent, of which only a part may change: status, ephemeralcontainers, resize, finalize. */
export interface PartSubresource {
  readonly type: 'part'
  readonly resetFields?: readonly (readonly string[])[]
  readonly methods: readonly ('get' | 'update' | 'patch')[]
  prepareForUpdate(object: ApiObject, old: ApiObject, features: Features): void
  /** Instead of api's validateUpdate with this subresource's name. */
  validate?(object: ApiObject, old: ApiObject): FieldError[]
}

/** Another kind that is computed from the parent and written back into it: scale. */
export interface ProjectionSubresource {
  readonly type: 'projection'
  readonly kind: { group: string, version: string, kind: string }
  project(parent: ApiObject): ApiObject
  validate(projected: ApiObject): FieldError[]
  writeBack(projected: ApiObject, parent: ApiObject): void
}

/** Something is posted and done: binding, eviction. */
export interface ActionSubresource {
  readonly type: 'action'
  readonly kind: { group: string, version: string, kind: string }
  act(posted: ApiObject, context: ActionContext): Promise<ApiObject>
}

export interface ActionContext extends WriteContext {
  namespace: string
  name: string
  /** Changes the parent with compare-and-swap; NotFound when there is none. */
  update(change: (parent: ApiObject) => void): Promise<ApiObject>
  remove(options: Record<string, unknown>): Promise<void>
  get(): ApiObject
  /** Everything else that is stored. */
  readonly store: ResourceStore
}
