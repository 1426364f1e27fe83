// Query parameters as options objects, checked with upstream's words: ListOptions, GetOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions.
import type { FieldError, FieldSelector, Selector } from '@berth/api'
import { parseFieldSelector, parseLabelSelector, SelectorError } from '@berth/api'
import { badRequest, invalid } from '../errors.ts'
import type { ResourceRuntime } from '../registry/resource-runtime.ts'
import type { DeleteOptions } from '../registry/deletion-plan.ts'
import { asRecord, entryOf } from '../registry/values.ts'
import { isTrue } from './request-info.ts'

const metaGroup = 'meta.k8s.io'

export interface ListOptions {
  labels: Selector
  fields: FieldSelector
  watch: boolean
  bookmarks: boolean
  sendInitialEvents: boolean | undefined
  resourceVersion: string
  resourceVersionMatch: string
  limit: number
  continueToken: string
  timeoutSeconds: number | undefined
}

function parseInteger(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

function refuse(kind: string, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: metaGroup, kind }, '', errors)
}

/** Parses and checks the options of list, watch and deletecollection. Throws 400 and 422 as upstream. */
export function parseListOptions(query: URLSearchParams, runtime: ResourceRuntime): ListOptions {
  const options: ListOptions = {
    labels: parseSelector(query.get('labelSelector') ?? '', parseLabelSelector), fields: parseSelector(query.get('fieldSelector') ?? '', parseFieldSelector),
    watch: isTrue(query.get('watch')), bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined,
    resourceVersion: query.get('resourceVersion') ?? '', resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: Math.max(0, parseInteger(query.get('limit')) ?? 0), continueToken: query.get('continue') ?? '', timeoutSeconds: parseInteger(query.get('timeoutSeconds')),
  }
  for (const { field } of options.fields.requirements) {
    if (field === 'metadata.name' || (field === 'metadata.namespace' && runtime.definition.resource.namespaced)) continue
    if (!entryOf(runtime.definition.fieldLabels, field)) throw badRequest(unsupportedField(runtime, field))
  }
  refuse('ListOptions', versionErrors(options))
  return options
}

function unsupportedField(runtime: ResourceRuntime, field: string): string {
  // Kinds with conversion functions of their own say it shorter.
  return runtime.definition.fieldLabels ? `field label not supported: ${field}` : `${field} is not a known field selector: only "metadata.name", "metadata.namespace"`
}

function parseSelector<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message, error)
    throw error
  }
}

