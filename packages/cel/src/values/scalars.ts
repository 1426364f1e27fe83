import { CelEvaluationError } from '../errors.ts'

export const minInt = -(2n ** 63n)
export const maxInt = 2n ** 63n - 1n
export const maxUint = 2n ** 64n - 1n

/** An unsigned 64-bit integer; a plain bigint is CEL's signed one. */
export class Uint {
  readonly value: bigint

  constructor(value: bigint) {
    this.value = value
  }
}

/** Checks that a result fits into a signed 64-bit integer. Throws `integer overflow`. */
export function checkedInt(value: bigint): bigint {
  if (value < minInt || value > maxInt) throw new CelEvaluationError('integer overflow')
  return value
}

/** Checks that a result fits into an unsigned 64-bit integer. Throws `unsigned integer overflow`. */
export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > maxUint) throw new CelEvaluationError('unsigned integer overflow')
  return new Uint(value)
}

/** The order of two numbers of any numeric kinds; undefined where one is NaN. */
export function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number | undefined {
  const left = a instanceof Uint ? a.value : a
  const right = b instanceof Uint ? b.value : b
  if (left < right) return -1
  if (left > right) return 1
  // The language compares a bigint and a double exactly, so neither < nor > means equal or NaN.
  return Number.isNaN(left) || Number.isNaN(right) ? undefined : 0
}
