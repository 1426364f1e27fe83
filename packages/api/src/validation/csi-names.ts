import { checkFormat, textOf } from './common.ts'
import { required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain } from './formats.ts'
import { invalid } from './field-errors.ts'

/** The name of a CSI or DRA driver: a DNS name of at most 63 bytes, in any case. */
export function checkDriverName(field: string, name: string | undefined): FieldError[] {
  const driver = textOf(name)
  if (driver === '') return [required(field)]
  return [...(Buffer.byteLength(driver) > 63 ? [tooLong(field, 63)] : []), ...dns1123Subdomain(driver.toLowerCase()).map((problem) => invalid(field, driver, problem))]
}

/** The name of a storage class or another class. */
export const checkClassName = (field: string, name: string): FieldError[] => checkFormat(field, name, dns1123Subdomain)
