// A version's openAPIV3Schema: what of OpenAPI is taken, extensions, defaults, rules as far as they are text. Whether rules compile is not judged here.
import { prune } from '../../custom/prune.ts'
import { structuralOf } from '../../custom/structural.ts'
import { validateValue } from '../../custom/validate.ts'
import type { Json, JsonObject } from '../../schema/model.ts'
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions/v1.ts'
import { child, sameValue, textOf } from '../common.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { findField, JsonPathProblem } from './field-path.ts'
import { checkListsAndMaps } from './lists.ts'
import { additionalOf, checkStructural, itemsOf } from './structural.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const metaNames = new Set(['metadata', 'kind', 'apiVersion'])
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const
// By upstream's names, as its message lists them.
const rootNames = 'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items '
  + 'Properties ExternalDocs Example XPreserveUnknownFields XValidations'
const rootFields = new Set(rootNames.split(' ').map((name) => (name === 'XPreserveUnknownFields' ? 'x-kubernetes-preserve-unknown-fields' : name === 'XValidations' ? 'x-kubernetes-validations'
  : `${name.charAt(0).toLowerCase()}${name.slice(1)}`)))

interface Place {
  /** Why no default may be said here. */
  readonly noDefaults?: string
  /** Below apiVersion, kind or metadata of an object. */
  readonly inMeta: boolean
}

/** Everything wrong with a schema, `at` its path. */
export function checkSchema(schema: JSONSchemaProps, at: string, hasStatus: boolean): FieldError[] {
  const errors = [...(hasStatus ? checkRoot(schema, at) : []), ...(schema.nullable ? [forbidden(`${at}.nullable`, 'nullable cannot be true at the root')] : [])]
  const readable = !has(schema, (one) => unsupported.some((name) => isSet(one[name])) || Array.isArray(one.items) || textOf(one.$schema) !== '')
  if (readable) {
    const structural = checkStructural(schema, at)
    errors.push(...(structural.length > 0 ? structural : checkDefaults(schema, at, true, false)))
  }
  errors.push(...checkNode(schema, at, { inMeta: false }, true))
  if (errors.length === 0 && !readable) errors.push(invalid(at, '', "OpenAPIV3Schema 'schema' is not supported"))
  return errors
}

/** Whether the schema or one inside of it is as asked. */
export function has(schema: JSONSchemaProps, asked: (schema: JSONSchemaProps) => boolean): boolean {
  return asked(schema) || partsOf(schema).some(([part]) => has(part, asked))
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0)

/** The schemas inside of a schema, with their paths below it. */
function partsOf(schema: JSONSchemaProps): [JSONSchemaProps, string][] {
  const { items, not, properties = {} } = schema
  const additional = additionalOf(schema)
  return [
    ...(additional ? [[additional, 'additionalProperties'] as [JSONSchemaProps, string]] : []),
    ...Object.entries(properties).map(([name, property]): [JSONSchemaProps, string] => [property, `properties[${name}]`]),
    ...(not ? [[not, 'not'] as [JSONSchemaProps, string]] : []),
    ...(['allOf', 'oneOf', 'anyOf'] as const).flatMap((name) => (schema[name] ?? []).map((one, i): [JSONSchemaProps, string] => [one, `${name}[${i}]`])),
    ...(Array.isArray(items) ? items.map((one, i): [JSONSchemaProps, string] => [one, `items[${i}]`]) : items ? [[items, 'items'] as [JSONSchemaProps, string]] : []),
  ]
}

