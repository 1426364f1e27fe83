import { isObject } from '../decode/values.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import type { ResourceInfo } from '../resource.ts'
import type { Node } from './components.ts'

/** A resource as documents describe it; a custom one with its schema, empty where it takes anything. */
export type DescribedResource = ResourceInfo & { readonly schema?: JsonObject }

/** `com.example.v1.Boat`: the name of a custom kind's component, the parts of its group reversed. */
export function customName(group: string, version: string, kind: string): string {
  return [...group.split('.').reverse(), version, kind].join('.')
}

const isEmpty = (schema: JsonObject): boolean => Object.keys(schema).length === 0

/** The component of a custom kind: its schema with what every object has. Of a schema that says nothing, nothing is said. */
export function customComponent(schema: JsonObject, metadata: Node, typeMeta: { kind: Node; apiVersion: Node }): Node {
  if (isEmpty(schema)) return { type: 'object' }
  const own = withEmbedded(schema, metadata, typeMeta)
  return { ...own, type: 'object', properties: { ...own['properties'] as Node | undefined, ...typeMeta, metadata } }
}

/** Embedded resources have metadata of their own. */
function withEmbedded(schema: JsonObject, metadata: Node, typeMeta: { kind: Node; apiVersion: Node }): Node {
  const below = (part: Json): unknown => isObject(part) ? withEmbedded(part, metadata, typeMeta) : part
  const out: Node = mapParts(schema, below)
  if (schema['x-kubernetes-embedded-resource'] !== true) return out
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return {
    ...out, properties: { ...out['properties'] as Node | undefined, ...typeMeta, metadata },
    required: [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))],
  }
}

function mapParts(schema: JsonObject, below: (part: Json) => unknown): Node {
  return Object.fromEntries(Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (key === 'properties' && isObject(value)) return [key, Object.fromEntries(Object.entries(value).map(([name, part]) => [name, below(part)]))]
    return [key, key === 'items' || key === 'additionalProperties' ? below(value) : value]
  }))
}

/**
 * A custom schema as far as v2 can say it, and as clients of v2 can read it: without alternatives; what may be null, or holds what is unknown, has no type.
 * Empty where the whole object may hold what is unknown.
 */
export function schemaForV2(schema: JsonObject): JsonObject {
  return schema['x-kubernetes-preserve-unknown-fields'] === true ? {} : simplified(schema)
}

function simplified(schema: JsonObject): JsonObject {
  const { allOf: _, oneOf: __, anyOf: ___, not: ____, nullable, ...rest } = schema
  const out = { ...rest }
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  if (nullable === true || isOpen) {
    delete out['items']
    delete out['properties']
  }
  if (nullable === true || (out['type'] === 'array' && out['items'] === undefined) || (isOpen && out['type'] === 'object')) delete out['type']
  const mayBeNull = (part: Json | undefined): boolean => isObject(part) && part['nullable'] === true
  const properties = isObject(out['properties']) ? out['properties'] : {}
  if (Array.isArray(out['required'])) {
    const required = out['required'].filter((name) => typeof name !== 'string' || !mayBeNull(properties[name]))
    if (required.length === 0 || mayBeNull(out['additionalProperties'])) delete out['required']
    else out['required'] = required
  }
  return mapParts(out, (part) => isObject(part) ? simplified(part) : part) as JsonObject
}
