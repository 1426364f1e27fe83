import { constant } from './step.ts'
import { Uint } from '../values/scalars.ts'
import type { Planned } from './step.ts'
import type { CelList } from '../values/containers.ts'
import type { Value } from '../values/value.ts'

/** Whether a list may be looked up. */
export function isPrimitiveList(list: CelList): boolean {
  for (const item of list) if (item === null || typeof item === 'object' && !(item instanceof Uint)) return false
  return true
}

/** Membership in a list of literals is a look-up: only the item has a price. */
export function membership(item: Planned, list: CelList): Planned {
  const numbers = new Set<bigint | number>()
  const others = new Set<Value>()
  for (const value of list) {
    if (typeof value === 'bigint') numbers.add(value)
    else if (typeof value === 'number') numbers.add(Number.isInteger(value) ? BigInt(value) : value)
    else if (value instanceof Uint) numbers.add(value.value)
    else others.add(value)
  }
  if (list.size === 0) return constant(false)
  return {
    run: context => {
      const value = item.run(context)
      if (typeof value === 'bigint') return numbers.has(value)
      if (typeof value === 'number') return numbers.has(Number.isInteger(value) ? BigInt(value) : value)
      return value instanceof Uint ? numbers.has(value.value) : others.has(value)
    },
  }
}
