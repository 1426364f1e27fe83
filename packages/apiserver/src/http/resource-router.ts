// From a request for a resource to the verb that serves it.
import { badRequest, methodNotAllowed, pathNotFound } from '../errors.ts'
import type { ApiResponse, RequestInfo } from '../interfaces.ts'
import type { ResourceContext } from './context.ts'
import { textResponse } from './respond.ts'
import { patch } from './verbs/patch.ts'
import { get, list } from './verbs/read.ts'
import { act, createVirtual, createVirtualSubresource, getProjection, patchProjection, updateProjection } from './verbs/subresources.ts'
import { watch } from './verbs/watch.ts'
import { create, parentOf, remove, removeCollection, update } from './verbs/write.ts'
import { entryOf } from '../registry/values.ts'
import { bindingSubresource } from '../resources/pod-actions.ts'

type RouteContext = Omit<ResourceContext, 'runtime'>

/** Serves a request whose path names a resource. undefined: the connection was taken over (upgrade). */
export async function routeResource(context: RouteContext, servedGroupVersions: ReadonlySet<string>): Promise<ApiResponse | undefined> {
  const { deps, info } = context
  const groupVersion = info.apiGroup === '' ? info.apiVersion : `${info.apiGroup}/${info.apiVersion}`
  if (!servedGroupVersions.has(groupVersion)) return textResponse(404, '404 page not found\n')
  checkSegment('Name', info.name)
  checkSegment('Namespace', info.namespace)
  // The old prefixes were authorized as the verbs that they name: nothing else may be reached by them.
  if (info.prefix === 'proxy' || (info.prefix === 'watch' && info.subresource !== '')) throw pathNotFound()
  if (info.prefix === 'watch' && context.request.method !== 'GET') throw methodNotAllowed()
  const virtual = deps.virtualResources.find((v) => v.resource.group === info.apiGroup && v.resource.version === info.apiVersion && v.resource.resource === info.resource)
  if (virtual) {
    if (info.name !== '' || virtual.resource.namespaced !== (info.namespace !== '')) throw pathNotFound()
    if (context.request.method !== 'POST') throw methodNotAllowed()
    return createVirtual(context, virtual)
  }
  if (info.apiGroup === '' && info.resource === 'bindings') return routeBindings(context)
  const runtime = deps.registry.runtime(info.apiGroup, info.resource, info.apiVersion)
  if (!runtime) throw pathNotFound()
  const full: ResourceContext = { ...context, runtime }
  if (runtime.definition.deprecation !== undefined) context.warn(runtime.definition.deprecation)
  // A cluster resource has no namespace in its path (rights in a namespace would reach it); a namespaced one needs it to name an object.
  const { namespaced } = runtime.definition.resource
  if (!namespaced && info.namespace !== '' && !isNamespaceItself(info)) throw pathNotFound()
  if (info.subresource !== '') return routeSubresource(full)
  if (runtime.definition.computed && (info.verb === 'watch' || !['GET', 'HEAD'].includes(context.request.method))) throw methodNotAllowed()
  const named = info.parts.length > 1
  if (info.verb === 'watch' && !(named && namespaced && info.namespace === '')) return watch(full)
  if (namespaced && info.namespace === '' && (named || context.request.method === 'POST')) throw named ? pathNotFound() : methodNotAllowed()
  return named ? routeObject(full) : routeCollection(full)
}

/** `/api/v1/namespaces/a` names the namespace that it is in; `/api/v1/namespaces/a/namespaces/b` would be another one. */
function isNamespaceItself(info: RequestInfo): boolean {
  return info.apiGroup === '' && info.resource === 'namespaces' && info.parts.length > 1 && info.name === info.namespace
}

