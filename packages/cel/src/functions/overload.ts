import { parseSignature } from '../types/signature.ts'
import type { Signature } from '../types/signature.ts'
import type { Value } from '../values/value.ts'

/** One form of a function: what it takes and gives, what it does, and what it costs. */
export interface Overload extends Signature {
  /** Called with arguments of the declared types, the receiver first. Throws CelEvaluationError. */
  readonly call: (...args: Value[]) => Value
  /** In cost units; absent means 1. See {@link pricedByName} for calls that only evaluation can tell apart. */
  readonly cost?: (args: readonly Value[], result: Value) => number
}

/** The functions of an environment: overloads by name. */
export type FunctionTable = ReadonlyMap<string, readonly Overload[]>

// The table's author vouches that the implementation takes what the signature declares.
type Implementation = (...args: never[]) => Value

/** Declares an overload by its signature, as in `string->indexOf(string): int`. */
export function overload(signature: string, call: Implementation, cost?: Overload['cost']): Overload {
  return { ...parseSignature(signature), call: call as Overload['call'], ...(cost === undefined ? {} : { cost }) }
}

/**
 * Functions that Kubernetes prices by name. Others are priced by overload, and where dynamic arguments leave several overloads
 * possible, upstream knows none and takes 1.
 */
export const pricedByName: ReadonlySet<string> = new Set([
  'check', 'fieldSelector', 'labelSelector', 'isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf', 'url', 'lowerAscii', 'upperAscii', 'substring', 'trim',
  'replace', 'split', 'join', 'find', 'findAll', 'cidr', 'isIP', 'isCIDR', 'ip', 'ip.isCanonical', 'containsIP', 'containsCIDR', 'quantity', 'isQuantity', 'semver',
  'isSemver', 'validate', 'jsonpatch.escapeKey',
])

/** Joins libraries into one table; overloads of the same name add up. */
export function functionTable(...libraries: readonly (readonly Overload[])[]): FunctionTable {
  const table = new Map<string, Overload[]>()
  for (const entry of libraries.flat()) {
    const list = table.get(entry.name)
    if (list === undefined) table.set(entry.name, [entry])
    else list.push(entry)
  }
  return table
}
