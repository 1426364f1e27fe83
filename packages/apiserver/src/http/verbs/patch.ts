// PATCH: JSON patch, merge patch, strategic merge patch and apply, each on the served version of the live object.
import { DecodeError, PatchError, decode, jsonMergePatch, jsonPatch, schemaOf, strategicMergePatch, stringifyJson } from '@berth/api'
import type { Decoded, Json, ObjectSchema } from '@berth/api'
import { badRequest, conflict, invalid, notFound, StatusError, unsupportedMediaType } from '../../errors.ts'
import type { ApiObject, ApiResponse } from '../../interfaces.ts'
import type { Subresource } from '../../registry/definition.ts'
import type { KindRules } from '../../registry/kind-rules.ts'
import { manageApply } from '../../registry/managed-fields.ts'
import type { WriteScope } from '../../registry/scope.ts'
import { updateObject } from '../../registry/update.ts'
import { asRecord, cloneValue, entryOf, formatTime } from '../../registry/values.ts'
import { isSyntaxProblem, mediaTypeOf, parseBody, toObject } from '../body.ts'
import { scopeOf } from '../context.ts'
import type { ResourceContext } from '../context.ts'
import { parseWriteOptions } from '../query-options.ts'
import type { WriteOptions } from '../query-options.ts'
import { objectResponse } from '../respond.ts'
import { presentation, representationOf } from './read.ts'
import { conversionProblem, goText } from './strategic-problem.ts'
import { checkName, managed, resetFieldsOf, updatePlan } from './write.ts'

type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

const patchTypes: Record<string, PatchType> = {
  'application/json-patch+json': 'json', 'application/merge-patch+json': 'merge', 'application/strategic-merge-patch+json': 'strategic', 'application/apply-patch+yaml': 'apply',
}

/** The kind of patch that a request's content type names. Throws 415. */
export function patchTypeOf(mediaType: string): PatchType {
  const type = entryOf(patchTypes, mediaType)
  if (!type) throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  return type
}

/** Reads a patch's body. Throws 400. */
export async function readPatch(context: ResourceContext, type: PatchType): Promise<{ value: Json, duplicates: string[] }> {
  const bytes = await context.request.body()
  try {
    return await parseBody(bytes, type === 'apply' ? 'application/apply-patch+yaml' : 'application/json')
  } catch (error) {
    if (isSyntaxProblem(error)) throw badRequest(type === 'apply' ? `error decoding YAML: ${error.message}` : `error decoding patch: ${error.message}`, error)
    throw error
  }
}

/** PATCH of a resource ('' subresource) or of a part of it. */
export async function patch(context: ResourceContext, subresource: string, part: Extract<Subresource, { type: 'part' }> | undefined): Promise<ApiResponse> {
  const { deps, info, runtime } = context
  const type = patchTypeOf(mediaTypeOf(context.request))
  if (runtime.rules.custom && type === 'strategic') throw unsupportedMediaType(Object.keys(patchTypes).filter((name) => patchTypes[name] !== 'strategic'))
  const options = parseWriteOptions(context.query, 'PatchOptions', type === 'apply')
  const representation = representationOf(context, ['object', 'Table', 'PartialObjectMetadata'])
  const body = await readPatch(context, type)
  const scope = scopeOf(context, options, 'PatchOptions')
  const change = type === 'apply'
    ? applyChange(context, body, options, scope, subresource)
    : (live: ApiObject | undefined): Promise<ApiObject> => patchChange(context, type, body, options, scope, subresource, live)
  const plan = { ...updatePlan(context, subresource, part, change), mayCreate: type === 'apply' && subresource === '' }
  const { cached, created } = await updateObject(deps.registry, runtime.stored, info.namespace, info.name, plan, scope)
  await runtime.prepareToServe([cached])
  return objectResponse(created ? 201 : 200, runtime, cached, representation, presentation(context))
}

async function patchChange(
  context: ResourceContext, type: Exclude<PatchType, 'apply'>, body: { value: Json, duplicates: string[] }, options: WriteOptions, scope: WriteScope, subresource: string, live: ApiObject | undefined,
): Promise<ApiObject> {
  const { runtime, info } = context
  if (!live) throw notFound(runtime.groupResource, info.name)
  await runtime.prepareToServe([{ object: live }])
  const patched = patchedObject(context, type, runtime.rules, runtime.gvk, runtime.serve(live), body, options)
  checkName(context, patched)
  await runtime.prepareToStore(patched)
  return managed(context, patched, live, scope, subresource)
}

