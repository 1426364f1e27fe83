import { createEnvironment } from './environment.ts'
import { escapeName } from './escape.ts'
import * as types from '../types/types.ts'
import type { CelType, ObjectType } from '../types/types.ts'
import type { Environment } from './environment.ts'
import type { ListKind } from '../values/containers.ts'
import type { TypeLayout } from '../values/objects.ts'

/** What is read of a structural schema (JSONSchemaProps of apiextensions.k8s.io/v1). */
export interface RuleSchema {
  readonly type?: string
  readonly format?: string
  readonly properties?: Readonly<Record<string, RuleSchema>>
  readonly items?: unknown
  readonly additionalProperties?: unknown
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

// What a type was made of; types are plain data, and this is only read with them.
const listKinds = new WeakMap<CelType, ListKind>()
const propertyNames = new WeakMap<ObjectType, ReadonlyMap<string, string>>()

const schemaLayout: TypeLayout = {
  listKind: type => listKinds.get(type) ?? 'atomic',
  property: (type, field) => propertyNames.get(type)?.get(field) ?? field,
}

/**
 * The type of a value described by a structural schema, or undefined where expressions cannot see it (no type, or unknown fields).
 * `resource` is set for the root of a resource: then apiVersion, kind, metadata.name and metadata.generateName are there in any case.
 */
export function schemaType(schema: RuleSchema, options: { resource?: boolean; name?: string } = {}): CelType | undefined {
  const { name = 'selfType' } = options
  if (schema['x-kubernetes-int-or-string'] === true) return types.dynType
  const shown = options.resource === true ? withMetadata(schema) : schema
  switch (shown.type) {
    case 'array': return arrayType(shown, name)
    case 'object': return objectTypeOf(shown, name)
    case 'string': return stringFormats[shown.format ?? ''] ?? types.stringType
    case 'boolean': return types.boolType
    case 'number': return types.doubleType
    case 'integer': return types.intType
    default: return undefined
  }
}

const stringFormats: Readonly<Record<string, CelType>> = {
  'byte': types.bytesType, 'duration': types.durationType, 'date': types.timestampType, 'date-time': types.timestampType,
}

function nested(schema: unknown, name: string): CelType | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  return schemaType(schema, { name, resource: (schema as RuleSchema)['x-kubernetes-embedded-resource'] === true })
}

function arrayType(schema: RuleSchema, name: string): CelType | undefined {
  const element = nested(schema.items, `${name}.@idx`)
  if (element === undefined) return undefined
  const type = types.listType(element)
  const kind = schema['x-kubernetes-list-type']
  if (kind === 'set') listKinds.set(type, 'set')
  if (kind === 'map') listKinds.set(type, { keys: (schema['x-kubernetes-list-map-keys'] ?? []).map(key => escapeName(key) ?? key) })
  return type
}

function objectTypeOf(schema: RuleSchema, name: string): CelType | undefined {
  if (typeof schema.additionalProperties === 'object' && schema.additionalProperties !== null) {
    const value = nested(schema.additionalProperties, `${name}.@elem`)
    return value === undefined ? undefined : types.mapType(types.stringType, value)
  }
  const fields = new Map<string, CelType>()
  const names = new Map<string, string>()
  for (const [property, part] of Object.entries(schema.properties ?? {})) {
    const field = escapeName(property)
    const type = nested(part, `${name}.${property}`)
    if (field === undefined || type === undefined) continue
    fields.set(field, type)
    names.set(field, property)
  }
  const type = types.objectType(name, fields)
  propertyNames.set(type, names)
  return type
}

/** The schema of a resource's root with what every resource has. */
export function withMetadata(schema: RuleSchema): RuleSchema {
  const text = { type: 'string' }
  const properties = schema.properties ?? {}
  const metadata = properties.metadata
  const given = metadata?.type === 'object' && metadata.properties?.name?.type === 'string' && metadata.properties.generateName?.type === 'string'
  if (given && properties.kind?.type === 'string' && properties.apiVersion?.type === 'string') return schema
  return {
    ...schema, type: schema.type ?? 'object',
    properties: { ...properties, kind: text, apiVersion: text, metadata: { type: 'object', properties: { name: text, generateName: text } } },
  }
}

/**
 * The environment of x-kubernetes-validations rules and their messageExpressions: `self` and `oldSelf` of a schema's type. With
 * `optionalOldSelf`, oldSelf is an optional (give it as an OptionalValue). Pass values as the parsed JSON that the schema describes.
 */
export function ruleEnvironment(self: CelType, options: { optionalOldSelf?: boolean } = {}): Environment {
  return createEnvironment({
    variables: { self, oldSelf: options.optionalOldSelf === true ? types.optionalType(self) : self },
    types: self.kind === 'object' ? [self] : [], layout: schemaLayout,
  })
}
