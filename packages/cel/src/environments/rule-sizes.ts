import { escapeName } from './escape.ts'
import { withMetadata } from './rules.ts'
import type { RuleSchema } from './rules.ts'
import type { Sizes } from '../estimate/sizes.ts'

/** The largest request, in bytes: what is not bounded by its schema is bounded by this. */
const largestRequest = 3 * 1024 * 1024
/** The most characters that a date (with its quotes), a time or a duration has in JSON. */
const formatted: Readonly<Record<string, number>> = { 'duration': 32, 'date': 12, 'date-time': 32 }
/** The fewest bytes of a value of the type in JSON. */
const smallest: Readonly<Record<string, number>> = { 'bool': 4, 'number': 1, 'string': 2, 'duration': 3, 'date': 12, 'date-time': 21 }

/** A value of a schema: what the estimator of costs reads, and the fewest bytes that it takes in JSON. */
export interface SchemaSizes extends Sizes {
  readonly least: number
}

/** A schema with what bounds its values. */
interface BoundedSchema extends RuleSchema {
  readonly maxLength?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
  readonly default?: unknown
}

/**
 * How large the values of a structural schema may be, by its maxLength, maxItems, maxProperties and enum; what these leave open is
 * bounded by the size of a request. Undefined where expressions cannot see the value, as with `schemaType`.
 */
export function schemaSizes(schema: RuleSchema, options: { resource?: boolean } = {}): SchemaSizes | undefined {
  const bounded: BoundedSchema = schema
  if (schema['x-kubernetes-int-or-string'] === true) return { most: textLength(bounded), least: 1 }
  const shown: BoundedSchema = options.resource === true ? withMetadata(schema) : schema
  switch (shown.type) {
    case 'array': return arraySizes(shown)
    case 'object': return objectSizes(shown)
    case 'string': return stringSizes(shown)
    case 'boolean': return { most: 0, least: smallest['bool'] ?? 0 }
    case 'number':
    case 'integer': return { most: 0, least: smallest['number'] ?? 0 }
    default: return undefined
  }
}

function nested(schema: unknown): SchemaSizes | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  return schemaSizes(schema, { resource: (schema as RuleSchema)['x-kubernetes-embedded-resource'] === true })
}

function arraySizes({ items, maxItems }: BoundedSchema): SchemaSizes | undefined {
  const element = nested(items)
  if (element === undefined) return undefined
  const most = maxItems === undefined ? Math.floor((largestRequest - 2) / (element.least + 1)) : Math.max(0, maxItems)
  return { most, least: 2, element }
}

function objectSizes({ additionalProperties, maxProperties, properties, required = [] }: BoundedSchema): SchemaSizes | undefined {
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    const element = nested(additionalProperties)
    if (element === undefined) return undefined
    const most = maxProperties === undefined ? Math.floor((largestRequest - 2) / (element.least + 6)) : Math.max(0, maxProperties)
    return { most, least: 2, key: { most: 0 }, element }
  }
  const fields = new Map<string, Sizes>()
  let least = 2
  for (const [name, property] of Object.entries(properties ?? {})) {
    const sizes = nested(property)
    if (sizes === undefined) continue
    const field = escapeName(name)
    if (field !== undefined) fields.set(field, sizes)
    // What has a default need not be sent.
    if (required.includes(name) && (property as BoundedSchema).default === undefined) least += Buffer.byteLength(name) + sizes.least + 4
  }
  return { most: 0, least, fields }
}

function stringSizes(schema: BoundedSchema): SchemaSizes {
  const { format = '', maxLength } = schema
  const time = formatted[format]
  if (time !== undefined) return { most: time, least: smallest[format] ?? 0 }
  const least = smallest['string'] ?? 0
  if (format === 'byte') return { most: maxLength === undefined ? largestRequest - 2 : Math.max(0, maxLength), least }
  if (maxLength === undefined && schema.enum !== undefined && schema.enum.length > 0) {
    return { most: Math.max(0, ...schema.enum.map(value => typeof value === 'string' ? Buffer.byteLength(value) : 0)), least }
  }
  return { most: textLength(schema), least }
}

// A schema's length is in characters, of up to four bytes each.
function textLength({ maxLength }: BoundedSchema): number {
  return maxLength === undefined ? largestRequest - 2 : Math.max(0, maxLength) * 4
}

/** How often at most a value of so many bytes is in one request. */
export function mostOften(least: number): bigint {
  return BigInt(Math.floor(largestRequest / (least + 1)))
}
