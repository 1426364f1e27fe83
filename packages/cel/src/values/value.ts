import type { CelType } from '../types/types.ts'
import type { CelList, CelMap } from './containers.ts'
import type { Uint } from './scalars.ts'
import type { Duration, Timestamp } from './time.ts'

/** A value of an expression. int is a bigint, double a number, and uint a {@link Uint}. */
export type Value =
  | null | boolean | bigint | number | string | Uint | Uint8Array | Duration | Timestamp | CelList | CelMap | OptionalValue | TypeValue | OpaqueValue

/** A type as a value: what `type(1)` and `int` give. */
export class TypeValue {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** `optional.of(x)` or `optional.none()`. */
export class OptionalValue {
  readonly value: Value | undefined

  constructor(value: Value | undefined) {
    this.value = value
  }
}

export const none = new OptionalValue(undefined)

/** A value of a library's own type: a quantity, an address, a URL, a version. */
export abstract class OpaqueValue {
  /** The type as expressions name it. */
  abstract readonly typeName: string
  abstract equals(other: OpaqueValue): boolean

  /** What the cost model takes for its size; 1 where nothing is known. */
  costSize(): number {
    return 1
  }
}

/** The type of a value as declared overloads see it: `list` and `map` without their parameters. */
export type RuntimeKind = Exclude<CelType['kind'], 'param' | 'error' | 'any'>
