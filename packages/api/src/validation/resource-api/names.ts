import { checkFormat, textOf } from '../common.ts'
import { checkDriverName } from '../csi-names.ts'
import { invalid, required, tooLong } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain, regexError } from '../formats.ts'

const identifierLength = 32
const poolLength = 253
const identifierForm = '[A-Za-z_][A-Za-z0-9_]*'

function checkIdentifier(field: string, id: string): FieldError[] {
  return [
    ...(Buffer.byteLength(id) > identifierLength ? [tooLong(field, identifierLength)] : []),
    ...(new RegExp(`^${identifierForm}$`).test(id) ? [] : [invalid(field, id, regexError(
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'", identifierForm, 'my_name', 'MY_NAME', 'MyName'))]),
  ]
}

/** An attribute's or capacity's name: an identifier, maybe with a domain before it. */
export function checkQualifiedName(field: string, name: string): FieldError[] {
  const parts = name.split('/')
  if (parts.length === 1) return checkIdentifier(field, name)
  if (parts.length > 2) return []
  const [domain = '', id = ''] = parts
  return [
    ...(domain === '' ? [invalid(field, '', 'the domain must not be empty')] : checkDriverName(field, domain)),
    ...(id === '' ? [invalid(field, '', 'the name must not be empty')] : checkIdentifier(field, id)),
  ]
}

/** The same with the domain. */
export function checkFullyQualifiedName(field: string, name: string): FieldError[] {
  return [...checkQualifiedName(field, name), ...(name.includes('/') ? [] : [invalid(field, name, 'a fully qualified name must be a domain and a name separated by a slash')])]
}

/** A pool's name: DNS names with slashes between them. */
export function checkPoolName(field: string, name: string | undefined): FieldError[] {
  const pool = textOf(name)
  if (pool === '') return [required(field)]
  return [...(Buffer.byteLength(pool) > poolLength ? [tooLong(field, poolLength)] : []), ...pool.split('/').flatMap((part) => checkFormat(field, part, dns1123Subdomain))]
}

/** The name of a request, device or counter. */
export const checkLabelLikeName = (field: string, name: string | undefined): FieldError[] => checkFormat(field, textOf(name), dns1123Label)