/** The live object (served version) with the patch applied, decoded and defaulted. */
export function patchedObject(
  context: ResourceContext, type: Exclude<PatchType, 'apply'>, rules: KindRules, gvk: { group: string, version: string, kind: string }, live: ApiObject,
  body: { value: Json, duplicates: string[] }, options: WriteOptions,
): ApiObject {
  let result: unknown
  try {
    result = type === 'json' ? jsonPatch(live, body.value) : type === 'merge' ? jsonMergePatch(live, body.value) : strategicMergePatch(rules.schema, live, body.value)
  } catch (error) {
    if (error instanceof PatchError) throw new StatusError(error.code, error.reason, error.message, error.code === 422 ? {} : undefined, { cause: error })
    throw error
  }
  const record = asRecord(result) ?? {}
  const apiVersion = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`
  const sameKind = record['kind'] === gvk.kind && record['apiVersion'] === apiVersion
  let decoded: Decoded
  try {
    const other = sameKind ? undefined : schemaNamedBy(record)
    decoded = other ? decode(other, result as Json, options.fieldValidation, body.duplicates) : rules.decode(result as Json, options.fieldValidation, body.duplicates)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const problem = type === 'strategic' ? { badValue: goText(body.value), detail: conversionProblem(error.message) } : { badValue: stringifyJson(result as Json), detail: error.message }
    throw invalid({ group: '', kind: '' }, '', [{ type: 'Invalid', field: 'patch', ...problem }])
  }
  for (const problem of decoded.problems) context.warn(problem)
  if (!sameKind) {
    throw badRequest(`${typeof record['kind'] === 'string' ? record['kind'] : ''} in version ${JSON.stringify(record['apiVersion'] ?? '')} cannot be handled as a ${gvk.kind}: a patch may not change kind or apiVersion`)
  }
  const object = { ...(decoded.object as unknown as ApiObject), kind: gvk.kind, apiVersion }
  object.metadata = { ...object.metadata, name: object.metadata?.name ?? '' }
  const own = cloneValue(object)
  rules.applyDefaults(own)
  return own
}

/** A patch may have made another kind of the object; then that kind is what it is read as, before it is refused. */
function schemaNamedBy(record: Record<string, unknown>): ObjectSchema | undefined {
  const { apiVersion, kind } = record
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  const slash = apiVersion.indexOf('/')
  return schemaOf({ group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind })
}

function applyChange(context: ResourceContext, body: { value: Json, duplicates: string[] }, options: WriteOptions, scope: WriteScope, subresource: string): (live: ApiObject | undefined) => Promise<ApiObject> {
  const { runtime, info } = context
  const applied = readApplied(context, body, options)
  const wantedUid = applied.metadata.uid
  return async (live) => {
    if (!live && wantedUid) {
      throw conflict(runtime.groupResource, info.name, `uid mismatch: the provided object specified uid ${wantedUid}, and no existing object was found`)
    }
    if (!live && subresource !== '') throw notFound(runtime.groupResource, info.name)
    await runtime.prepareToStore(applied)
    const { object, conflicts } = manageApply(runtime.store(applied), live, {
      schema: runtime.stored.schema, manager: scope.manager, apiVersion: runtime.stored.apiVersion, subresource, resetFields: resetFieldsOf(context, subresource),
      time: formatTime(context.deps.registry.now()), force: options.force,
    })
    if (conflicts) throw new StatusError(409, 'Conflict', conflicts.message, { causes: [...conflicts.causes] })
    const merged = cloneValue(object) as unknown as ApiObject
    merged.kind = runtime.stored.gvk.kind
    merged.apiVersion = runtime.stored.apiVersion
    runtime.stored.rules.applyDefaults(merged)
    return merged
  }
}

/** The configuration as it was sent, checked for kind, version, unknown fields, name and namespace. */
function readApplied(context: ResourceContext, body: { value: Json, duplicates: string[] }, options: WriteOptions): ApiObject {
  const { runtime, info } = context
  const record = asRecord(body.value)
  if (!record) throw badRequest('error decoding YAML: the body is not an object')
  // Defaults of this copy are not used: only what was sent counts.
  const checked = toObject(body.value, body.duplicates, runtime.gvk, runtime.rules, options.fieldValidation, context.warn)
  if (checked.metadata.name !== '') checkName(context, checked)
  const metadata = { ...asRecord(record['metadata']), name: info.name, ...(runtime.definition.resource.namespaced && { namespace: info.namespace }) }
  return { ...record, kind: record['kind'] as string | undefined, apiVersion: record['apiVersion'] as string | undefined, metadata }
}
