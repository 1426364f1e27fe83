// Projections (scale), actions (binding, eviction), virtual subresources (token) and virtual resources (reviews).
import { badRequest, invalid, notFound } from '../../errors.ts'
import type { AdmissionAttributes, ApiObject, ApiResponse, VirtualResource, VirtualSubresource } from '../../interfaces.ts'
import { manageUpdate } from '../../registry/managed-fields.ts'
import type { ActionSubresource, ProjectionSubresource } from '../../registry/definition.ts'
import { deleteObject } from '../../registry/delete.ts'
import { builtInRules } from '../../registry/kind-rules.ts'
import type { KindRules } from '../../registry/kind-rules.ts'
import { resourceStore } from '../../registry/resource-store.ts'
import { managerName } from '../../registry/scope.ts'
import { updateObject } from '../../registry/update.ts'
import { cloneValue, formatTime } from '../../registry/values.ts'
import { mediaTypeOf, readObject } from '../body.ts'
import { scopeOf } from '../context.ts'
import type { HandlerDependencies, ResourceContext } from '../context.ts'
import { parseDeleteOptions, parseWriteOptions } from '../query-options.ts'
import type { WriteOptions } from '../query-options.ts'
import { jsonResponse, servedResponse } from '../respond.ts'
import { patchedObject, patchTypeOf, readPatch } from './patch.ts'
import { presentation, representationOf } from './read.ts'
import { checkName, namespaceMismatch, parentOf } from './write.ts'

interface Gvk { group: string, version: string, kind: string }

const kindRules = new Map<string, KindRules>()

/** The rules of a kind that is posted and not stored, or projected. */
function rulesFor(gvk: Gvk): KindRules {
  const key = `${gvk.group}/${gvk.version}/${gvk.kind}`
  const rules = kindRules.get(key) ?? builtInRules(gvk)
  kindRules.set(key, rules)
  return rules
}

/** GET of a projection. */
export async function getProjection(context: ResourceContext, projection: ProjectionSubresource): Promise<ApiResponse> {
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const cached = await parentOf(context)
  await context.runtime.prepareToServe([cached])
  return servedResponse(200, { rules: rulesFor(projection.kind) }, projection.project(context.runtime.serve(cached.object)), representation, presentation(context))
}

/** PUT of a projection. */
export async function updateProjection(context: ResourceContext, name: string, projection: ProjectionSubresource): Promise<ApiResponse> {
  const options = parseWriteOptions(context.query, 'UpdateOptions')
  const sent = await readObject(context.request, projection.kind, rulesFor(projection.kind), options.fieldValidation, context.warn)
  checkName(context, sent)
  return changeProjection(context, name, projection, options, () => cloneValue(sent))
}

/** PATCH of a projection. */
export async function patchProjection(context: ResourceContext, name: string, projection: ProjectionSubresource): Promise<ApiResponse> {
  const type = patchTypeOf(mediaTypeOf(context.request))
  const options = parseWriteOptions(context.query, 'PatchOptions', type === 'apply')
  const body = await readPatch(context, type)
  return changeProjection(context, name, projection, options, (live) => {
    // Applying to a projection owns what it sets: the same merge as a merge patch, since a Scale has one field.
    const patched = patchedObject(context, type === 'apply' ? 'merge' : type, rulesFor(projection.kind), projection.kind, live, body, options)
    checkName(context, patched)
    return patched
  })
}

async function changeProjection(context: ResourceContext, name: string, projection: ProjectionSubresource, options: WriteOptions, change: (live: ApiObject) => ApiObject): Promise<ApiResponse> {
  const { deps, info, runtime } = context
  const representation = representationOf(context, ['object'])
  const scope = scopeOf(context, options, 'UpdateOptions')
  const { cached } = await updateObject(deps.registry, runtime, info.namespace, info.name, {
    subresource: name, mayCreate: false, checksUid: false,
    change(live) {
      if (!live) throw notFound(runtime.groupResource, info.name)
      const projected = change(projection.project(live))
      const errors = projection.validate(projected)
      if (errors.length > 0) throw invalid(projection.kind, info.name, errors)
      const parent = cloneValue(live)
      projection.writeBack(projected, parent)
      manageUpdate(parent, live, {
        schema: runtime.schema, manager: scope.manager, apiVersion: runtime.apiVersion, subresource: name, resetFields: [],
        // Upstream writes these entries without a time.
        time: '',
      })
      return parent
    },
    prepare: (object, old, features) => runtime.definition.prepareForUpdate?.(object, old, features),
    validate: () => [],
    admitted: { kind: projection.kind, of: (object) => projection.project(object), back: (admitted, object) => projection.writeBack(admitted, object) },
  }, scope)
  return jsonResponse(200, projection.project(cached.object), representation, presentation(context).pretty)
}

