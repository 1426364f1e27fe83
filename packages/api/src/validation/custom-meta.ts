import type { ObjectMeta } from '../types/meta/v1.ts'
import type { FieldError } from './field-errors.ts'
import { checkGenericMeta, checkGenericMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

/** The metadata of a custom resource that is to be created (upstream: customresource's validator). */
export function checkCustomMeta(meta: ObjectMeta, namespaced: boolean): FieldError[] {
  return checkGenericMeta(meta, namespaced, nameIsDnsSubdomain)
}

/** The metadata of a custom resource that is to replace another. */
export function checkCustomMetaUpdate(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  return checkGenericMetaUpdate(meta, old)
}