/** With a status subresource the root says little, so that the status' part can be cut out. */
function checkRoot(schema: JSONSchemaProps, at: string): FieldError[] {
  if (schema.type !== undefined && schema.type !== 'object') return [invalid(`${at}.type`, schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled')]
  const other = Object.keys(schema).some((name) => !rootFields.has(name))
  return other ? [invalid(at, schema, `only [${rootNames}] fields are allowed at the root of the schema if the status subresource is enabled`)] : []
}

function checkNode(schema: JSONSchemaProps, at: string, place: Place, isRoot: boolean): FieldError[] {
  const errors = checkOpenApi(schema, at, place)
  if (schema.uniqueItems) errors.push(forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== true && Object.keys(schema.properties ?? {}).length > 0) {
    errors.push(forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
  }
  for (const [part, name] of partsOf(schema)) {
    const property = /^properties\[(.*)\]$/s.exec(name)?.[1]
    let below = place
    if (name === 'additionalProperties' && place.inMeta) below = { ...place, noDefaults: 'inside additionalProperties applying to object metadata' }
    if (property !== undefined && isObject && metaNames.has(property)) below = { ...(isRoot ? { noDefaults: `in top-level ${property}` } : place), inMeta: true }
    errors.push(...checkNode(part, `${at}.${name}`, below, false))
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) errors.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  errors.push(...checkListsAndMaps(schema, at))
  for (const [i, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) errors.push(...checkRule(schema, rule, `${at}.x-kubernetes-validations[${i}]`))
  return errors
}

function checkOpenApi(schema: JSONSchemaProps, at: string, { noDefaults, inMeta }: Place): FieldError[] {
  const type = textOf(schema.type)
  return [
    ...(type === '' || types.includes(type) ? [] : [notSupported(`${at}.type`, type, types)]),
    ...(schema.default !== undefined && noDefaults !== undefined ? [forbidden(`${at}.default`, `must not be set ${noDefaults}`)] : []),
    ...unsupported.filter((name) => isSet(schema[name])).map((name) => forbidden(`${at}.${name}`, `${name} is not supported`)),
    ...(type === 'null' ? [forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative')] : []),
    ...(Array.isArray(schema.items) ? [forbidden(`${at}.items`, 'items must be a schema object and not an array')] : []),
    ...(inMeta && schema['x-kubernetes-embedded-resource'] ? [forbidden(`${at}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta')] : []),
  ]
}

const hasBreaks = (text: string): boolean => /[\n\r]/.test(text)

function checkRule(schema: JSONSchemaProps, { rule = '', message = '', messageExpression = '', reason, fieldPath = '' }: ValidationRule, at: string): FieldError[] {
  const errors: FieldError[] = []
  const said = message.trim()
  if (rule.trim() === '') errors.push(required(`${at}.rule`, 'rule is not specified'))
  else if (message !== '' && said === '') errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'))
  else if (hasBreaks(said)) errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'))
  else if (hasBreaks(rule.trim()) && said === '') errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'))
  if (messageExpression !== '' && messageExpression.trim() === '') errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, reasons))
  if (fieldPath !== '' && fieldPath.trim() === '') errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified'))
  if (hasBreaks(fieldPath)) errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'))
  if (fieldPath !== '' && findField(fieldPath, structuralOf(schema as JsonObject)) instanceof JsonPathProblem) errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must be a valid path'))
  return errors
}

/** Defaults hold to their own schema and say nothing that it does not specify. Those of an object's metadata are not looked at. */
function checkDefaults(schema: JSONSchemaProps, at: string, isRoot: boolean, inMeta: boolean): FieldError[] {
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true
  const below = inMeta && !isObject
  const errors: FieldError[] = []
  if (schema.default !== undefined && !below) {
    const structural = structuralOf(schema as JsonObject)
    const value = schema.default as Json
    // Pruning takes the root for an object; only an embedded one is here.
    const pruned = isObject || typeof value !== 'object' ? prune(structural, value, () => {}) : pruneInside(structural, value)
    if (!sameValue(pruned, value)) errors.push(invalid(`${at}.default`, value, 'must not have unknown fields'))
    errors.push(...validateValue(structural, value).map((error) => ({ ...error, field: error.field === '' ? `${at}.default` : child(`${at}.default`, error.field) })))
  }
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  if (items) errors.push(...checkDefaults(items, `${at}.items`, false, below))
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...checkDefaults(property, `${at}.properties[${name}]`, false, below || (isObject && metaNames.has(name))))
  }
  if (additional) errors.push(...checkDefaults(additional, `${at}.additionalProperties`, false, below))
  return errors
}

/** Prunes a value that is not an object of its own: apiVersion, kind and metadata are fields like others. */
function pruneInside(schema: ReturnType<typeof structuralOf>, value: Json): Json {
  const wrapper = structuralOf({ type: 'object', properties: { value: schema.source } })
  return (prune(wrapper, { value }, () => {}) as JsonObject)['value'] ?? null
}
