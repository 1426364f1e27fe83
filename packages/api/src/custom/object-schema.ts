import { structOf } from '../schema/registry.ts'
import type { AnySchema, FieldSchema, GroupVersionKind, ObjectSchema, ScalarSchema, StructSchema, TypeSchema } from '../schema/model.ts'
import type { Structural } from './structural.ts'

const anything: AnySchema = { kind: 'any', goType: 'interface {}', objectOnly: false, atomic: false }
const text: ScalarSchema = { kind: 'string', goType: 'string' }
const scalars: Readonly<Record<string, ScalarSchema>> = {
  string: text, boolean: { kind: 'boolean', goType: 'bool' }, integer: { kind: 'int64', goType: 'int64' }, number: { kind: 'float64', goType: 'float64' },
}

function field(name: string, type: TypeSchema, required: boolean): FieldSchema {
  return { name, number: 0, type, pointer: true, always: false, omitZero: false, required, patchStrategy: [] }
}

/** A custom resource's schema in the form that server-side apply and managedFields read. */
export function objectSchemaOf(gvk: GroupVersionKind, schema: Structural): ObjectSchema {
  const metadata = structOf('meta/v1', 'ObjectMeta')
  if (!metadata) throw new Error('the schema of ObjectMeta is missing')
  const own = structType(schema, gvk.kind)
  const fields = new Map<string, FieldSchema>([
    ['apiVersion', field('apiVersion', text, false)],
    ['kind', field('kind', text, false)],
    ['metadata', field('metadata', { kind: 'struct', goType: 'v1.ObjectMeta', struct: metadata, atomic: false }, false)],
    ...[...own.fields].filter(([name]) => name !== 'apiVersion' && name !== 'kind' && name !== 'metadata'),
  ])
  return { ...own, fields, root: true, group: gvk.group, version: gvk.version, kind: gvk.kind }
}

function structType(schema: Structural, name: string): StructSchema {
  const required = new Set(Array.isArray(schema.source['required']) ? (schema.source['required'] as string[]) : [])
  const fields = new Map([...schema.properties].map(([key, property]) => [key, { ...field(key, typeOf(property, key), required.has(key)), ...(property.default === undefined ? {} : { default: property.default }) }]))
  return { name, home: '', goType: name, fields, embedded: [], atomic: schema.mapType === 'atomic', root: false, ...(schema.preserveUnknown ? { preserveUnknown: true } : {}) }
}

function typeOf(schema: Structural, name: string): TypeSchema {
  if (schema.type === 'array' && schema.items) {
    return { kind: 'list', goType: 'array', item: typeOf(schema.items, name), listType: schema.listType === '' ? 'atomic' : schema.listType, declared: schema.listType !== '', keys: schema.listMapKeys }
  }
  if (schema.type === 'object') {
    if (schema.additional !== undefined && schema.additional !== true) return { kind: 'map', goType: 'object', value: typeOf(schema.additional, name), atomic: schema.mapType === 'atomic' }
    if (schema.additional === true || (schema.properties.size === 0 && schema.preserveUnknown)) return { ...anything, atomic: schema.mapType === 'atomic' }
    return { kind: 'struct', goType: 'object', struct: structType(schema, name), atomic: schema.mapType === 'atomic' }
  }
  return schema.intOrString ? anything : scalars[schema.type] ?? anything
}
