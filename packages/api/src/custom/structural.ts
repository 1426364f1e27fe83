import type { Json, JsonObject } from '../schema/model.ts'
import { isObject } from '../decode/values.ts'

/** A CEL rule of a schema (x-kubernetes-validations). */
export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

/**
 * A structural schema (kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions, "Specifying a structural
 * schema"): what of a CustomResourceDefinition's openAPIV3Schema pruning, defaulting, merging and validation read.
 */
export interface Structural {
  /** '' where the value may be of any type. */
  readonly type: '' | 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly nullable: boolean
  readonly intOrString: boolean
  readonly embeddedResource: boolean
  readonly preserveUnknown: boolean
  readonly properties: ReadonlyMap<string, Structural>
  /** additionalProperties: the values' schema; true for any. */
  readonly additional?: Structural | true
  readonly items?: Structural
  readonly listType: 'atomic' | 'set' | 'map' | ''
  readonly listMapKeys: readonly string[]
  readonly mapType: 'atomic' | 'granular' | ''
  readonly default?: Json
  readonly rules: readonly ValidationRule[]
  /** The schema as written: value validations are read from it. */
  readonly source: JsonObject
}

const none: ReadonlyMap<string, Structural> = new Map()
const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean'])

/** Reads a JSONSchemaProps that validation has found structural; what is absent reads as upstream's zero value. */
export function structuralOf(source: JsonObject): Structural {
  const type = typeof source['type'] === 'string' && types.has(source['type']) ? (source['type'] as Structural['type']) : ''
  const properties = isObject(source['properties'] ?? null) ? new Map(Object.entries(source['properties'] as JsonObject).map(([name, member]) => [name, structuralOf(member as JsonObject)])) : none
  const given = source['additionalProperties']
  const additional = isObject(given ?? null) ? structuralOf(given as JsonObject) : given === true ? true : undefined
  const items = isObject(source['items'] ?? null) ? structuralOf(source['items'] as JsonObject) : undefined
  return {
    type,
    nullable: source['nullable'] === true,
    intOrString: source['x-kubernetes-int-or-string'] === true,
    embeddedResource: source['x-kubernetes-embedded-resource'] === true,
    preserveUnknown: source['x-kubernetes-preserve-unknown-fields'] === true,
    properties,
    ...(additional === undefined ? {} : { additional }),
    ...(items === undefined ? {} : { items }),
    listType: (source['x-kubernetes-list-type'] ?? '') as Structural['listType'],
    listMapKeys: Array.isArray(source['x-kubernetes-list-map-keys']) ? (source['x-kubernetes-list-map-keys'] as string[]) : [],
    mapType: (source['x-kubernetes-map-type'] ?? '') as Structural['mapType'],
    ...(source['default'] === undefined ? {} : { default: source['default'] }),
    rules: Array.isArray(source['x-kubernetes-validations']) ? (source['x-kubernetes-validations'] as unknown as ValidationRule[]) : [],
    source,
  }
}