/** A name goes into a storage key: what would be a path there is refused. */
function checkSegment(what: string, segment: string): void {
  const problems = [
    ...(segment === '.' || segment === '..' ? [`may not be '${segment}'`] : []),
    ...['/', '%'].filter((c) => segment.includes(c)).map((c) => `may not contain '${c}'`),
  ]
  if (problems.length > 0) throw badRequest(`${what} parameter invalid: ${JSON.stringify(segment)}: ${problems.join('; ')}`)
}

function routeCollection(context: ResourceContext): Promise<ApiResponse> {
  const { verbs } = context.runtime.definition.resource
  switch (context.request.method) {
    case 'GET':
    case 'HEAD': return list(context)
    case 'POST': return create(context)
    case 'DELETE':
      if (verbs.includes('deletecollection')) return removeCollection(context)
      throw methodNotAllowed()
    default: throw methodNotAllowed()
  }
}

function routeObject(context: ResourceContext): Promise<ApiResponse> {
  switch (context.request.method) {
    case 'GET':
    case 'HEAD': return get(context)
    case 'PUT': return update(context, '', undefined)
    case 'PATCH': return patch(context, '', undefined)
    case 'DELETE': return remove(context)
    default: throw methodNotAllowed()
  }
}

async function routeSubresource(context: ResourceContext): Promise<ApiResponse | undefined> {
  const { deps, info, runtime, request } = context
  const { method } = request
  const { resource } = runtime.definition
  if (resource.namespaced && info.namespace === '') throw pathNotFound()
  const connect = deps.connectHandlers.find((h) => h.parent.group === info.apiGroup && h.parent.resource === info.resource && h.subresource === info.subresource)
  if (connect) {
    if (!connect.methods.includes(method)) throw methodNotAllowed()
    const { object: parent } = await parentOf(connect.parentName ? { ...context, info: { ...info, name: connect.parentName(info.name) } } : context)
    if (deps.admission.handles('CONNECT')) {
      const attributes = {
        operation: 'CONNECT' as const, resource, subresource: info.subresource, kind: runtime.gvk, namespace: info.namespace, name: info.name, object: undefined, oldObject: undefined,
        options: {}, user: context.user, dryRun: false, warn: context.warn,
      }
      await deps.admission.mutate(attributes)
      await deps.admission.validate(attributes)
    }
    return connect.connect({ request, info, query: context.query, user: context.user, parent })
  }
  const virtual = deps.virtualSubresources.find((v) => v.parent.group === info.apiGroup && v.parent.resource === info.resource && v.name === info.subresource)
  if (virtual) {
    if (method !== 'POST') throw methodNotAllowed()
    return createVirtualSubresource(context, virtual)
  }
  const found = entryOf(runtime.definition.subresources, info.subresource)
  if (!found || info.parts.length > 3) throw pathNotFound()
  if (found.type === 'action') {
    if (method !== 'POST') throw methodNotAllowed()
    return act(context, info.subresource, found, info.name)
  }
  if (found.type === 'projection') {
    if (method === 'GET') return getProjection(context, found)
    if (method === 'PUT') return updateProjection(context, info.subresource, found)
    if (method === 'PATCH') return patchProjection(context, info.subresource, found)
    throw methodNotAllowed()
  }
  const verb = method === 'GET' ? 'get' : method === 'PUT' ? 'update' : method === 'PATCH' ? 'patch' : undefined
  if (verb === undefined || !found.methods.includes(verb)) throw methodNotAllowed()
  if (verb === 'get') return get(context)
  return verb === 'update' ? update(context, info.subresource, found) : patch(context, info.subresource, found)
}

/** POST /api/v1/namespaces/NS/bindings: the older form of pods/binding. */
async function routeBindings(context: RouteContext): Promise<ApiResponse> {
  const { deps, info, request } = context
  if (info.namespace === '' || info.parts.length > 1) throw pathNotFound()
  if (request.method !== 'POST') throw methodNotAllowed()
  const runtime = deps.registry.runtime('', 'pods')
  if (!runtime) throw pathNotFound()
  return act({ ...context, runtime }, 'binding', bindingSubresource, undefined)
}
