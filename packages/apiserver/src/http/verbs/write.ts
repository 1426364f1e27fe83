// create, update and delete of stored resources and their part subresources.
import { schemaOf } from '@berth/api'
import { badRequest, notFound, StatusError } from '../../errors.ts'
import type { ApiObject, ApiResponse } from '../../interfaces.ts'
import type { CachedObject } from '../../registry/cached-object.ts'
import { createObject } from '../../registry/create.ts'
import type { Subresource } from '../../registry/definition.ts'
import { deleteObject } from '../../registry/delete.ts'
import type { DeleteResult } from '../../registry/delete.ts'
import { listPage, matcherOf } from '../../registry/listing.ts'
import { manageUpdate } from '../../registry/managed-fields.ts'
import type { WriteScope } from '../../registry/scope.ts'
import { updateObject } from '../../registry/update.ts'
import type { UpdatePlan } from '../../registry/update.ts'
import { cloneValue, entryOf, formatTime } from '../../registry/values.ts'
import { isSyntaxProblem, mediaTypeOf, parseBody, readObject, readProtobuf } from '../body.ts'
import { protobufType } from '../../protobuf/responses.ts'
import { scopeOf } from '../context.ts'
import type { ResourceContext } from '../context.ts'
import { parseDeleteOptions, parseListOptions, parseWriteOptions } from '../query-options.ts'
import { jsonResponse, listResponse, objectResponse } from '../respond.ts'
import { presentation, representationOf, waitForRead } from './read.ts'

/** Sets managedFields of an object in the served version and turns it into the stored one. */
export function managed(context: ResourceContext, object: ApiObject, live: ApiObject | undefined, scope: WriteScope, subresource: string): ApiObject {
  const { runtime } = context
  const stored = runtime.store(object)
  manageUpdate(stored, live, {
    schema: runtime.stored.schema, manager: scope.manager, apiVersion: runtime.stored.apiVersion, subresource,
    resetFields: resetFieldsOf(context, subresource), time: formatTime(context.deps.registry.now()),
  })
  return stored
}

/** The paths that a write to the resource or subresource does not own. */
export function resetFieldsOf(context: ResourceContext, subresource: string): readonly (readonly string[])[] {
  const { definition } = context.runtime.stored
  if (subresource === '') return definition.resetFields ?? []
  const found = entryOf(definition.subresources, subresource)
  return found?.type === 'part' ? found.resetFields ?? [] : []
}

/** Why a body of another namespace is refused. */
export const namespaceMismatch = 'the namespace of the provided object does not match the namespace sent on the request'

/** Namespace of a body must be the request's, when it names one. */
export function checkNamespace(context: ResourceContext, object: ApiObject): void {
  const named = object.metadata.namespace ?? ''
  if (!context.runtime.definition.resource.namespaced || named === '' || named === context.info.namespace) return
  throw badRequest(namespaceMismatch)
}

/** POST to a collection. */
export async function create(context: ResourceContext): Promise<ApiResponse> {
  const { deps, info, runtime } = context
  const options = parseWriteOptions(context.query, 'CreateOptions')
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const object = await readObject(context.request, runtime.gvk, runtime.rules, options.fieldValidation, context.warn)
  checkNamespace(context, object)
  const scope = scopeOf(context, options, 'CreateOptions')
  await runtime.prepareToStore(object)
  const stored = managed(context, object, undefined, scope, '')
  const cached = await createObject(deps.registry, runtime.stored, info.namespace, stored, scope)
  await runtime.prepareToServe([cached])
  return objectResponse(201, runtime, cached, representation, presentation(context))
}

/** The plan of an update of the resource ('' subresource) or of a part of it. */
export function updatePlan(context: ResourceContext, subresource: string, part: Extract<Subresource, { type: 'part' }> | undefined, change: UpdatePlan['change']): UpdatePlan {
  return {
    change, subresource, mayCreate: subresource === '' && (context.runtime.definition.allowCreateOnUpdate ?? false), checksUid: false,
    ...(part && { prepare: part.prepareForUpdate }), ...(part?.validate && { validate: part.validate }),
  }
}

/** PUT. */
export async function update(context: ResourceContext, subresource: string, part: Extract<Subresource, { type: 'part' }> | undefined): Promise<ApiResponse> {
  const { deps, info, runtime } = context
  const options = parseWriteOptions(context.query, 'UpdateOptions')
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const sent = await readObject(context.request, runtime.gvk, runtime.rules, options.fieldValidation, context.warn)
  checkName(context, sent)
  const scope = scopeOf(context, options, 'UpdateOptions')
  const plan = updatePlan(context, subresource, part, async (live) => {
    const object = cloneValue(sent)
    await runtime.prepareToStore(object)
    return managed(context, object, live, scope, subresource)
  })
  const { cached, created } = await updateObject(deps.registry, runtime.stored, info.namespace, info.name, { ...plan, checksUid: true }, scope)
  await runtime.prepareToServe([cached])
  return objectResponse(created ? 201 : 200, runtime, cached, representation, presentation(context))
}

