import { binarySuffixes, decimalSuffixes, nanosPerUnit, parseQuantityText, QuantityError } from './parse.ts'
import type { QuantityFormat } from './parse.ts'

const decimalSuffixOf = new Map(Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]))
const binarySuffixOf = new Map(Object.entries(binarySuffixes).map(([suffix, exponent]) => [exponent, suffix]))

/** An amount of a resource: exact down to 10^-9, immutable, written canonically as resource.Quantity writes it. */
export class Quantity {
  /** The amount in units of 10^-9. */
  readonly nanos: bigint
  readonly format: QuantityFormat

  constructor(nanos: bigint, format: QuantityFormat = 'DecimalSI') {
    this.nanos = nanos
    this.format = format
  }

  /** The sum; a zero takes over the other's format, as upstream's does. */
  add(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, this.nanos === 0n ? other.format : this.format)
  }

  /** The difference; a zero takes over the other's format. */
  sub(other: Quantity): Quantity {
    return new Quantity(this.nanos - other.nanos, this.nanos === 0n ? other.format : this.format)
  }

  neg(): Quantity {
    return new Quantity(-this.nanos, this.format)
  }

  /** -1, 0 or 1: less than, equal to, greater than the other. */
  cmp(other: Quantity): -1 | 0 | 1 {
    return this.nanos < other.nanos ? -1 : this.nanos > other.nanos ? 1 : 0
  }

  isZero(): boolean {
    return this.nanos === 0n
  }

  /** -1, 0 or 1. */
  sign(): -1 | 0 | 1 {
    return this.nanos < 0n ? -1 : this.nanos > 0n ? 1 : 0
  }

  /** Whole units, rounded away from zero. */
  value(): bigint {
    return divideAway(this.nanos, nanosPerUnit)
  }

  /** Thousandths, rounded away from zero. */
  milliValue(): bigint {
    return divideAway(this.nanos, 1_000_000n)
  }

  /** The amount as a float, for scores and displays. */
  toNumber(): number {
    return Number(this.nanos) / 1e9
  }

  /** This amount rounded away from zero to thousandths: what a resource list keeps. */
  roundUpToMilli(): Quantity {
    return new Quantity(this.milliValue() * 1_000_000n, this.format)
  }

  /** The canonical text: largest suffix that needs no fraction, in the format it was written in where that loses nothing. */
  toString(): string {
    if (this.nanos === 0n) return '0'
    const units = this.nanos / nanosPerUnit
    const whole = units * nanosPerUnit === this.nanos
    if (this.format === 'BinarySI' && whole && (units >= 1024n || units <= -1024n)) return binaryText(units)
    return decimalText(this.nanos, this.format === 'DecimalExponent')
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Parses a quantity's text (`500m`, `1.5Gi`, `1e3`). Throws {@link QuantityError} in upstream's words. */
export function parseQuantity(text: string): Quantity {
  const { nanos, format } = parseQuantityText(text)
  return new Quantity(nanos, format)
}

/** Like {@link parseQuantity}, but undefined for what is no quantity (or absent). */
export function tryParseQuantity(text: string | number | bigint | undefined | null): Quantity | undefined {
  if (text === undefined || text === null) return undefined
  try {
    return parseQuantity(String(text))
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

/** A quantity of so many whole units. */
export function quantityOf(units: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return new Quantity(BigInt(units) * nanosPerUnit, format)
}

/** A quantity of so many thousandths. */
export function quantityOfMilli(milli: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return new Quantity(BigInt(milli) * 1_000_000n, format)
}

/** Writes whole units (or a Quantity) in the canonical text of a format. */
export function formatQuantity(amount: Quantity | bigint | number, format?: QuantityFormat): string {
  if (amount instanceof Quantity) return (format === undefined ? amount : new Quantity(amount.nanos, format)).toString()
  return quantityOf(amount, format).toString()
}

function binaryText(units: bigint): string {
  let mantissa = units
  let exponent = 0
  while (exponent < 60 && mantissa % 1024n === 0n) {
    mantissa /= 1024n
    exponent += 10
  }
  return `${mantissa}${exponent === 0 ? '' : binarySuffixOf.get(exponent)}`
}

function decimalText(nanos: bigint, exponentForm: boolean): string {
  let mantissa = nanos
  let exponent = -9
  const top = exponentForm ? 300 : 18
  while (exponent < top && mantissa % 1000n === 0n) {
    mantissa /= 1000n
    exponent += 3
  }
  if (exponentForm) return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`
  return `${mantissa}${decimalSuffixOf.get(exponent) ?? ''}`
}

function divideAway(amount: bigint, by: bigint): bigint {
  const magnitude = ((amount < 0n ? -amount : amount) + by - 1n) / by
  return amount < 0n ? -magnitude : magnitude
}

/** The sum of quantities given as text; absent ones count as zero. */
export function sumQuantities(texts: readonly (string | undefined)[]): Quantity {
  return texts.reduce((sum, text) => sum.add(tryParseQuantity(text) ?? new Quantity(0n)), new Quantity(0n))
}
