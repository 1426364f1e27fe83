// The registry as plugins, hooks and bootstrap see it (interfaces.ts, ResourceStore).
import type { ResourceInfo } from '@berth/api'
import { notFound } from '../errors.ts'
import type { ApiObject, ResourceStore, StoreWriteOptions } from '../interfaces.ts'
import { noAdmission } from './admission-chain.ts'
import { createObject } from './create.ts'
import { deleteObject } from './delete.ts'
import { manageUpdate } from './managed-fields.ts'
import type { Registry } from './registry.ts'
import type { ResourceRuntime } from './resource-runtime.ts'
import { internalScope } from './scope.ts'
import { updateObject } from './update.ts'
import { cloneValue, formatTime } from './values.ts'

/** Builds the store on a registry. */
export function resourceStore(registry: Registry): ResourceStore {
  const prepare = (runtime: ResourceRuntime, object: unknown): ApiObject => {
    const copy = cloneValue(object) as ApiObject
    copy.kind = runtime.gvk.kind
    copy.apiVersion = runtime.apiVersion
    copy.metadata = { ...copy.metadata, name: copy.metadata?.name ?? '' }
    runtime.rules.applyDefaults(copy)
    return copy
  }
  const manage = (runtime: ResourceRuntime, object: ApiObject, live: ApiObject | undefined, options: StoreWriteOptions): void => {
    const { subresource = '', fieldManager = 'kube-apiserver' } = options
    const part = runtime.definition.subresources?.[subresource]
    const resetFields = (subresource === '' ? runtime.definition.resetFields : part?.type === 'part' ? part.resetFields : undefined) ?? []
    manageUpdate(object, live, { schema: runtime.schema, manager: fieldManager, apiVersion: runtime.apiVersion, subresource, resetFields, time: formatTime(registry.now()) })
  }
  return {
    get: <T>(resource: ResourceInfo<T>, name: string, namespace = '') => {
      const runtime = registry.runtimeOf(resource)
      return runtime.cache.get(runtime.key(namespace, name))?.object as T | undefined
    },
    list: <T>(resource: ResourceInfo<T>, namespace = '') => {
      const runtime = registry.runtimeOf(resource)
      return runtime.cache.size === 0 ? [] : Array.from(runtime.cache.range(runtime.prefix(namespace)), (cached) => cached.object as T)
    },
    resourceOf: (apiVersion, kind) => {
      for (const runtime of registry.runtimes()) if (runtime.gvk.kind === kind && runtime.apiVersion === apiVersion) return runtime.definition.resource
      return undefined
    },
    schemaOf: (resource) => registry.runtimeOf(resource).schema,
    async create<T>(resource: ResourceInfo<T>, object: T, options: StoreWriteOptions = {}) {
      const runtime = registry.runtimeOf(resource)
      const prepared = prepare(runtime, object)
      manage(runtime, prepared, undefined, options)
      const cached = await createObject(registry, runtime, prepared.metadata.namespace ?? '', prepared, internalScope(noAdmission, options.fieldManager))
      return cached.object as T
    },
    async update<T>(resource: ResourceInfo<T>, object: T, options: StoreWriteOptions = {}) {
      const runtime = registry.runtimeOf(resource)
      const prepared = prepare(runtime, object)
      const { name, namespace = '' } = prepared.metadata
      const subresource = options.subresource ?? ''
      const part = runtime.definition.subresources?.[subresource]
      const { cached } = await updateObject(registry, runtime, namespace, name, {
        subresource, mayCreate: false, checksUid: true, ...(part?.type === 'part' && { prepare: part.prepareForUpdate }),
        change(live) {
          if (!live) throw notFound(runtime.groupResource, name)
          const copy = cloneValue(prepared)
          manage(runtime, copy, live, options)
          return copy
        },
      }, internalScope(noAdmission, options.fieldManager))
      return cached.object as T
    },
    async delete(resource, name, options = {}) {
      const runtime = registry.runtimeOf(resource)
      const deletion = { gracePeriodSeconds: 0, ...(options.uid !== undefined && { preconditions: { uid: options.uid } }) }
      await deleteObject(registry, runtime, options.namespace ?? '', name, deletion, internalScope(noAdmission))
    },
    onChange: <T>(resource: ResourceInfo<T>, handler: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T, old: T | undefined) => void) =>
      registry.onChange(registry.runtimeOf(resource), (type, object, old) => handler(type, object as T, old as T | undefined)),
  }
}
