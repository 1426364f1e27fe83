// A served resource at run time: its definition with schema, cache and hooks.
import type { ObjectSchema, ValidationOptions } from '@berth/api'
import { apiVersionOf } from '@berth/api'
import type { ApiObject, WriteHook } from '../interfaces.ts'
import type { ResourceDefinition } from './definition.ts'
import { builtInRules } from './kind-rules.ts'
import type { KindRules } from './kind-rules.ts'
import type { WatchCache } from './watch-cache.ts'

export interface Gvk { group: string, version: string, kind: string }

export class ResourceRuntime {
  readonly definition: ResourceDefinition
  readonly gvk: Gvk
  readonly apiVersion: string
  readonly rules: KindRules
  readonly schema: ObjectSchema
  readonly cache: WatchCache
  readonly hooks: readonly WriteHook[]
  /** What this server lets validation pass. */
  readonly validation: ValidationOptions
  /** The resource whose objects these are; itself unless this is a view. */
  readonly stored: ResourceRuntime

  constructor(definition: ResourceDefinition, cache: WatchCache, hooks: readonly WriteHook[], validation: ValidationOptions, stored?: ResourceRuntime) {
    const { group, version, kind } = definition.resource
    this.definition = definition
    this.gvk = { group, version, kind }
    this.apiVersion = apiVersionOf(definition.resource)
    this.rules = definition.rules ?? builtInRules(this.gvk)
    this.schema = this.rules.schema
    this.cache = cache
    this.hooks = hooks
    this.validation = validation
    this.stored = stored ?? this
  }

  get groupResource(): { group: string, resource: string } {
    return this.definition.resource
  }

  /** The storage key of an object. */
  key(namespace: string, name: string): string {
    return this.prefix(namespace) + name
  }

  /** What the keys of a namespace (or of all, with '') begin with. */
  prefix(namespace: string): string {
    return namespace === '' || !this.definition.resource.namespaced ? this.cache.prefix : `${this.cache.prefix}${namespace}/`
  }

  /** Converts stored objects to the served version, where that takes asking somebody: before `serve` is called with them. Throws StatusError. */
  async prepareToServe(versions: readonly { readonly object: ApiObject }[]): Promise<void> {
    const { conversion } = this.definition
    // Objects are decoded only where it must be.
    if (conversion) await conversion.prepare(versions.map(({ object }) => object), this.apiVersion, true)
  }

  /** Converts an object of the served version to the stored one: before `store` is called with it. Throws StatusError. */
  async prepareToStore(object: ApiObject): Promise<void> {
    await this.definition.conversion?.prepare([object], this.stored.apiVersion, false)
  }

  /** The object in the version that this resource serves; it may have been stored when another version was the stored one. */
  serve(object: ApiObject): ApiObject {
    const { conversion, view } = this.definition
    if (conversion) return conversion.converted(object, this.apiVersion, true)
    const served = view ? view.fromStored(object) : object
    return served.apiVersion === this.apiVersion ? served : { ...served, apiVersion: this.apiVersion }
  }

  /** The object in the version that is stored. */
  store(object: ApiObject): ApiObject {
    const { conversion, view } = this.definition
    if (conversion) return conversion.converted(object, this.stored.apiVersion, false)
    return view ? view.toStored(object) : object
  }
}
