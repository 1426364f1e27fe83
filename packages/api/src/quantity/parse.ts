/** How a quantity was written, which decides how it is written again. */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent'

/** What is wrong with a quantity's text: upstream's three errors, word for word. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError'
}

/** The error of a text that is no quantity at all; upstream quotes the expression in every refusal. */
export const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const numericWrong = 'unable to parse numeric part of quantity'
const suffixWrong = "unable to parse quantity's suffix"

/** Quantities are kept in units of 10^-9, the smallest that upstream represents. */
export const nanosPerUnit = 1_000_000_000n
/** 2^63-1: what upstream caps a quantity at that its short form cannot hold. */
const largest = ((1n << 63n) - 1n) * nanosPerUnit
/** Decimal digits that always fit upstream's 64-bit short form; such a value is not capped. */
const shortFormDigits = 18

export const decimalSuffixes: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
export const binarySuffixes: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

/** A quantity's text taken apart: value in nanos, and how it was written. */
export interface ParsedQuantity {
  readonly nanos: bigint
  readonly format: QuantityFormat
}

/** Takes a quantity's text apart as resource.ParseQuantity does, rounding away from zero what is finer than 10^-9. Throws {@link QuantityError}. */
export function parseQuantityText(text: string): ParsedQuantity {
  if (text === '') throw new QuantityError(formatWrong)
  const parts = /^([+-]?)([0-9]*)(?:(\.)([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text)
  if (!parts) throw new QuantityError(formatWrong)
  const [, sign = '', integer = '', , fraction = '', suffix = ''] = parts
  const scale = readSuffix(suffix)
  if (scale === undefined) throw new QuantityError(suffixWrong)
  if (integer === '' && fraction === '') throw new QuantityError(numericWrong)
  const digits = BigInt(integer + fraction)
  const numerator = digits * nanosPerUnit * (scale.base === 2 ? 1n << BigInt(scale.exponent) : power10(Math.max(scale.exponent, 0)))
  const denominator = power10(fraction.length) * (scale.base === 10 ? power10(Math.max(-scale.exponent, 0)) : 1n)
  let magnitude = (numerator + denominator - 1n) / denominator
  const short = scale.base === 10 && integer.replace(/^0+/, '').length + fraction.length <= shortFormDigits && scale.exponent - fraction.length >= -9
  if (!short && sign !== '-' && magnitude > largest) magnitude = largest
  let format = scale.format
  // A positive amount below one has no binary suffix to be written with.
  if (format === 'BinarySI' && sign !== '-' && magnitude < nanosPerUnit) format = 'DecimalSI'
  return { nanos: sign === '-' ? -magnitude : magnitude, format }
}

function readSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } | undefined {
  const decimal = decimalSuffixes[suffix]
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' }
  const binary = binarySuffixes[suffix]
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' }
  if (!/^[eE][-+]?[0-9]+$/.test(suffix)) return undefined
  const exponent = Number(suffix.slice(1))
  // Beyond this the value is capped or rounded anyway; the bound keeps hostile exponents cheap.
  return { base: 10, exponent: Math.min(Math.max(exponent, -1000), 1000), format: 'DecimalExponent' }
}

/** 10^n as a bigint, n >= 0. */
export function power10(n: number): bigint {
  return 10n ** BigInt(n)
}
