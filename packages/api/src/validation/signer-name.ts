import { textOf } from './common.ts'
import { invalid, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain } from './formats.ts'

const domainLength = 253
const pathLength = 253 + 63 + 1

/** The first label of a dotted name that is none. */
function checkLabelsOf(field: string, text: string, format: (label: string) => string[]): FieldError[] {
  for (const label of text.split('.')) {
    const problems = format(label)
    if (problems.length > 0) return problems.map((problem) => invalid(field, text, `validating label ${JSON.stringify(label)}: ${problem}`))
  }
  return []
}

/** `example.com/signer-name` */
export function checkSignerName(field: string, name: string | undefined): FieldError[] {
  const text = textOf(name)
  if (text === '') return [required(field)]
  const [domain = '', path, ...rest] = text.split('/')
  if (path === undefined || rest.length > 0) return [invalid(field, text, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
  return [
    ...(Buffer.byteLength(domain) > domainLength ? [tooLong(field, domainLength)] : []),
    ...checkLabelsOf(field, domain, dns1123Label),
    ...(domain.includes('.') ? [] : [invalid(field, domain, 'should be a domain with at least two segments separated by dots')]),
    ...checkLabelsOf(field, path, dns1123Subdomain),
    ...(Buffer.byteLength(path) > pathLength ? [tooLong(field, pathLength)] : []),
  ]
}
