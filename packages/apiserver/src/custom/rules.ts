// What a custom resource's objects go through: its version's structural schema in place of a built-in kind's code.
import { applySchemaDefaults, checkCustomMeta, checkCustomMetaUpdate, customTable, decode, DecodeError, normalize, objectSchemaOf, prune, structOf, structuralOf, validateValue } from '@berth/api'
import type { Decoded, FieldError, Json, JsonObject, PrinterColumn, Structural } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { KindRules } from '../registry/kind-rules.ts'

interface Gvk { group: string, version: string, kind: string }

/** One version of a CustomResourceDefinition, as far as its objects' rules go. */
export interface CustomVersion {
  readonly gvk: Gvk
  readonly namespaced: boolean
  /** openAPIV3Schema. */
  readonly schema: JsonObject
  readonly columns: readonly PrinterColumn[] | undefined
  /** What writes to `status` alone may change, where the version has that subresource. */
  readonly hasStatus: boolean
}

/** Rules beyond the schema's own: CEL. `old` is absent on create. */
export type ExtraValidation = (object: ApiObject, old: ApiObject | undefined) => FieldError[]

const everything: Structural = structuralOf({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })

/** With one of these an object is not of the form that expressions count on. */
const blocking = new Set<FieldError['type']>(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid'])
const notChecked: FieldError = { type: 'Invalid', field: '', badValue: null, detail: 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation' }

/** The rules of one version. `extra` holds an object to what the schema's expressions say, where it has any and the object has their form. */
export function customRules({ gvk, namespaced, schema, columns }: CustomVersion, extra?: ExtraValidation): KindRules {
  const structural = Object.keys(schema).length === 0 ? everything : structuralOf(schema)
  const meta = structOf('meta/v1', 'ObjectMeta')
  if (!meta) throw new Error('the schema of ObjectMeta is missing')
  const table = customTable(columns)
  /** A metadata that is no object is left to be refused. */
  const metaOf = (object: ApiObject): JsonObject => normalize(meta, object.metadata as unknown as JsonObject)
  const validate = (inMetadata: FieldError[], object: ApiObject, old: ApiObject | undefined): FieldError[] => {
    const errors = [...inMetadata, ...validateValue(structural, object as unknown as Json, '', old as unknown as Json | undefined)]
    if (!extra) return errors
    return [...errors, ...(errors.some(({ type }) => blocking.has(type)) ? [notChecked] : extra(object, old))]
  }
  return {
    schema: objectSchemaOf(gvk, structural), custom: true, openApi: schema,
    decode(value, mode, duplicates): Decoded {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError(`json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`)
      const problems = mode === 'ignore' ? [] : duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`)
      const head = decode(meta, value['metadata'] ?? {}, mode === 'strict' ? 'warn' : mode)
      problems.push(...head.problems.map((problem) => problem.replace('field "', 'field "metadata.')))
      const pruned = prune(structural, value, (path) => { if (mode !== 'ignore') problems.push(`unknown field ${JSON.stringify(path)}`) }) as JsonObject
      if (mode === 'strict' && problems.length > 0) throw new DecodeError(`strict decoding error: ${problems.join(', ')}`, problems)
      return { object: { ...pruned, metadata: head.object }, problems }
    },
    applyDefaults: (object) => applySchemaDefaults(structural, object as unknown as Json),
    normalize(object) {
      const { kind, apiVersion, metadata: _, ...rest } = object
      return { kind, apiVersion, metadata: metaOf(object), ...rest } as unknown as ApiObject
    },
    validateCreate: (object) => validate(checkCustomMeta(object.metadata as never, namespaced), object, undefined),
    validateUpdate: (object, old) => validate(checkCustomMetaUpdate(object.metadata as never, old.metadata as never), object, old),
    warnings: () => [],
    columns: () => table.columns,
    cells: (object, now) => table.cells(object as unknown as Json, now),
  }
}