/** POST of an action to an object; `target` is the name in the path, or the posted object's own (/bindings). */
export async function act(context: ResourceContext, name: string, action: ActionSubresource, target: string | undefined): Promise<ApiResponse> {
  const { deps, info, runtime } = context
  const options = parseWriteOptions(context.query, 'CreateOptions')
  const representation = representationOf(context, ['object'])
  const posted = await readObject(context.request, action.kind, rulesFor(action.kind), options.fieldValidation, context.warn)
  if (target !== undefined && posted.metadata.name === '') posted.metadata.name = target
  if (target !== undefined) checkName(context, posted)
  const objectName = target ?? posted.metadata.name
  const scope = scopeOf(context, options, 'CreateOptions')
  const attributes = {
    operation: 'CREATE' as const, resource: runtime.definition.resource, subresource: name, kind: action.kind, namespace: info.namespace, name: objectName, object: posted,
    oldObject: undefined, options: scope.options, user: scope.user, dryRun: scope.dryRun, warn: scope.warn,
  }
  await scope.admission.mutate(attributes)
  await scope.admission.validate(attributes)
  const inner = { ...scope, admission: { ...scope.admission, mutate: async () => {}, validate: async () => {} } }
  const result = await action.act(posted, {
    ...scope, namespace: info.namespace, name: objectName, store: resourceStore(deps.registry),
    get() {
      const cached = runtime.cache.get(runtime.key(info.namespace, objectName))
      if (!cached) throw notFound(runtime.groupResource, objectName)
      return cached.object
    },
    async update(change) {
      const { cached } = await updateObject(deps.registry, runtime, info.namespace, objectName, {
        subresource: name, mayCreate: false, checksUid: false, prepare: () => {}, validate: () => [],
        change(live) {
          if (!live) throw notFound(runtime.groupResource, objectName)
          const object = cloneValue(live)
          change(object)
          return object
        },
      }, inner)
      return cached.object
    },
    async remove(raw) {
      await deleteObject(deps.registry, runtime, info.namespace, objectName, parseDeleteOptions(new URLSearchParams(), raw), scope)
    },
  })
  return jsonResponse(201, result, representation)
}

/** POST of a virtual subresource (serviceaccounts/token). */
export async function createVirtualSubresource(context: ResourceContext, virtual: VirtualSubresource): Promise<ApiResponse> {
  const parent = context.runtime.cache.get(context.runtime.key(context.info.namespace, context.info.name))
  const options = parseWriteOptions(context.query, 'CreateOptions')
  const object = await readObject(context.request, virtual.kind, rulesFor(virtual.kind), options.fieldValidation, context.warn)
  if (!parent) throw notFound(context.runtime.groupResource, context.info.name)
  manageVirtual(context, object, virtual.kind, virtual.name, options)
  const scope = scopeOf(context, options, 'CreateOptions')
  const { namespace, name } = context.info
  const attributes: AdmissionAttributes = {
    operation: 'CREATE', resource: virtual.parent, subresource: virtual.name, kind: virtual.kind, namespace, name, object, oldObject: undefined,
    options: scope.options, user: scope.user, dryRun: scope.dryRun, warn: scope.warn,
  }
  await scope.admission.mutate(attributes)
  await scope.admission.validate(attributes)
  const result = await virtual.create(object, { ...scope, namespace, name, parent: parent.object })
  return jsonResponse(201, rulesFor(virtual.kind).normalize(result), representationOf(context, ['object']))
}

/** POST of a virtual resource (TokenReview, SubjectAccessReview, ...). */
export async function createVirtual(context: Omit<ResourceContext, 'runtime'>, virtual: VirtualResource): Promise<ApiResponse> {
  const options = parseWriteOptions(context.query, 'CreateOptions')
  const { group, version, kind } = virtual.resource
  const gvk = { group, version, kind }
  const object = await readObject(context.request, gvk, rulesFor(gvk), options.fieldValidation, context.warn)
  const { namespace } = context.info
  if (virtual.resource.namespaced && (object.metadata.namespace ?? namespace) !== namespace) throw badRequest(namespaceMismatch)
  if (virtual.resource.namespaced) object.metadata.namespace = namespace
  manageVirtual(context, object, gvk, '', options)
  const scope = scopeOf(context as ResourceContext, options, 'CreateOptions')
  const result = await virtual.create(object, { ...scope, namespace, name: '', parent: undefined })
  return jsonResponse(201, rulesFor(gvk).normalize(result), representationOf(context, ['object']))
}

function manageVirtual(context: { deps: HandlerDependencies, request: ResourceContext['request'] }, object: ApiObject, gvk: Gvk, subresource: string, options: WriteOptions): void {
  const manager = managerName(options.fieldManager, context.request.headers['user-agent'])
  manageUpdate(object, undefined, {
    schema: rulesFor(gvk).schema, manager, apiVersion: gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`, subresource, resetFields: [['status']],
    time: formatTime(context.deps.registry.now()),
  })
}
