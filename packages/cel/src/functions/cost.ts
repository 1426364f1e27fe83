import { CelList, CelMap } from '../values/containers.ts'
import { OpaqueValue, OptionalValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'

/** Reading a string costs a tenth of its length, as upstream prices it. */
export const stringFactor = 0.1
/** A regular expression is taken to have a step for every four characters. */
export const regexFactor = 0.25
export const listBase = 10
export const mapBase = 30
export const structBase = 40

/** A value's size as the cost model counts it: code points, bytes, entries; 1 for scalars. */
export function sizeOf(value: Value | undefined): number {
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof Uint8Array) return value.length
  if (value instanceof CelList || value instanceof CelMap) return value.size
  if (value instanceof OptionalValue && value.value !== undefined) return sizeOf(value.value)
  return value instanceof OpaqueValue ? value.costSize() : 1
}

export function codePoints(text: string): number {
  let count = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit <= 0xdbff) count--
  }
  return count
}

/** The price of reading so many characters. */
export function traversal(size: number): number {
  return Math.ceil(size * stringFactor)
}

/** Prices a call by reading its first argument once (or `times`). */
export const readsFirst = (times = 1) => (args: readonly Value[]): number => Math.ceil(sizeOf(args[0]) * times * stringFactor)

/** Prices matching a text against a regular expression. */
export function regexCost(textSize: number, regexSize: number): number {
  return Math.ceil((1 + textSize) * stringFactor) * Math.ceil(regexSize * regexFactor)
}

export const matchCost = (args: readonly Value[]): number => regexCost(sizeOf(args[0]), sizeOf(args[1]))

/** Prices visiting a whole value, strings by their bytes. */
export function treeCost(value: Value | undefined): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * stringFactor)
  if (value instanceof Uint8Array) return Math.floor(value.length * stringFactor)
  if (value instanceof CelList) {
    let cost = 0
    for (const item of value) cost += treeCost(item)
    return cost
  }
  if (value instanceof CelMap) {
    let cost = 0
    for (const [key, item] of value.entries()) cost += treeCost(key) + treeCost(item)
    return cost
  }
  return 1
}

/** Prices a call that makes a list: what it visits, the call and the list. */
export function listCost(visited: number): number {
  return Math.floor(visited) + 1 + listBase
}

/** Prices comparing two values: the smaller one is read. */
export const compareCost = (args: readonly Value[]): number => traversal(Math.min(sizeOf(args[0]), sizeOf(args[1])))