/** The name in a body must be the path's. */
export function checkName(context: ResourceContext, object: ApiObject): void {
  const { info } = context
  const name = object.metadata.name
  if (name === '') throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
  if (name !== info.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`)
  const namespace = object.metadata.namespace ?? ''
  if (info.namespace !== '' && context.runtime.definition.resource.namespaced && namespace !== '' && namespace !== info.namespace) {
    throw badRequest(`the namespace of the object (${namespace}) does not match the namespace on the request (${info.namespace})`)
  }
}

const deleteOptions = { group: '', version: 'v1', kind: 'DeleteOptions' }

/** DeleteOptions of a request. */
export async function readDeleteOptions(context: ResourceContext): Promise<ReturnType<typeof parseDeleteOptions>> {
  const bytes = await context.request.body()
  if (bytes.length === 0) return parseDeleteOptions(context.query, undefined)
  const mediaType = mediaTypeOf(context.request)
  if (mediaType === protobufType) {
    const schema = schemaOf(deleteOptions)
    if (!schema) throw new Error('no schema for DeleteOptions')
    return parseDeleteOptions(context.query, readProtobuf(bytes, deleteOptions, schema))
  }
  try {
    return parseDeleteOptions(context.query, (await parseBody(bytes, mediaType)).value)
  } catch (error) {
    if (isSyntaxProblem(error)) throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`, error)
    throw error
  }
}

function deletionScope(context: ResourceContext, options: { dryRun: boolean, raw: Record<string, unknown> }): WriteScope {
  return scopeOf(context, { dryRun: options.dryRun, fieldManager: '', raw: options.raw }, 'DeleteOptions')
}

/** DELETE of one object. */
export async function remove(context: ResourceContext): Promise<ApiResponse> {
  const { deps, info, runtime } = context
  const options = await readDeleteOptions(context)
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const result = await deleteObject(deps.registry, runtime.stored, info.namespace, info.name, options, deletionScope(context, options))
  const status = !result.removed && options.orphanDependents === false ? 202 : 200
  if (result.removed && !runtime.definition.returnsDeletedObject) {
    return jsonResponse(status, deletedStatus(context, result.cached), representation.as === 'object' ? representation : undefined)
  }
  await runtime.prepareToServe([result.cached])
  return objectResponse(status, runtime, result.cached, representation, presentation(context))
}

function deletedStatus(context: ResourceContext, cached: CachedObject): Record<string, unknown> {
  const { group, resource } = context.runtime.groupResource
  const { name, uid } = cached.object.metadata
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name, ...(group && { group }), kind: resource, uid } }
}

/** DELETE of a collection: each object that is selected, several at a time. */
export async function removeCollection(context: ResourceContext): Promise<ApiResponse> {
  const { deps, info, runtime, query } = context
  const options = await readDeleteOptions(context)
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadataList'])
  const list = parseListOptions(query, runtime)
  await waitForRead(deps.registry, undefined, context.request.signal)
  const page = await listPage(deps.registry, runtime, {
    namespace: runtime.definition.resource.namespaced ? info.namespace : '', matches: matcherOf(runtime.definition, list.labels, list.fields),
    exactRevision: undefined, limit: list.limit, continueToken: list.continueToken,
  })
  const scope = deletionScope(context, options)
  await Promise.all(page.items.map(async (cached): Promise<DeleteResult | undefined> => {
    const { name, namespace = '', uid } = cached.object.metadata
    try {
      return await deleteObject(deps.registry, runtime.stored, namespace, name, { ...options, preconditions: { uid, ...options.preconditions } }, { ...scope })
    } catch (error) {
      // Gone, or replaced by a new one of the same name: somebody else was faster.
      if (error instanceof StatusError && (error.reason === 'NotFound' || error.reason === 'Conflict')) return undefined
      throw error
    }
  }))
  await runtime.prepareToServe(page.items)
  return listResponse(runtime, page.items, { resourceVersion: String(page.revision), ...(page.continueToken !== undefined && { continue: page.continueToken }) }, representation, presentation(context))
}

/** The live object of a request's path. Throws 404. */
export async function parentOf(context: ResourceContext): Promise<CachedObject> {
  await waitForRead(context.deps.registry, undefined, context.request.signal)
  const cached = context.runtime.cache.get(context.runtime.key(context.info.namespace, context.info.name))
  if (!cached) throw notFound(context.runtime.groupResource, context.info.name)
  return cached
}
