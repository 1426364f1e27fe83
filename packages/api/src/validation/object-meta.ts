import type { ObjectMeta, OwnerReference } from '../types/meta/v1.ts'
import { checkFormat, checkImmutable, checkNonNegative, child, isRecord, textOf } from './common.ts'
import { forbidden, goQuote, invalid, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1035Label, dns1123Label, dns1123Subdomain, labelValueFormat, pathSegmentName, qualifiedName } from './formats.ts'
import type { Format } from './formats.ts'

/** A rule for names. With `prefix` the text is a generateName, which may end in a dash. */
export type NameRule = (name: string, prefix: boolean) => string[]

/** generateName's value is judged with its last dash masked, since characters follow it. */
const nameRule = (format: Format): NameRule => (name, prefix) => format(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)

export const nameIsDnsSubdomain = nameRule(dns1123Subdomain)
export const nameIsDnsLabel = nameRule(dns1123Label)
export const nameIsDns1035Label = nameRule(dns1035Label)
/** Any name that can stand in a path. */
export const nameIsPathSegment: NameRule = (name) => pathSegmentName(name)

/** 256 KiB for all annotations of an object. */
const annotationsLimit = 256 * 1024

export function checkLabels(field: string, labels: Record<string, string> | undefined): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [...checkFormat(field, key, qualifiedName), ...checkFormat(field, value, labelValueFormat)])
}

/** A label's key. */
export const checkLabelName = (field: string, name: string): FieldError[] => checkFormat(field, name, qualifiedName)

export function checkAnnotations(field: string, annotations: Record<string, string> | undefined): FieldError[] {
  const errors: FieldError[] = []
  let size = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...qualifiedName(key.toLowerCase()).map((problem) => invalid(field, key, problem)))
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > annotationsLimit) errors.push(tooLong(field, annotationsLimit))
  return errors
}

