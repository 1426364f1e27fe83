import { CelMap } from '../values/containers.ts'
import { objectType } from '../types/types.ts'
import type { Value } from '../values/value.ts'

/**
 * The value of `variables` for a policy: each is computed when an expression first reads it, and once.
 * What `compute` throws (a CelEvaluationError) is thrown at every reading.
 */
export function lazyVariables(names: Iterable<string>, compute: (name: string) => Value): CelMap {
  return new LazyMap(new Set(names), compute)
}

class LazyMap extends CelMap {
  private readonly names: ReadonlySet<string>
  private readonly compute: (name: string) => Value
  private readonly known = new Map<string, { value: Value } | { error: unknown }>()

  constructor(names: ReadonlySet<string>, compute: (name: string) => Value) {
    super(objectType('kubernetes.variables', []))
    this.names = names
    this.compute = compute
  }

  get size(): number {
    return this.names.size
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !this.names.has(key)) return undefined
    let found = this.known.get(key)
    if (found === undefined) {
      found = this.outcome(key)
      this.known.set(key, found)
    }
    if ('error' in found) throw found.error
    return found.value
  }

  private outcome(name: string): { value: Value } | { error: unknown } {
    try {
      return { value: this.compute(name) }
    } catch (error) {
      // Kept and thrown again at each reading.
      return { error }
    }
  }

  override has(key: Value): boolean {
    return typeof key === 'string' && this.names.has(key)
  }

  keys(): Iterable<Value> {
    return this.names
  }
}
