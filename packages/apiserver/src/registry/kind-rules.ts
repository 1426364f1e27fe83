// What a kind's objects go through on their way in and out. Built-in kinds have it from @berth/api by name; custom resources bring their own.
import { applyDefaults, decode, schemaOf, tableCells, tableColumns, validateCreate, validateUpdate, warningsOf } from '@berth/api'
import type { Decoded, FieldError, FieldValidation, Json, JsonObject, ObjectSchema, TableColumnDefinition, ValidationOptions } from '@berth/api'
import { expressionCheck } from '../expressions/index.ts'
import type { ApiObject } from '../interfaces.ts'
import { normalizeObject } from './normalize.ts'

interface Gvk { group: string, version: string, kind: string }

export interface KindRules {
  readonly schema: ObjectSchema
  /** Custom resources speak no protobuf and take no strategic merge patches. */
  readonly custom: boolean
  /** A custom resource's schema, as OpenAPI documents have it. */
  readonly openApi?: JsonObject
  /** Throws DecodeError. */
  decode(value: Json, mode: FieldValidation, duplicates: readonly string[]): Decoded
  /** Fills in defaults, in place. */
  applyDefaults(object: ApiObject): void
  /** The form in which an object is stored. */
  normalize(object: ApiObject): ApiObject
  validateCreate(object: ApiObject, options: ValidationOptions): FieldError[]
  validateUpdate(object: ApiObject, old: ApiObject, subresource: string, options: ValidationOptions): FieldError[]
  warnings(object: ApiObject, old?: ApiObject): readonly string[]
  columns(): readonly TableColumnDefinition[]
  cells(object: ApiObject, now: Date): unknown[]
}

/** The rules of a built-in kind. Throws where there is no such kind. */
export function builtInRules(gvk: Gvk): KindRules {
  const schema = schemaOf(gvk)
  if (!schema) throw new Error(`no schema for ${gvk.kind}.${gvk.group}/${gvk.version}`)
  const expressions = expressionCheck(gvk)
  // Expressions that are not well-formed otherwise are not compiled.
  const thenExpressions = (errors: FieldError[], object: ApiObject): FieldError[] => (errors.length > 0 || !expressions ? errors : expressions(object))
  return {
    schema, custom: false,
    decode: (value, mode, duplicates) => decode(schema, value, mode, duplicates),
    applyDefaults: (object) => applyDefaults(gvk, object),
    normalize: (object) => normalizeObject(schema, object),
    validateCreate: (object, options) => thenExpressions(validateCreate(gvk, object, options), object),
    validateUpdate(object, old, subresource, options) {
      const errors = validateUpdate(gvk, object, old, subresource, options)
      return subresource === '' ? thenExpressions(errors, object) : errors
    },
    warnings: (object, old) => warningsOf(gvk, object, old),
    columns: () => tableColumns(gvk),
    cells: (object, now) => tableCells(gvk, object, now),
  }
}
