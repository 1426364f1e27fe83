import { dynType, formatType, isDyn, parametersOf, sameType } from '../types/types.ts'
import type { CelType } from '../types/types.ts'

/** What type variables stand for so far; never changed in place, so that a failed attempt leaves no trace. */
export class Substitution {
  private readonly known: ReadonlyMap<string, CelType>

  constructor(known: ReadonlyMap<string, CelType> = new Map()) {
    this.known = known
  }

  find(type: CelType): CelType | undefined {
    return type.kind === 'param' ? this.known.get(type.name) : undefined
  }

  private with(name: string, type: CelType): Substitution {
    return new Substitution(new Map(this.known).set(name, type))
  }

  /** A substitution under which `from` may stand where `to` is asked, or undefined. */
  assign(from: CelType, to: CelType): Substitution | undefined {
    if (to.kind === 'param') {
      const [result, bound] = this.substitutes(from, to)
      if (result !== undefined) return result
      if (bound) return undefined
    }
    if (from.kind === 'param') return this.substitutes(to, from)[0]
    if (isDyn(from) || isDyn(to) || from.kind === 'error' || to.kind === 'error') return this
    if (from.kind === 'null') return isNullable(to) ? this : undefined
    if (to.kind === 'null') return isNullable(from) ? this : undefined
    if (from.kind !== to.kind) return undefined
    switch (from.kind) {
      case 'type': return this
      case 'object': return sameType(from, to) ? this : undefined
      case 'opaque': return from.name === (to as typeof from).name ? this.assignAll(from.params, parametersOf(to)) : undefined
      case 'list':
      case 'map': return this.assignAll(parametersOf(from), parametersOf(to))
      default: return this
    }
  }

  /** The same for a list of arguments. */
  assignAll(from: readonly CelType[], to: readonly CelType[]): Substitution | undefined {
    if (from.length !== to.length) return undefined
    let result: Substitution | undefined = this as Substitution
    for (const [index, type] of from.entries()) result = result?.assign(type, to[index] ?? dynType)
    return result
  }

  // Whether `type` may be what the variable stands for, and whether the variable already stood for something.
  private substitutes(type: CelType, variable: CelType & { kind: 'param' }): [Substitution | undefined, boolean] {
    if (sameType(type, variable)) return [this, true]
    const bound = this.find(variable)
    if (bound !== undefined) {
      if (sameType(type, bound)) return [this, true]
      const assigned = this.assign(type, bound)
      if (assigned === undefined) return [undefined, true]
      const general = mostGeneral(type, bound)
      return [assigned.occurs(variable, general) ? assigned : assigned.with(variable.name, general), true]
    }
    return this.occurs(variable, type) ? [undefined, false] : [this.with(variable.name, type), false]
  }

  private occurs(variable: CelType, within: CelType): boolean {
    if (sameType(variable, within)) return true
    if (within.kind === 'param') {
      const bound = this.find(within)
      return bound !== undefined && this.occurs(variable, bound)
    }
    return parametersOf(within).some(type => this.occurs(variable, type))
  }

  /** A type with its variables replaced; with `free` the unbound ones too. */
  apply(type: CelType, free?: CelType): CelType {
    const bound = this.find(type)
    if (bound !== undefined) return this.apply(bound, free)
    switch (type.kind) {
      case 'param': return free ?? type
      case 'list': return { kind: 'list', element: this.apply(type.element, free) }
      case 'map': return { kind: 'map', key: this.apply(type.key, free), value: this.apply(type.value, free) }
      case 'opaque': return type.params.length === 0 ? type : { ...type, params: type.params.map(param => this.apply(param, free)) }
      case 'type': return type.of === undefined ? type : { kind: 'type', of: this.apply(type.of, free) }
      default: return type
    }
  }
}

/** The less specific of two types of which one is assignable to the other. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return equalOrLessSpecific(a, b) ? a : b
}

function equalOrLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === 'param') return true
  if (isDyn(b) || b.kind === 'param' || a.kind !== b.kind) return false
  if (a.kind === 'type') return true
  const left = parametersOf(a)
  const right = parametersOf(b)
  if (left.length === 0) return sameType(a, b)
  if (a.kind === 'opaque' && a.name !== (b as typeof a).name) return false
  return left.length === right.length && left.every((type, index) => equalOrLessSpecific(type, right[index] ?? dynType))
}

function isNullable(type: CelType): boolean {
  return type.kind === 'null' || type.kind === 'opaque' || type.kind === 'object' || type.kind === 'timestamp' || type.kind === 'duration'
}

/** Argument types as errors show them: `(int, string)`, or `string.(int)` with a receiver. */
export function formatArguments(types: readonly CelType[], member: boolean): string {
  const written = types.map(formatType)
  return member ? `${written[0]}.(${written.slice(1).join(', ')})` : `(${written.join(', ')})`
}
