import type { SubresourceInfo } from '../resource.ts'
import { Components, type Node } from './components.ts'
import type { DescribedResource } from './custom.ts'
import { type Descriptions, readDescriptions } from './descriptions.ts'
import { type Operation, type Target, allNamespacesOperations, collectionOperations, connectOperations, itemOperations, logOperations, pathParameter, watchOperations } from './operations.ts'

const connects = new Set(['attach', 'exec', 'portforward', 'proxy'])

/** The path under which the document of a group and version is served: `api/v1`, `apis/apps/v1`. */
export function openApiV3Path(groupVersion: string): string {
  return groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`
}

/**
 * The OpenAPI v3 document of one group and version: what kubectl validates, explains and applies by. Making it costs memory and some tens of
 * milliseconds; callers keep the encoded bytes.
 * @param groupVersion `v1`, `apps/v1`
 * @param resources the resources that are served of it, each with the subresources that are served
 * @param describe what types and fields are for; read from the build when it is not given
 */
export function openApiV3(groupVersion: string, resources: readonly DescribedResource[], describe: Descriptions = readDescriptions()): Record<string, unknown> {
  const [version = '', group = ''] = groupVersion.split('/').reverse()
  const document = new Document(group, version, describe)
  for (const resource of resources) document.add(resource)
  return document.toJson()
}

class Document {
  readonly #group: string
  readonly #version: string
  readonly #root: string
  readonly #components: Components
  readonly #paths: Record<string, Node> = {}

  constructor(group: string, version: string, describe: Descriptions) {
    this.#group = group
    this.#version = version
    this.#root = `/${openApiV3Path(group === '' ? version : `${group}/${version}`)}/`
    this.#components = new Components(group, version, describe)
    const list = this.#components.meta('APIResourceList')
    const content = Object.fromEntries(['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml'].map((t) => [t, { schema: list }]))
    this.#paths[this.#root] = { get: { operationId: `get${this.#prefix()}APIResources`, responses: { 200: { description: 'OK', content }, 401: { description: 'Unauthorized' } }, tags: [this.#tag()] } }
  }

  /** `AppsV1`, `RbacAuthorizationV1`, `CoreV1`: how operation ids begin. */
  #prefix(): string {
    const words = (this.#group === '' ? 'core' : this.#group.replace(/\.k8s\.io$/, '')).split('.')
    return `${words.map(capital).join('')}${capital(this.#version)}`
  }

  #tag(): string {
    const [first = '', ...more] = (this.#group === '' ? 'core' : this.#group.replace(/\.k8s\.io$/, '')).split('.')
    return `${first}${more.map(capital).join('')}_${this.#version}`
  }

  #target(kind: { group: string; version: string; kind: string }, id: string, custom: boolean): Target | undefined {
    const schema = this.#components.kind(kind.group, kind.version, kind.kind)
    return schema && { id, gvk: { group: kind.group, kind: kind.kind, version: kind.version }, schema, tag: this.#tag(), custom }
  }

  add(info: DescribedResource): void {
    if (info.schema) this.#components.custom(info.kind, info.schema)
    const scope = info.namespaced ? 'Namespaced' : ''
    const id = `${this.#prefix()}${scope}${info.kind}`
    const target = this.#target(info, id, info.schema !== undefined)
    if (!target) return
    const base = info.namespaced ? `${this.#root}namespaces/{namespace}/` : this.#root
    const namespace = info.namespaced ? [pathParameter('namespace')] : []
    const name = [pathParameter('name'), ...namespace]
    const list = info.verbs.includes('list') ? this.#components.kind(info.group, info.version, `${info.kind}List`) : undefined
    this.#put(`${base}${info.resource}`, namespace, collectionOperations(info, target, list, this.#components))
    const verbs = new Set(info.verbs)
    verbs.delete('create')
    this.#put(`${base}${info.resource}/{name}`, name, itemOperations(verbs, target, this.#components))
    if (info.namespaced && list) this.#put(`${this.#root}${info.resource}`, [], allNamespacesOperations(target, list))
    for (const sub of info.subresources) this.#addSubresource(info, sub, `${base}${info.resource}/{name}/${sub.name}`, name, id)
    // Upstream describes the old watch paths of what is built in alone.
    if (info.verbs.includes('watch') && !info.schema) this.#addWatches(info, target, namespace, name)
  }

  #addWatches(info: DescribedResource, target: Target, namespace: Node[], name: Node[]): void {
    const base = info.namespaced ? `${this.#root}watch/namespaces/{namespace}/` : `${this.#root}watch/`
    this.#put(`${base}${info.resource}`, namespace, watchOperations(target, `${target.id}List`, 'watchlist', this.#components))
    this.#put(`${base}${info.resource}/{name}`, name, watchOperations(target, target.id, 'watch', this.#components))
    if (info.namespaced) this.#put(`${this.#root}watch/${info.resource}`, [], watchOperations(target, `${target.id.replace('Namespaced', '')}ListForAllNamespaces`, 'watchlist', this.#components))
  }

  #addSubresource(info: DescribedResource, sub: SubresourceInfo, path: string, name: Node[], id: string): void {
    const gvk = { group: sub.version === '' ? info.group : sub.group, kind: sub.kind, version: sub.version === '' ? info.version : sub.version }
    const own = `${id}${capital(sub.name)}`
    // What a connection takes is said by its parameters; no body has the options' schema.
    const target = connects.has(sub.name) ? { id: own, gvk, schema: {}, tag: this.#tag(), custom: false } : this.#target(gvk, own, info.schema !== undefined)
    if (!target) return
    if (connects.has(sub.name)) {
      const named = (method: string, suffix: string): string => `connect${this.#prefix()}${capital(method)}${own.slice(this.#prefix().length)}${suffix}`
      const operations = connectOperations(sub, target, (method) => named(method, ''))
      this.#put(path, name, operations)
      if (sub.name === 'proxy') this.#put(`${path}/{path}`, [...name, pathParameter('path')], connectOperations(sub, target, (method) => named(method, 'WithPath')))
    } else if (sub.name === 'log') {
      this.#put(path, name, logOperations(target))
    } else {
      this.#put(path, name, itemOperations(new Set(sub.verbs), target, this.#components))
    }
  }

  /** Parameters that all operations of a path have stand at the path. */
  #put(path: string, pathParameters: Node[], operations: Operation[]): void {
    if (operations.length === 0) return
    const key = (p: Node): string => `${String(p['name'])} ${String(p['in'])}`
    const sorted = (list: Node[]): Node[] => [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1))
    const [first, ...others] = operations
    const shared = (first?.parameters ?? []).filter((p) => others.every((o) => o.parameters.some((q) => key(q) === key(p))))
    const isShared = new Set(shared.map(key))
    const node: Node = {}
    for (const { method, parameters, rest } of operations) {
      const own = sorted(parameters.filter((p) => !isShared.has(key(p))))
      node[method] = { ...(own.length > 0 && { parameters: own }), ...rest }
    }
    const common = sorted([...pathParameters, ...shared])
    this.#paths[path] = common.length > 0 ? { ...node, parameters: common } : node
  }

  toJson(): Record<string, unknown> {
    const sorted = <T>(o: Record<string, T>): Record<string, T> => Object.fromEntries(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)))
    return {
      openapi: '3.0.0', info: { title: 'Kubernetes', version: '1.36' }, paths: sorted(this.#paths),
      components: { schemas: sorted(this.#components.schemas), securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header', description: 'Bearer Token authentication' } } },
    }
  }
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
