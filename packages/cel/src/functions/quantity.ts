import { parseQuantity, QuantityError, quantityOf, tryParseQuantity } from '@berth/api'
import { CelEvaluationError } from '../errors.ts'
import { readsFirst } from './cost.ts'
import { overload } from './overload.ts'
import { maxInt, minInt } from '../values/scalars.ts'
import { OpaqueValue } from '../values/value.ts'
import type { Quantity } from '@berth/api'
import type { Overload } from './overload.ts'

/** An amount of a resource as a value of expressions. */
export class QuantityValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Quantity'
  readonly quantity: Quantity

  constructor(quantity: Quantity) {
    super()
    this.quantity = quantity
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && other.quantity.cmp(this.quantity) === 0
  }
}

function parse(text: string): QuantityValue {
  try {
    return new QuantityValue(parseQuantity(text))
  } catch (error) {
    if (error instanceof QuantityError) throw new CelEvaluationError(error.message, { cause: error })
    throw error
  }
}

function isInteger({ quantity }: QuantityValue): boolean {
  const units = quantity.nanos / 1_000_000_000n
  return units * 1_000_000_000n === quantity.nanos && units >= minInt && units <= maxInt
}

function asInteger(value: QuantityValue): bigint {
  if (!isInteger(value)) throw new CelEvaluationError('cannot convert value to integer')
  return value.quantity.value()
}

const type = 'kubernetes.Quantity'
const whole = (units: bigint): Quantity => quantityOf(units, 'DecimalExponent')

/** Kubernetes' quantity library. */
export const quantities: readonly Overload[] = [
  overload(`quantity(string): ${type}`, parse, readsFirst()),
  overload('isQuantity(string): bool', (text: string) => tryParseQuantity(text) !== undefined, readsFirst()),
  overload(`sign(${type}): int`, (a: QuantityValue) => BigInt(a.quantity.sign())),
  overload(`${type}->isGreaterThan(${type}): bool`, (a: QuantityValue, b: QuantityValue) => a.quantity.cmp(b.quantity) > 0),
  overload(`${type}->isLessThan(${type}): bool`, (a: QuantityValue, b: QuantityValue) => a.quantity.cmp(b.quantity) < 0),
  overload(`${type}->compareTo(${type}): int`, (a: QuantityValue, b: QuantityValue) => BigInt(a.quantity.cmp(b.quantity))),
  overload(`${type}->asApproximateFloat(): double`, (a: QuantityValue) => a.quantity.toNumber()),
  overload(`${type}->asInteger(): int`, asInteger),
  overload(`${type}->isInteger(): bool`, isInteger),
  overload(`${type}->add(${type}): ${type}`, (a: QuantityValue, b: QuantityValue) => new QuantityValue(a.quantity.add(b.quantity))),
  overload(`${type}->add(int): ${type}`, (a: QuantityValue, b: bigint) => new QuantityValue(a.quantity.add(whole(b)))),
  overload(`${type}->sub(${type}): ${type}`, (a: QuantityValue, b: QuantityValue) => new QuantityValue(a.quantity.sub(b.quantity))),
  overload(`${type}->sub(int): ${type}`, (a: QuantityValue, b: bigint) => new QuantityValue(a.quantity.sub(whole(b)))),
]
