// The OpenAPI v3 document of a group version of custom resources: what kubectl explains and checks by.
import type { JsonObject } from '@berth/api'
import type { ServedResource } from '../http/discovery.ts'

type Node = Record<string, unknown>

const patchTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']
const writeTypes = ['application/json', 'application/yaml']
const queries: Readonly<Record<string, readonly string[]>> = {
  post: ['dryRun', 'fieldManager', 'fieldValidation'], put: ['dryRun', 'fieldManager', 'fieldValidation'], patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  get: ['resourceVersion'], delete: ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'],
}
const listQueries = ['allowWatchBookmarks', 'continue', 'fieldSelector', 'labelSelector', 'limit', 'resourceVersion', 'resourceVersionMatch', 'sendInitialEvents', 'timeoutSeconds', 'watch']

/** `com.example.v1.Widget`: a component's name, the group's parts reversed. */
function componentName(group: string, version: string, kind: string): string {
  return [...group.split('.').reverse(), version, kind].join('.')
}

function parameter(name: string, where: 'query' | 'path'): Node {
  return { name, in: where, ...(where === 'path' ? { required: true } : {}), schema: { type: name === 'limit' || name === 'timeoutSeconds' || name === 'gracePeriodSeconds' ? 'integer' : 'string', uniqueItems: true } }
}

/** The document of a group version all of whose resources are custom. */
export function customOpenApiV3(groupVersion: string, resources: readonly ServedResource[]): Node {
  const [group = '', version = ''] = groupVersion.split('/')
  const schemas: Record<string, unknown> = {}
  const paths: Record<string, unknown> = {}
  for (const { info, custom = {}, subresources } of resources) {
    const gvk = { group, kind: info.kind, version }
    const name = componentName(group, version, info.kind)
    schemas[name] = { ...withMeta(custom), 'x-kubernetes-group-version-kind': [gvk] }
    const listName = `${name}List`
    schemas[listName] = {
      type: 'object', required: ['items'], 'x-kubernetes-group-version-kind': [{ group, kind: `${info.kind}List`, version }],
      properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, items: { type: 'array', items: reference(name) } },
    }
    const base = `/apis/${groupVersion}/${info.namespaced ? 'namespaces/{namespace}/' : ''}${info.resource}`
    const common = info.namespaced ? [parameter('namespace', 'path')] : []
    paths[base] = { parameters: common, get: operation('list', gvk, listName, listQueries), post: operation('post', gvk, name, queries['post'] ?? [], writeTypes), delete: operation('deletecollection', gvk, undefined, listQueries) }
    const item = (): Node => ({
      parameters: [parameter('name', 'path'), ...common],
      get: operation('get', gvk, name, queries['get'] ?? []), put: operation('put', gvk, name, queries['put'] ?? [], writeTypes), patch: operation('patch', gvk, name, queries['patch'] ?? [], patchTypes),
    })
    paths[`${base}/{name}`] = { ...item(), delete: operation('delete', gvk, undefined, queries['delete'] ?? []) }
    for (const sub of subresources) if (sub.name === 'status') paths[`${base}/{name}/status`] = item()
    if (info.namespaced) paths[`/apis/${groupVersion}/${info.resource}`] = { get: operation('list', gvk, listName, listQueries) }
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.36.0' }, paths, components: { schemas } }
}

/** The schema with what every object has. */
function withMeta(schema: JsonObject): Node {
  const properties = (schema['properties'] ?? {}) as Node
  return { ...schema, type: 'object', properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties } }
}

function reference(name: string): Node {
  return { $ref: `#/components/schemas/${name}` }
}

function operation(action: string, gvk: Node, answer: string | undefined, query: readonly string[], body?: readonly string[]): Node {
  const schema = answer === undefined ? { type: 'object' } : reference(answer)
  return {
    parameters: query.map((name) => parameter(name, 'query')),
    ...(body ? { requestBody: { required: true, content: Object.fromEntries(body.map((type) => [type, { schema: action === 'patch' ? { type: 'object' } : schema }])) } } : {}),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema }, 'application/yaml': { schema } } }, 401: { description: 'Unauthorized' } },
    'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': gvk,
  }
}
