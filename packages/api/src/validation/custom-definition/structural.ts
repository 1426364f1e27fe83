// Whether a schema is structural: each value's type is said outside of logical junctors, and what they judge is specified (kubernetes.io, "Specifying a structural schema").
import { patternOf } from '../../custom/validate.ts'
import type { JSONSchemaProps } from '../../types/apiextensions/v1.ts'
import { sameValue, textOf } from '../common.ts'
import { fieldErrorMessage, forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'

type Level = 'root' | 'item' | 'field'

const emptyTypeMessages: Record<Level, string> = {
  root: 'must not be empty at the root', item: 'must not be empty for specified array items', field: 'must not be empty for specified object fields',
}
const intOrString = [{ type: 'integer' }, { type: 'string' }]

export const itemsOf = (schema: JSONSchemaProps): JSONSchemaProps | undefined => (Array.isArray(schema.items) ? undefined : schema.items)
export const additionalOf = (schema: JSONSchemaProps): JSONSchemaProps | undefined => (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
const propertiesOf = (schema: JSONSchemaProps): [string, JSONSchemaProps][] => Object.entries(schema.properties ?? {})
const typeOf = (schema: JSONSchemaProps): string => textOf(schema.type)

/** What keeps a schema from being structural, sorted by message. */
export function checkStructural(schema: JSONSchemaProps, at: string): FieldError[] {
  const errors = [...checkInvariants(schema, 'root', at), ...checkJunctors(schema, schema, at, at)]
  return errors.map((error) => ({ error, message: fieldErrorMessage(error) })).sort((a, b) => (a.message < b.message ? -1 : a.message > b.message ? 1 : 0)).map(({ error }) => error)
}

function checkInvariants(schema: JSONSchemaProps, level: Level, at: string): FieldError[] {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true
  const either = schema['x-kubernetes-int-or-string'] === true
  const hasAdditional = schema.additionalProperties !== undefined
  const type = typeOf(schema)
  const errors: FieldError[] = []
  if (type === 'array' && !schema.items) errors.push(required(`${at}.items`, 'must be specified'))
  if (items) errors.push(...checkInvariants(items, 'item', `${at}.items`))
  for (const [name, property] of propertiesOf(schema)) errors.push(...checkInvariants(property, 'field', `${at}.properties[${name}]`))
  if (hasAdditional && level === 'root') errors.push(forbidden(`${at}.additionalProperties`, 'must not be used at the root'))
  if (additional) errors.push(...checkInvariants(additional, 'field', `${at}.additionalProperties`))
  if (either && preserves) errors.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, true, 'must be false if x-kubernetes-int-or-string is true'))
  if (either && embedded) errors.push(invalid(`${at}.x-kubernetes-embedded-resource`, true, 'must be false if x-kubernetes-int-or-string is true'))
  errors.push(...checkValues(schema, sameValue(schema.anyOf, intOrString), sameValue(schema.allOf?.[0]?.anyOf, intOrString), at))
  const embeddedMessage = 'must be object if x-kubernetes-embedded-resource is true'
  if (embedded && type !== 'object') errors.push(type === '' ? required(`${at}.type`, embeddedMessage) : invalid(`${at}.type`, type, embeddedMessage))
  else if (type === '' && !either && !preserves) errors.push(required(`${at}.type`, emptyTypeMessages[level]))
  if (embedded && hasAdditional) errors.push(forbidden(`${at}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'))
  if (level === 'root' && type !== '' && type !== 'object') errors.push(invalid(`${at}.type`, type, 'must be object at the root'))
  errors.push(...checkTypeMeta(schema, level, embedded, at))
  if (embedded && !preserves && propertiesOf(schema).length === 0) {
    errors.push(required(`${at}.properties`, 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'))
  }
  return errors
}

/** What an object's own fields may say, where the schema is that of an object. */
function checkTypeMeta(schema: JSONSchemaProps, level: Level, embedded: boolean, at: string): FieldError[] {
  const isObject = level === 'root' || embedded
  const { kind, apiVersion, metadata } = schema.properties ?? {}
  const errors: FieldError[] = []
  if (kind && isObject && typeOf(kind) !== 'string') errors.push(invalid(`${at}.properties[kind].type`, typeOf(kind), 'must be string'))
  if (apiVersion && isObject && typeOf(apiVersion) !== 'string') errors.push(invalid(`${at}.properties[apiVersion].type`, typeOf(apiVersion), 'must be string'))
  if (!metadata) return errors
  const field = `${at}.properties[metadata]`
  if (isObject && typeOf(metadata) !== 'object') errors.push(invalid(`${field}.type`, typeOf(metadata), 'must be object'))
  if (level === 'root') {
    const { type: _type, default: _default, properties = {}, ...rest } = metadata
    const names = Object.keys(properties)
    if (Object.keys(rest).length > 0 || names.some((name) => name !== 'name' && name !== 'generateName')) {
      errors.push(forbidden(field, 'must not specify anything other than name and generateName, but metadata is implicitly specified'))
    }
  }
  return errors
}

/** The value validations: junctors hold values alone, patterns are regular expressions. */
function checkValues(schema: JSONSchemaProps, skipsAnyOf: boolean, skipsFirstAllOf: boolean, at: string): FieldError[] {
  const errors = [
    ...(skipsAnyOf ? [] : (schema.anyOf ?? []).flatMap((one, i) => checkNested(one, false, `${at}.anyOf[${i}]`))),
    ...(schema.allOf ?? []).flatMap((one, i) => checkNested(one, skipsFirstAllOf && i === 0, `${at}.allOf[${i}]`)),
    ...(schema.oneOf ?? []).flatMap((one, i) => checkNested(one, false, `${at}.oneOf[${i}]`)),
    ...(schema.not ? checkNested(schema.not, false, `${at}.not`) : []),
  ]
  const { pattern } = schema
  if (!pattern) return errors
  try {
    patternOf(pattern)
  } catch (error) {
    errors.push(invalid(`${at}.pattern`, pattern, `must be a valid regular expression, but isn't: ${error instanceof Error ? error.message : String(error)}`))
  }
  return errors
}

function checkNested(schema: JSONSchemaProps, skipsAnyOf: boolean, at: string): FieldError[] {
  const items = itemsOf(schema)
  const errors = [
    ...checkValues(schema, skipsAnyOf, false, at),
    ...(items ? checkNested(items, false, `${at}.items`) : []),
    ...propertiesOf(schema).flatMap(([name, property]) => checkNested(property, false, `${at}.properties[${name}]`)),
  ]
  const forbid = (wrong: boolean, name: string, detail: string): void => {
    if (wrong) errors.push(forbidden(`${at}.${name}`, `must be ${detail} to be structural`))
  }
  forbid(typeOf(schema) !== '', 'type', 'empty')
  forbid(schema.additionalProperties !== undefined, 'additionalProperties', 'undefined')
  forbid(schema.default !== undefined, 'default', 'undefined')
  forbid(textOf(schema.title) !== '', 'title', 'empty')
  forbid(textOf(schema.description) !== '', 'description', 'empty')
  forbid(schema.nullable === true, 'nullable', 'false')
  forbid(schema['x-kubernetes-preserve-unknown-fields'] === true, 'x-kubernetes-preserve-unknown-fields', 'false')
  forbid(schema['x-kubernetes-embedded-resource'] === true, 'x-kubernetes-embedded-resource', 'false')
  forbid(schema['x-kubernetes-int-or-string'] === true, 'x-kubernetes-int-or-string', 'false')
  forbid((schema['x-kubernetes-list-map-keys'] ?? []).length > 0, 'x-kubernetes-list-map-keys', 'empty')
  forbid(schema['x-kubernetes-list-type'] !== undefined, 'x-kubernetes-list-type', 'undefined')
  forbid(schema['x-kubernetes-map-type'] !== undefined, 'x-kubernetes-map-type', 'undefined')
  forbid((schema['x-kubernetes-validations'] ?? []).length > 0, 'x-kubernetes-validations', 'empty')
  if (schema.properties?.['metadata']) errors.push(forbidden(`${at}.properties[metadata]`, 'must not be specified in a nested context'))
  return errors
}

/** Everything that junctors judge must be specified by the schema itself. */
function checkJunctors(values: JSONSchemaProps, schema: JSONSchemaProps, at: string, valuesAt: string): FieldError[] {
  return [
    ...(values.not ? checkSpecified(values.not, schema, at, `${valuesAt}.not`) : []),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) => (values[name] ?? []).flatMap((one, i) => checkSpecified(one, schema, at, `${valuesAt}.${name}[${i}]`))),
  ]
}

function checkSpecified(values: JSONSchemaProps, schema: JSONSchemaProps | undefined, at: string, valuesAt: string): FieldError[] {
  if (!schema) return [required(at, `because it is defined in ${valuesAt}`)]
  const items = itemsOf(values)
  return [
    ...checkJunctors(values, schema, at, valuesAt),
    ...(items ? checkSpecified(items, itemsOf(schema), `${at}.items`, `${valuesAt}.items`) : []),
    ...propertiesOf(values).flatMap(([name, property]) => checkSpecified(property, schema.properties?.[name], `${at}.properties[${name}]`, `${valuesAt}.properties[${name}]`)),
  ]
}
