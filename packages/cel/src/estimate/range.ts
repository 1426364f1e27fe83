/**
 * The least and the most that a cost or a size may be, in unsigned 64-bit numbers that stop at the largest one: upstream compares
 * what these come to with limits, so they are counted as it counts them.
 */
export interface Range {
  readonly min: bigint
  readonly max: bigint
}

/** The largest number that is counted: what nothing bounds. */
export const unbounded = 2n ** 64n - 1n

export const unknown: Range = { min: 0n, max: unbounded }
export const zero: Range = { min: 0n, max: 0n }
export const one: Range = { min: 1n, max: 1n }

export function exactly(value: number | bigint): Range {
  return { min: BigInt(value), max: BigInt(value) }
}

/** From nothing to so many. */
export function upTo(value: number | bigint): Range {
  return { min: 0n, max: BigInt(value) }
}

function stopped(value: bigint): bigint {
  return value > unbounded ? unbounded : value
}

export function add(...ranges: readonly Range[]): Range {
  return ranges.reduce((sum, range) => ({ min: stopped(sum.min + range.min), max: stopped(sum.max + range.max) }), zero)
}

export function multiply(a: Range, b: Range): Range {
  return { min: stopped(a.min * b.min), max: stopped(a.max * b.max) }
}

/** Multiplied by a factor in floating point, rounded up. */
export function scale(range: Range, factor: number): Range {
  return { min: scaled(range.min, factor), max: scaled(range.max, factor) }
}

function scaled(value: bigint, factor: number): bigint {
  const product = Math.ceil(Number(value) * factor)
  return product >= 2 ** 64 ? unbounded : BigInt(product)
}

/** The range that holds both. */
export function union(a: Range, b: Range): Range {
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max }
}