function versionErrors(options: ListOptions): FieldError[] {
  const { resourceVersion, resourceVersionMatch, continueToken } = options
  const errors: FieldError[] = []
  const forbid = (field: string, detail: string): void => { errors.push({ type: 'Forbidden', field, detail }) }
  if (options.watch) {
    if (options.sendInitialEvents !== undefined) {
      if (resourceVersionMatch === '') forbid('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
      else if (resourceVersionMatch !== 'NotOlderThan') forbid('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
    } else if (resourceVersionMatch !== '') forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
    return errors
  }
  if (options.sendInitialEvents !== undefined) forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list')
  if (resourceVersionMatch === '') return errors
  if (continueToken !== '') forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden for continue')
  if (resourceVersion === '') forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
    errors.push({ type: 'NotSupported', field: 'resourceVersionMatch', badValue: resourceVersionMatch, detail: 'supported values: "Exact", "NotOlderThan", ""' })
  }
  if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
    forbid('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
  return errors
}

/** A revision out of ?resourceVersion=; undefined when it is absent. Throws 400. */
export function parseResourceVersion(text: string): number | undefined {
  if (text === '') return undefined
  if (!/^\d+$/.test(text)) {
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  return Number(text)
}

export interface WriteOptions {
  dryRun: boolean
  fieldManager: string
  fieldValidation: 'strict' | 'warn' | 'ignore'
  force: boolean
  forceGiven: boolean
}

const validations: Record<string, WriteOptions['fieldValidation']> = { Strict: 'strict', Warn: 'warn', Ignore: 'ignore', '': 'warn' }

/** Parses and checks CreateOptions, UpdateOptions and PatchOptions. `apply` needs a field manager; `force` is for it alone. */
export function parseWriteOptions(query: URLSearchParams, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions', apply = false): WriteOptions {
  const dryRun = query.getAll('dryRun')
  const fieldManager = query.get('fieldManager') ?? ''
  const fieldValidation = query.get('fieldValidation') ?? ''
  const forceGiven = query.has('force')
  const errors: FieldError[] = []
  if (kind === 'PatchOptions') {
    if (!apply && forceGiven) errors.push({ type: 'Forbidden', field: 'force', detail: 'may not be specified for non-apply patch' })
    if (apply && fieldManager === '') errors.push({ type: 'Required', field: 'fieldManager', detail: 'is required for apply patch' })
  }
  errors.push(...fieldManagerErrors(fieldManager), ...dryRunErrors(dryRun))
  const validation = entryOf(validations, fieldValidation)
  if (validation === undefined) {
    errors.push({ type: 'NotSupported', field: 'fieldValidation', badValue: fieldValidation, detail: 'supported values: "", "Ignore", "Strict", "Warn"' })
  }
  refuse(kind, errors)
  return { dryRun: dryRun.length > 0, fieldManager, fieldValidation: validation ?? 'warn', force: isTrue(query.get('force')), forceGiven }
}

function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  if (dryRun.every((value) => value === 'All')) return []
  return [{ type: 'NotSupported', field: 'dryRun', badValue: dryRun, detail: 'supported values: "All"' }]
}

function fieldManagerErrors(manager: string): FieldError[] {
  if (Buffer.byteLength(manager) > 128) return [{ type: 'TooLong', field: 'fieldManager', detail: 'may not be more than 128 bytes' }]
  const index = [...manager].findIndex((c) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(c))
  if (index >= 0) return [{ type: 'Invalid', field: 'fieldManager', badValue: manager, detail: 'should only contain printable characters' }]
  return []
}

/** DeleteOptions out of the body (if there is one) or the query. */
export function parseDeleteOptions(query: URLSearchParams, body: unknown): DeleteOptions & { dryRun: boolean, raw: Record<string, unknown> } {
  const raw: Record<string, unknown> = { ...asRecord(body) }
  if (asRecord(body) === undefined) {
    const grace = parseInteger(query.get('gracePeriodSeconds'))
    if (grace !== undefined) raw['gracePeriodSeconds'] = grace
    if (query.has('orphanDependents')) raw['orphanDependents'] = isTrue(query.get('orphanDependents'))
    const policy = query.get('propagationPolicy')
    if (policy) raw['propagationPolicy'] = policy
  }
  if (query.has('dryRun') && raw['dryRun'] === undefined) raw['dryRun'] = query.getAll('dryRun')
  const dryRun = Array.isArray(raw['dryRun']) ? raw['dryRun'] as string[] : []
  const policy = raw['propagationPolicy']
  const orphan = raw['orphanDependents']
  const errors: FieldError[] = []
  if (typeof policy === 'string') {
    if (!['Foreground', 'Background', 'Orphan'].includes(policy)) {
      errors.push({ type: 'NotSupported', field: 'propagationPolicy', badValue: policy, detail: 'supported values: "Foreground", "Background", "Orphan", "nil"' })
    }
    if (typeof orphan === 'boolean') {
      errors.splice(0)
      errors.push({ type: 'Invalid', field: 'propagationPolicy', badValue: policy, detail: 'orphanDependents and deletionPropagation cannot be both set' })
    }
  }
  errors.push(...dryRunErrors(dryRun))
  refuse('DeleteOptions', errors)
  const preconditions = asRecord(raw['preconditions'])
  return {
    ...(typeof raw['gracePeriodSeconds'] === 'number' && { gracePeriodSeconds: raw['gracePeriodSeconds'] }),
    ...(typeof orphan === 'boolean' && { orphanDependents: orphan }), ...(typeof policy === 'string' && { propagationPolicy: policy }),
    ...(preconditions && { preconditions: preconditions as { uid?: string, resourceVersion?: string } }), dryRun: dryRun.length > 0, raw,
  }
}
