import { randomUUID } from 'node:crypto'
import { core, schemaOf } from '@berth/api'
import type { ObjectSchema, ResourceInfo } from '@berth/api'
import { alreadyExists, conflict, notFound } from '../errors.ts'
import type { ApiObject, ChangeType, ResourceStore } from '../interfaces.ts'

/** A ResourceStore in memory, without strategies and validation: for unit tests of what stands on one. */
export class MemoryStore implements ResourceStore {
  readonly #objects = new Map<string, ApiObject>()
  readonly #handlers = new Map<string, Set<(type: ChangeType, object: ApiObject, old: ApiObject | undefined) => void>>()
  #revision = 0

  /** Built-in kinds alone are asked for in tests; ConfigMaps alone are found by name. */
  resourceOf(apiVersion: string, kind: string): ResourceInfo | undefined {
    return apiVersion === 'v1' && kind === 'ConfigMap' ? core.configmaps : undefined
  }

  schemaOf({ group, version, kind }: ResourceInfo): ObjectSchema | undefined {
    return schemaOf({ group, version, kind })
  }

  get<T>(resource: ResourceInfo<T>, name: string, namespace?: string): T | undefined {
    return this.#objects.get(key(resource, name, namespace)) as T | undefined
  }

  list<T>(resource: ResourceInfo<T>, namespace?: string): T[] {
    const prefix = `${id(resource)}|${namespace === undefined ? '' : `${namespace}|`}`
    return [...this.#objects].filter(([k]) => k.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, o]) => o as T)
  }

  async create<T>(resource: ResourceInfo<T>, object: T): Promise<T> {
    const given = object as unknown as ApiObject
    const k = key(resource, given.metadata.name, given.metadata.namespace)
    if (this.#objects.has(k)) throw alreadyExists(resource, given.metadata.name)
    return this.#put(resource, k, { ...given, metadata: { creationTimestamp: new Date().toISOString(), uid: randomUUID(), ...given.metadata } }, 'ADDED') as T
  }

  async update<T>(resource: ResourceInfo<T>, object: T): Promise<T> {
    const given = object as unknown as ApiObject
    const k = key(resource, given.metadata.name, given.metadata.namespace)
    if (!this.#objects.has(k)) throw notFound(resource, given.metadata.name)
    return this.#put(resource, k, given, 'MODIFIED') as T
  }

  async delete(resource: ResourceInfo, name: string, options: { namespace?: string, uid?: string } = {}): Promise<void> {
    const k = key(resource, name, options.namespace)
    const old = this.#objects.get(k)
    if (!old) throw notFound(resource, name)
    if (options.uid !== undefined && options.uid !== old.metadata.uid) throw conflict(resource, name, 'uid')
    this.#objects.delete(k)
    for (const handler of this.#handlers.get(id(resource)) ?? []) handler('DELETED', old, old)
  }

  onChange<T>(resource: ResourceInfo<T>, handler: (type: ChangeType, object: T, old: T | undefined) => void): () => void {
    for (const object of this.list(resource)) handler('ADDED', object, undefined)
    const handlers = this.#handlers.get(id(resource)) ?? new Set()
    this.#handlers.set(id(resource), handlers)
    const own = handler as never
    handlers.add(own)
    return () => handlers.delete(own)
  }

  #put(resource: ResourceInfo, k: string, object: ApiObject, type: ChangeType): ApiObject {
    const old = this.#objects.get(k)
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } }
    this.#objects.set(k, stored)
    for (const handler of this.#handlers.get(id(resource)) ?? []) handler(type, stored, old)
    return stored
  }
}

function id(resource: Pick<ResourceInfo, 'group' | 'resource'>): string {
  return `${resource.group}/${resource.resource}`
}

function key(resource: ResourceInfo, name: string, namespace: string | undefined): string {
  return `${id(resource)}|${resource.namespaced ? `${namespace ?? ''}|` : ''}${name}`
}
