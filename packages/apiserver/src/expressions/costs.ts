// The worst cost of a definition's expressions, held to upstream's limits before the definition is stored.
import { fieldErrors } from '@berth/api'
import type { FieldError, Structural } from '@berth/api'
import { mostOften } from '@berth/cel'

/** What one expression may cost by its estimate. */
const expressionLimit = 10_000_000n
/** What all expressions of one schema may cost together. */
const schemaLimit = 100_000_000n
/** What a schema is told of at most, and the least that it is told of. */
const named = 4
const worthNaming = schemaLimit / 100n

/** How often a value may be in an object, by the bounds of the lists and maps around it; undefined where one of them has none. */
export type Occurrences = bigint | undefined

const nonNegative = (value: unknown): bigint | undefined => typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) < 0n ? 0n : BigInt(value) : undefined

/** How often a part of a value may occur that itself occurs so often. */
export function partsOf(schema: Structural, often: Occurrences): Occurrences {
  const { source } = schema
  const factor = schema.type === 'array' ? nonNegative(source['maxItems'])
    : schema.type === 'object' && source['additionalProperties'] !== undefined ? nonNegative(source['maxProperties']) : 1n
  return often === undefined || factor === undefined ? undefined : often * factor
}

/** What the expressions of one schema cost together. */
export class SchemaCost {
  #total = 0n
  #most: { readonly at: string, readonly cost: bigint }[] = []

  /** Counts a rule, which runs for every value that may be there; says whether it alone is too much. */
  rule(at: string, cost: bigint, often: Occurrences, least: number): FieldError[] {
    return this.#count(at, cost * (often ?? mostOften(least)), 'estimated rule cost')
  }

  /** Counts a message, which is made once. */
  message(at: string, cost: bigint): FieldError[] {
    return this.#count(at, cost, 'estimated messageExpression cost')
  }

  #count(at: string, cost: bigint, name: string): FieldError[] {
    this.#total += cost
    if (cost >= worthNaming) this.#most = [...this.#most, { at, cost }].sort((a, b) => a.cost < b.cost ? 1 : a.cost > b.cost ? -1 : 0).slice(0, named)
    return cost > expressionLimit ? [fieldErrors.forbidden(at, beyond(name, cost, expressionLimit))] : []
  }

  /** What is wrong with all of them together. */
  errors(schemaAt: string): FieldError[] {
    if (this.#total <= schemaLimit) return []
    return [
      ...this.#most.map(({ at }) => fieldErrors.forbidden(at, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema')),
      fieldErrors.forbidden(schemaAt, beyond('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', this.#total, schemaLimit)),
    ]
  }
}

function beyond(name: string, cost: bigint, limit: bigint): string {
  const times = Number(cost) / Number(limit)
  const factor = times > 100 ? 'more than 100x' : `${times.toFixed(times < 1.5 ? 6 : 1)}x`
  return `${name} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
