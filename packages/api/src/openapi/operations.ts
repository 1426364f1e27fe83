import { schemaOf } from '../schema/registry.ts'
import type { ResourceInfo, SubresourceInfo } from '../resource.ts'
import type { Components, Node } from './components.ts'

/** An operation before the parameters that all operations of its path share are moved to the path. */
export interface Operation {
  readonly method: string
  readonly parameters: Node[]
  readonly rest: Node
}

type Scope = 'namespaced' | 'cluster'
interface Target { readonly id: string; readonly gvk: { group: string; version: string; kind: string }; readonly schema: Node; readonly tag: string; /** A custom resource has no protobuf and no strategic merge patch. */ readonly custom: boolean }

const query = (name: string, type: string): Node => ({ in: 'query', name, schema: { type, uniqueItems: true } })
export const pathParameter = (name: string): Node => ({ in: 'path', name, required: true, schema: { type: 'string', uniqueItems: true } })

const write = [query('dryRun', 'string'), query('fieldManager', 'string'), query('fieldValidation', 'string')]
const listing = [
  query('continue', 'string'), query('fieldSelector', 'string'), query('labelSelector', 'string'), query('limit', 'integer'), query('resourceVersion', 'string'),
  query('resourceVersionMatch', 'string'), query('sendInitialEvents', 'boolean'), query('shardSelector', 'string'), query('timeoutSeconds', 'integer'),
]
const watching = [query('allowWatchBookmarks', 'boolean'), query('watch', 'boolean')]
const deleting = [
  query('dryRun', 'string'), query('gracePeriodSeconds', 'integer'), query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean'), query('orphanDependents', 'boolean'),
  query('propagationPolicy', 'string'),
]
const pretty = query('pretty', 'string')

const media = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml']
const streams = ['application/json', 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf', 'application/vnd.kubernetes.protobuf;stream=watch', 'application/yaml']
const patches = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json']

const mediaOf = (target: Target): readonly string[] => target.custom ? ['application/json', 'application/yaml'] : media
const streamsOf = (target: Target): readonly string[] => target.custom ? ['application/json', 'application/yaml'] : streams
const patchesOf = (target: Target): readonly string[] => target.custom ? patches.filter((type) => !type.includes('strategic')) : patches

const contents = (types: readonly string[], schema: Node): Node => ({ content: Object.fromEntries(types.map((t) => [t, { schema }])) })
const unauthorized = { description: 'Unauthorized' }
const descriptions: Record<string, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }

function responses(codes: readonly number[], types: readonly string[], schema: Node): Node {
  return { ...Object.fromEntries(codes.map((code) => [String(code), { description: descriptions[code], ...contents(types, schema) }])), 401: unauthorized }
}

function operation(method: string, action: string, target: Target, id: string, parameters: Node[], body: Node | undefined, answers: Node): Operation {
  return {
    method, parameters,
    rest: { operationId: id, ...(body && { requestBody: body }), responses: answers, tags: [target.tag], 'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': target.gvk },
  }
}

const bodyOf = (schema: Node): Node => ({ ...contents(['*/*'], schema), required: true })

/** The operations of a list path, `/apis/apps/v1/namespaces/{namespace}/deployments`. */
export function collectionOperations(info: ResourceInfo, target: Target, list: Node | undefined, components: Components): Operation[] {
  const out: Operation[] = []
  const verbs = new Set(info.verbs)
  if (verbs.has('deletecollection')) {
    const parameters = [...listing, ...deleting, pretty]
    const id = `delete${target.id.replace(/V(\d\w*?)(Namespaced|[A-Z])/, 'V$1Collection$2')}`
    out.push(operation('delete', 'deletecollection', target, id, parameters, contents(['*/*'], components.meta('DeleteOptions')), responses([200], mediaOf(target), components.meta('Status'))))
  }
  if (verbs.has('list') && list) out.push(operation('get', 'list', target, `list${target.id}`, [...listing, ...watching, pretty], undefined, responses([200], streamsOf(target), list)))
  if (verbs.has('create')) out.push(operation('post', 'post', target, `create${target.id}`, [...write, pretty], bodyOf(target.schema), responses([200, 201, 202], mediaOf(target), target.schema)))
  return out
}

