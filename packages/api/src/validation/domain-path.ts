import { checkFormat } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain, regexError } from './formats.ts'

const pathForm = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"

/** `acme.io/foo`: a domain and a path. */
export function checkDomainPath(field: string, name: string): FieldError[] {
  if (name === '') return [required(field)]
  const slash = name.indexOf('/')
  const path = name.slice(slash + 1)
  if (slash < 1 || path === '') return [invalid(field, name, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  return [
    ...checkFormat(field, name.slice(0, slash), dns1123Subdomain),
    ...(new RegExp(`^${pathForm}$`).test(path) ? [] : [invalid(field, path, regexError('Invalid path', pathForm))]),
  ]
}
