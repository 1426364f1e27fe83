// x-kubernetes-list-type, x-kubernetes-list-map-keys, x-kubernetes-map-type.
import type { JSONSchemaProps } from '../../types/apiextensions/v1.ts'
import { textOf } from '../common.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { itemsOf } from './structural.ts'

const asSetItem = 'must be atomic as item of a list with x-kubernetes-list-type=set'

function mustBe(type: string, wanted: string, extension: string, at: string): FieldError[] {
  const detail = `must be ${wanted} if ${extension} is specified`
  return type === wanted ? [] : [type === '' ? required(`${at}.type`, detail) : invalid(`${at}.type`, type, detail)]
}

function checkSetItems(items: JSONSchemaProps, at: string): FieldError[] {
  const listType = items['x-kubernetes-list-type']
  if (items.type === 'array') return listType !== undefined && listType !== 'atomic' ? [invalid(`${at}.items.x-kubernetes-list-type`, listType, asSetItem)] : []
  // Upstream shows the list type here, which is the wrong one.
  return items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic' ? [invalid(`${at}.items.x-kubernetes-map-type`, listType, asSetItem)] : []
}

function checkMapList(schema: JSONSchemaProps, at: string): FieldError[] {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const items = itemsOf(schema)
  const errors = keys.length === 0 ? [required(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')] : []
  if (!schema.items) errors.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'))
  else if (!items) errors.push(invalid(`${at}.items`, schema.items, 'must only have a single schema if x-kubernetes-list-type is map'))
  if (!items) return errors
  if (items.type !== 'object') return [...errors, invalid(`${at}.items.type`, textOf(items.type), "must be object if parent array's x-kubernetes-list-type is map")]
  for (const [i, key] of keys.entries()) {
    const type = items.properties?.[key]?.type
    if (!items.properties?.[key]) errors.push(invalid(`${at}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'))
    else if (type === 'array' || type === 'object') errors.push(invalid(`${at}.items.properties[${key}].type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"))
    if (keys.indexOf(key) < i) errors.push(invalid(`${at}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'))
  }
  return errors
}

/** Items of sets and maps are never null; keys are there. */
function checkItems(schema: JSONSchemaProps, listType: string, items: JSONSchemaProps, at: string): FieldError[] {
  const errors = items.nullable ? [forbidden(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`)] : []
  if (listType !== 'map') return errors
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = items.properties?.[key]
    if (!property) continue
    if (!(items.required ?? []).includes(key) && property.default === undefined) {
      errors.push(required(`${at}.items.properties[${key}].default`, 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'))
    }
    if (property.nullable) errors.push(forbidden(`${at}.items.properties[${key}].nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'))
  }
  return errors
}

export function checkListsAndMaps(schema: JSONSchemaProps, at: string): FieldError[] {
  const type = textOf(schema.type)
  const mapType = schema['x-kubernetes-map-type']
  const listType = schema['x-kubernetes-list-type']
  const items = itemsOf(schema)
  const errors: FieldError[] = []
  if (mapType !== undefined) {
    errors.push(...mustBe(type, 'object', 'x-kubernetes-map-type', at))
    if (mapType !== 'atomic' && mapType !== 'granular') errors.push(notSupported(`${at}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
  }
  if (listType !== undefined) {
    if (type !== 'array') errors.push(...mustBe(type, 'array', 'x-kubernetes-list-type', at))
    else if (listType === 'set' && items) errors.push(...checkSetItems(items, at))
    if (!['atomic', 'set', 'map'].includes(listType)) errors.push(notSupported(`${at}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']))
  }
  if ((schema['x-kubernetes-list-map-keys'] ?? []).length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(listType === undefined ? required(`${at}.x-kubernetes-list-type`, detail) : invalid(`${at}.x-kubernetes-list-type`, listType, detail))
  }
  if (listType === 'map') errors.push(...checkMapList(schema, at))
  if (items && (listType === 'set' || listType === 'map')) errors.push(...checkItems(schema, listType, items, at))
  return errors
}