/** The list of all namespaces, `/apis/apps/v1/deployments`. */
export function allNamespacesOperations(target: Target, list: Node): Operation[] {
  return [operation('get', 'list', target, `list${target.id.replace('Namespaced', '')}ForAllNamespaces`, [...listing, ...watching, pretty], undefined, responses([200], streamsOf(target), list))]
}

/** What is answered with the object itself when it is deleted; all else is with a Status. */
const answeredWhenDeleted = new Set([
  '/PersistentVolume', '/PersistentVolumeClaim', '/Pod', '/PodTemplate', '/ResourceQuota', '/Service', '/ServiceAccount', 'resource.k8s.io/DeviceClass', 'resource.k8s.io/ResourceClaim',
  'resource.k8s.io/ResourceClaimTemplate', 'resource.k8s.io/ResourceSlice', 'storage.k8s.io/CSIDriver', 'storage.k8s.io/CSINode', 'storage.k8s.io/StorageClass', 'storage.k8s.io/VolumeAttachment',
  'storage.k8s.io/VolumeAttributesClass',
])

/** The operations on one object, or on a subresource of it. */
export function itemOperations(verbs: ReadonlySet<string>, target: Target, components: Components): Operation[] {
  const out: Operation[] = []
  if (verbs.has('create')) out.push(operation('post', 'post', target, `create${target.id}`, [...write, pretty], bodyOf(target.schema), responses([200, 201, 202], mediaOf(target), target.schema)))
  if (verbs.has('delete')) {
    const answer = answeredWhenDeleted.has(`${target.gvk.group}/${target.gvk.kind}`) ? target.schema : components.meta('Status')
    out.push(operation('delete', 'delete', target, `delete${target.id}`, [...deleting, pretty], contents(['*/*'], components.meta('DeleteOptions')), responses([200, 202], mediaOf(target), answer)))
  }
  if (verbs.has('get')) out.push(operation('get', 'get', target, `read${target.id}`, [pretty], undefined, responses([200], mediaOf(target), target.schema)))
  if (verbs.has('patch')) {
    const body = { ...contents(patchesOf(target), components.meta('Patch')), required: true }
    out.push(operation('patch', 'patch', target, `patch${target.id}`, [...write, query('force', 'boolean'), pretty], body, responses([200, 201], mediaOf(target), target.schema)))
  }
  if (verbs.has('update')) out.push(operation('put', 'put', target, `replace${target.id}`, [...write, pretty], bodyOf(target.schema), responses([200, 201], mediaOf(target), target.schema)))
  return out
}

/** The deprecated watch paths; tools list them, so they stand in the document. */
export function watchOperations(target: Target, id: string, action: 'watch' | 'watchlist', components: Components): Operation[] {
  return [operation('get', action, target, `watch${id}`, [...listing, ...watching, pretty], undefined, responses([200], streams, components.meta('WatchEvent')))]
}

const connectMethods: Record<string, readonly string[]> = { proxy: ['delete', 'get', 'head', 'options', 'patch', 'post', 'put'] }

/** Subresources that open a stream: exec, attach, portforward, proxy. */
export function connectOperations(sub: SubresourceInfo, target: Target, idOf: (method: string) => string): Operation[] {
  const options = optionParameters(target.gvk)
  const answers = { 200: { description: 'OK', ...contents(['*/*'], { type: 'string' }) }, 401: unauthorized }
  return (connectMethods[sub.name] ?? ['get', 'post']).map((method) => operation(method, 'connect', target, idOf(method), options, undefined, answers))
}

/** A log is read as text. */
export function logOperations(target: Target): Operation[] {
  const parameters = [...optionParameters({ group: '', version: 'v1', kind: 'PodLogOptions' }), pretty]
  const types = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml', 'text/plain']
  return [operation('get', 'get', target, `read${target.id}`, parameters, undefined, { 200: { description: 'OK', ...contents(types, { type: 'string' }) }, 401: unauthorized })]
}

function optionParameters(gvk: { group: string; version: string; kind: string }): Node[] {
  const types: Record<string, string> = { boolean: 'boolean', int32: 'integer', int64: 'integer' }
  // Times are taken, but upstream does not list them.
  return [...(schemaOf(gvk)?.fields.values() ?? [])].filter((f) => f.name !== 'kind' && f.name !== 'apiVersion' && f.type.kind !== 'time').map((f) => query(f.name, types[f.type.kind] ?? 'string'))
}

export type { Scope, Target }
