import type { FieldError } from './field-errors.ts'

/** Group, version and kind of an object. */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** What the server's configuration lets users do. */
export interface ValidationOptions {
  /** Whether containers may be privileged: `--allow-privileged`, which is off upstream too unless it is set. */
  readonly allowPrivileged: boolean
  /** The gate HPAScaleToZero. */
  readonly scaleToZero?: boolean
}

/** The rules of one kind. Objects are decoded by the schema and defaulted before. */
export interface KindValidation<T> {
  /** Whether the kind's objects live in namespaces. */
  readonly namespaced: boolean
  /** The whole object, as it is created. */
  create(object: T, options: ValidationOptions): FieldError[]
  /** The object as it is to become, beside what it was; `subresource` is '' for the object itself. Kinds without updates have none. */
  update?(object: T, old: T, subresource: string, options: ValidationOptions): FieldError[]
  /** True for kinds that are not stored (reviews, bindings): their metadata is not judged. */
  readonly virtual?: boolean
}
