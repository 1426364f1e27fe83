import { invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { rangeError } from './formats.ts'
import type { Format } from './formats.ts'
import type { Quantity } from '../quantity/index.ts'
import { parseQuantity, tryParseQuantity } from '../quantity/index.ts'

export const immutableMessage = 'field is immutable'
export const negativeMessage = 'must be greater than or equal to 0'
export const notPositiveMessage = 'must be greater than zero'

/** A field below another; below the whole object the field alone. */
export const child = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`)

/** A string that an absent value stands for the empty one of. */
export const textOf = (value: string | undefined): string => value ?? ''

/** One Invalid error for each problem that a format finds. */
export function checkFormat(field: string, value: string, format: Format): FieldError[] {
  return format(value).map((problem) => invalid(field, value, problem))
}

/** Required if empty, else the format's problems. */
export function checkRequiredFormat(field: string, value: string | undefined, format: Format): FieldError[] {
  return value === undefined || value === '' ? [required(field)] : checkFormat(field, value, format)
}

/** Required if empty. */
export function checkRequired(field: string, value: string | undefined): FieldError[] {
  return value === undefined || value === '' ? [required(field)] : []
}

/** NotSupported unless the value is one of these, which are listed in this order. */
export function checkOneOf(field: string, value: string, supported: readonly string[]): FieldError[] {
  return supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

/** Required if empty, NotSupported unless one of these. */
export function checkRequiredOneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || value === '' ? [required(field)] : checkOneOf(field, value, supported)
}

/** Invalid if below zero; absent counts as zero. */
export function checkNonNegative(field: string, value: number | undefined): FieldError[] {
  return (value ?? 0) < 0 ? [invalid(field, value, negativeMessage)] : []
}

/** Invalid unless within the bounds. */
export function checkRange(field: string, value: number, low: number, high: number): FieldError[] {
  return value >= low && value <= high ? [] : [invalid(field, value, rangeError(low, high))]
}

/** Invalid unless a port's number. */
export function checkPort(field: string, value: number | undefined): FieldError[] {
  return checkRange(field, value ?? 0, 1, 65535)
}

/** Invalid with the new value unless both are equal; fields that are absent, null, empty lists or empty maps are alike. */
export function checkImmutable(field: string, value: unknown, old: unknown): FieldError[] {
  return sameValue(value, old) ? [] : [invalid(field, value, immutableMessage)]
}

/** Equality as apiequality.Semantic.DeepEqual has it for decoded objects: absent and empty are alike, quantities and times compare by value elsewhere. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isEmpty(a) && isEmpty(b)) return true
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const key of keys) if (!sameValue(a[key], b[key])) return false
  return true
}

/** True for what decodes to a zero value of a list, map or pointer. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0) || (isRecord(value) && Object.keys(value).length === 0)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A quantity's text as a Quantity; decoding has refused what is none, so anything else counts as zero. */
export function quantity(text: unknown): Quantity {
  return tryParseQuantity(typeof text === 'string' || typeof text === 'number' || typeof text === 'bigint' ? text : '0') ?? parseQuantity('0')
}
