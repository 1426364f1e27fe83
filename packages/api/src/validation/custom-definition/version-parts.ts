// What a version says beside its schema: subresources, columns, selectable fields, its deprecation.
import type { CustomResourceColumnDefinition, CustomResourceSubresources, SelectableField } from '../../types/apiextensions/v1.ts'
import type { Structural } from '../../custom/structural.ts'
import { textOf } from '../common.ts'
import { duplicate, invalid, required, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { findField, JsonPathProblem } from './field-path.ts'

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const selectableTypes = ['string', 'boolean', 'integer']
const selectableMax = 8
const warningLength = 256

const checkSimplePath = (field: string, path: string): FieldError[] => (path.startsWith('.') ? [] : [invalid(field, path, 'must be a simple json path starting with .')])

function checkPathUnder(field: string, path: string, roots: readonly string[], detail: string): FieldError[] {
  const errors = checkSimplePath(field, path)
  return errors.length > 0 || roots.some((root) => path.startsWith(root)) ? errors : [invalid(field, path, detail)]
}

export function checkSubresources(subresources: CustomResourceSubresources | undefined, at: string): FieldError[] {
  const scale = subresources?.scale
  if (!scale) return []
  const spec = textOf(scale.specReplicasPath)
  const status = textOf(scale.statusReplicasPath)
  const selector = textOf(scale.labelSelectorPath)
  return [
    ...(spec === '' ? [required(`${at}.scale.specReplicasPath`)] : checkPathUnder(`${at}.scale.specReplicasPath`, spec, ['.spec.'], 'should be a json path under .spec')),
    ...(status === '' ? [required(`${at}.scale.statusReplicasPath`)] : checkPathUnder(`${at}.scale.statusReplicasPath`, status, ['.status.'], 'should be a json path under .status')),
    ...(selector === '' ? [] : checkPathUnder(`${at}.scale.labelSelectorPath`, selector, ['.spec.', '.status.'], 'should be a json path under either .spec or .status')),
  ]
}

export function checkColumn(column: CustomResourceColumnDefinition, at: string): FieldError[] {
  const type = textOf(column.type)
  const format = textOf(column.format)
  const path = textOf(column.jsonPath)
  const types = `must be one of ${columnTypes.join(',')}`
  return [
    ...(textOf(column.name) === '' ? [required(`${at}.name`)] : []),
    ...(type === '' ? [required(`${at}.type`, types)] : columnTypes.includes(type) ? [] : [invalid(`${at}.type`, type, types)]),
    ...(format === '' || columnFormats.includes(format) ? [] : [invalid(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`)]),
    ...(path === '' ? [required(`${at}.JSONPath`)] : checkSimplePath(`${at}.JSONPath`, path)),
  ]
}

/** @param keepsMany true where there were as many before, unchanged */
export function checkSelectableFields(fields: readonly SelectableField[], schema: Structural, at: string, keepsMany: boolean): FieldError[] {
  const seen = new Set<string>()
  const errors = fields.flatMap(({ jsonPath = '' }, i) => {
    const field = `${at}[${i}].jsonPath`
    if (jsonPath === '') return [required(field)]
    const found = findField(jsonPath, schema, false)
    if (found instanceof JsonPathProblem) return [invalid(field, jsonPath, `is an invalid path: ${found.message}`)]
    const repeated = seen.has(found.path)
    seen.add(found.path)
    return [
      ...(/^metadata(?:[.[]|$)/.test(found.path) ? [invalid(field, jsonPath, 'must not point to fields in metadata')] : []),
      ...(selectableTypes.includes(found.schema.type) ? []
        : [invalid(field, jsonPath, 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.')]),
      ...(repeated ? [duplicate(field, jsonPath)] : []),
    ]
  })
  return seen.size > selectableMax && !keepsMany ? [...errors, tooMany(at, seen.size, selectableMax)] : errors
}

export function checkDeprecation(deprecated: boolean, warning: string | undefined, field: string): FieldError[] {
  if (warning === undefined) return []
  const problems: string[] = []
  if (!deprecated) problems.push('can only be set for deprecated versions')
  else {
    if (Buffer.byteLength(warning) > warningLength) problems.push(`must be <= ${warningLength} characters long`)
    if (warning === '') problems.push('must not be an empty string')
    const bad = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning)
    if (bad) problems.push(`must only contain printable UTF-8 characters; non-printable character found at index ${Buffer.byteLength(warning.slice(0, bad.index))}`)
  }
  return problems.map((problem) => invalid(field, warning, problem))
}