function checkOwnerReferences(field: string, references: readonly OwnerReference[] | undefined): FieldError[] {
  const errors: FieldError[] = []
  let controller = ''
  for (const reference of references ?? []) {
    const version = textOf(reference.apiVersion).split('/').at(-1) ?? ''
    if (version === '') errors.push(invalid(child(field, 'apiVersion'), textOf(reference.apiVersion), 'version must not be empty'))
    for (const name of ['kind', 'name', 'uid'] as const) if (textOf(reference[name]) === '') errors.push(invalid(child(field, name), '', 'must not be empty'))
    if (reference.apiVersion === 'v1' && reference.kind === 'Event') errors.push(invalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'))
    if (!reference.controller) continue
    const owner = `${reference.kind}/${reference.name}`
    if (controller === '') controller = owner
    else errors.push(invalid(field, references, `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner}`))
  }
  return errors
}

const orphan = 'orphan'
const foreground = 'foregroundDeletion'

function checkFinalizers(field: string, finalizers: readonly string[] | undefined): FieldError[] {
  const errors = (finalizers ?? []).flatMap((finalizer) => checkFormat(field, finalizer, qualifiedName))
  if (finalizers?.includes(orphan) && finalizers.includes(foreground)) errors.push(invalid(field, finalizers, `finalizer ${orphan} and ${foreground} cannot be both set`))
  return errors
}

/** Finalizers of built-in kinds without a domain must be ones that Kubernetes knows. */
export function checkStandardFinalizer(field: string, finalizer: string): FieldError[] {
  if (finalizer.includes('/') || [orphan, foreground, 'kubernetes'].includes(finalizer)) return []
  return [invalid(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')]
}

/** A finalizer's name, for lists of their own (`spec.finalizers`). */
export const checkFinalizerName = (field: string, finalizer: string): FieldError[] => [...checkFormat(field, finalizer, qualifiedName), ...checkStandardFinalizer(field, finalizer)]

/** What every object's metadata must be on creation, by apimachinery; the name has been generated already. */
export function checkGenericMeta(meta: ObjectMeta, namespaced: boolean, rule: NameRule, field = 'metadata'): FieldError[] {
  const errors: FieldError[] = []
  const name = textOf(meta.name)
  if (meta.generateName) errors.push(...rule(meta.generateName, true).map((problem) => invalid(child(field, 'generateName'), meta.generateName, problem)))
  if (name === '') errors.push(required(child(field, 'name'), 'name or generateName is required'))
  else errors.push(...rule(name, false).map((problem) => invalid(child(field, 'name'), name, problem)))
  return [...errors, ...checkCommonMeta(meta, namespaced, field)]
}

function checkCommonMeta(meta: ObjectMeta, namespaced: boolean, field: string): FieldError[] {
  const namespace = textOf(meta.namespace)
  const errors: FieldError[] = []
  if (!namespaced && namespace !== '') errors.push(forbidden(child(field, 'namespace'), 'not allowed on this type'))
  if (namespaced && namespace === '') errors.push(required(child(field, 'namespace')))
  if (namespaced && namespace !== '') errors.push(...checkFormat(child(field, 'namespace'), namespace, dns1123Label))
  return [
    ...errors,
    ...checkNonNegative(child(field, 'generation'), meta.generation),
    ...checkLabels(child(field, 'labels'), meta.labels),
    ...checkAnnotations(child(field, 'annotations'), meta.annotations),
    ...checkOwnerReferences(child(field, 'ownerReferences'), meta.ownerReferences),
    ...checkFinalizers(child(field, 'finalizers'), meta.finalizers),
    ...checkManagedFields(child(field, 'managedFields'), meta.managedFields),
  ]
}

function checkManagedFields(field: string, entries: ObjectMeta['managedFields']): FieldError[] {
  return (entries ?? []).flatMap((entry, i) => {
    const at = `${field}[${i}]`
    const errors: FieldError[] = []
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') errors.push(invalid(child(at, 'operation'), textOf(entry.operation), 'must be `Apply` or `Update`'))
    if (textOf(entry.fieldsType) !== '' && entry.fieldsType !== 'FieldsV1') errors.push(invalid(child(at, 'fieldsType'), entry.fieldsType, 'must be `FieldsV1`'))
    errors.push(...checkFieldManager(child(at, 'manager'), textOf(entry.manager)))
    if (bytesOver(entry.subresource, 256)) errors.push(tooLong(child(at, 'subresource'), 256))
    return errors
  })
}

/** A field manager's name: at most 128 bytes, printable. */
export function checkFieldManager(field: string, manager: string): FieldError[] {
  const errors: FieldError[] = []
  if (bytesOver(manager, 128)) errors.push(tooLong(field, 128))
  const unprintable = [...manager].find((char) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char))
  if (unprintable !== undefined) errors.push(invalid(field, manager, 'should only contain printable characters'))
  return errors
}

const bytesOver = (text: string | undefined, limit: number) => Buffer.byteLength(text ?? '') > limit

/** Metadata of a built-in kind on creation: the generic rules and those of finalizers. */
export function checkMeta(meta: ObjectMeta, namespaced: boolean, rule: NameRule, field = 'metadata'): FieldError[] {
  return [...checkGenericMeta(meta, namespaced, rule, field), ...checkMetaFinalizers(meta, field)]
}

function checkMetaFinalizers(meta: ObjectMeta, field: string): FieldError[] {
  return (meta.finalizers ?? []).flatMap((finalizer, i) => checkStandardFinalizer(`${field}.finalizers[${i}]`, finalizer))
}

/** What must hold between an object's metadata before and after an update, by apimachinery. */
export function checkGenericMetaUpdate(meta: ObjectMeta, old: ObjectMeta, field = 'metadata'): FieldError[] {
  const errors: FieldError[] = []
  if (old.deletionTimestamp !== undefined) {
    const added = [...new Set(meta.finalizers ?? [])].filter((finalizer) => !old.finalizers?.includes(finalizer)).sort()
    if (added.length > 0) {
      errors.push(forbidden(child(field, 'finalizers'), `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(goQuote).join(', ')}}`))
    }
  }
  if (textOf(meta.resourceVersion) === '') errors.push(invalid(child(field, 'resourceVersion'), '', 'must be specified for an update'))
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.push(invalid(child(field, 'generation'), meta.generation ?? 0, 'must not be decremented'))
  return [
    ...errors,
    ...(['name', 'namespace', 'uid'] as const).flatMap((name) => checkImmutable(child(field, name), textOf(meta[name]), textOf(old[name]))),
    ...(['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const).flatMap((name) => checkImmutable(child(field, name), meta[name], old[name])),
    ...checkLabels(child(field, 'labels'), meta.labels),
    ...checkAnnotations(child(field, 'annotations'), meta.annotations),
    ...checkOwnerReferences(child(field, 'ownerReferences'), meta.ownerReferences),
    ...checkManagedFields(child(field, 'managedFields'), meta.managedFields),
  ]
}

/** Metadata of a built-in kind on update. */
export function checkMetaUpdate(meta: ObjectMeta, old: ObjectMeta, field = 'metadata'): FieldError[] {
  return [...checkGenericMetaUpdate(meta, old, field), ...checkMetaFinalizers(meta, field)]
}

/** The metadata of a decoded object; an object without any has empty metadata. */
export function metaOf(object: unknown): ObjectMeta {
  const meta = isRecord(object) ? object['metadata'] : undefined
  // Decoding has checked the shape of metadata against the schema.
  return (isRecord(meta) ? meta : { name: '' }) as unknown as ObjectMeta
}
