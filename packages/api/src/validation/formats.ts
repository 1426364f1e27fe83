// Checks of names, labels, ports and other short texts. Each gives the problems found, in upstream's words; none means the text is well-formed.

/** A check of a text: its problems. */
export type Format = (value: string) => string[]

const bytes = (value: string) => Buffer.byteLength(value)

/** `must be no more than N characters` */
export const maxLengthError = (length: number) => `must be no more than ${length} characters`
/** `must be no more than N bytes` */
export const maxBytesError = (length: number) => `must be no more than ${length} bytes`
/** `must be between A and B, inclusive` */
export const rangeError = (low: number, high: number) => `must be between ${low} and ${high}, inclusive`
/** The end of every refusal by a regular expression: examples, then the expression. */
export function regexError(message: string, expression: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${expression}')`
  return `${message} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${expression}')`
}

const whole = (expression: string) => new RegExp(`^(?:${expression})$`)

const labelFmt = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const label = whole(labelFmt)
const subdomainFmt = `${labelFmt}(\\.${labelFmt})*`
const subdomain = whole(subdomainFmt)
const underscoreLabelFmt = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const underscoreSubdomainFmt = `${underscoreLabelFmt}(\\.${underscoreLabelFmt})*`
const underscoreSubdomain = whole(underscoreSubdomainFmt)
const dns1035Fmt = '[a-z]([-a-z0-9]*[a-z0-9])?'
const dns1035 = whole(dns1035Fmt)
const wildcardFmt = `\\*\\.${subdomainFmt}`
const wildcard = whole(wildcardFmt)
const keyFmt = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const key = whole(keyFmt)
const labelValueFmt = `(${keyFmt})?`
const labelValue = whole(labelValueFmt)
const keyMessage = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

/** A label of a DNS name (RFC 1123), at most 63 characters. */
export const dns1123Label: Format = (value) => {
  const problems = bytes(value) > 63 ? [maxLengthError(63)] : []
  if (label.test(value)) return problems
  if (subdomain.test(value)) return [...problems, 'must not contain dots']
  return [...problems, regexError(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", labelFmt, 'my-name', '123-abc')]
}

/** A DNS name (RFC 1123), at most 253 characters. */
export const dns1123Subdomain: Format = (value) => [
  ...(bytes(value) > 253 ? [maxLengthError(253)] : []),
  ...(subdomain.test(value) ? [] : [regexError(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", subdomainFmt, 'example.com')]),
]

/** A DNS name whose labels may hold underscores. */
export const dns1123SubdomainWithUnderscore: Format = (value) => [
  ...(bytes(value) > 253 ? [maxLengthError(253)] : []),
  ...(underscoreSubdomain.test(value) ? [] : [regexError(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character", underscoreSubdomainFmt, 'example.com')]),
]

/** A DNS label as RFC 1035 has it: it starts with a letter. */
export const dns1035Label: Format = (value) => [
  ...(bytes(value) > 63 ? [maxLengthError(63)] : []),
  ...(dns1035.test(value) ? [] : [regexError(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", dns1035Fmt, 'my-name', 'abc-123')]),
]

/** `*.` and a DNS name. */
export const wildcardDns1123Subdomain: Format = (value) => [
  ...(bytes(value) > 253 ? [maxLengthError(253)] : []),
  ...(wildcard.test(value) ? [] : [regexError(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", wildcardFmt, '*.example.com')]),
]

/** A label key: `[prefix/]name`, the prefix a DNS name. */
export const qualifiedName: Format = (value) => {
  const parts = value.split('/')
  if (parts.length > 2) return [`a valid label key ${regexError(keyMessage, keyFmt, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const problems: string[] = []
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') problems.push('prefix part must be non-empty')
    else problems.push(...dns1123Subdomain(prefix).map((problem) => `prefix part ${problem.replace(maxLengthError(253), maxBytesError(253))}`))
  }
  if (name === '') problems.push('name part must be non-empty')
  else if (bytes(name) > 63) problems.push(`name part ${maxBytesError(63)}`)
  if (!key.test(name)) problems.push(`name part ${regexError(keyMessage, keyFmt, 'MyName', 'my.name', '123-abc')}`)
  return problems
}

/** A label's value: empty, or up to 63 bytes. */
export const labelValueFormat: Format = (value) => [
  ...(bytes(value) > 63 ? [maxBytesError(63)] : []),
  ...(labelValue.test(value) ? [] : [regexError(`a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
    labelValueFmt, 'MyValue', 'my_value', '12345')]),
]

/** A name that can be one element of a path: no '/' or '%', not '.' or '..'. */
export const pathSegmentName: Format = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter((char) => value.includes(char)).map((char) => `may not contain '${char}'`)
}

/** A port's name: up to 15 of [-a-z0-9], at least one letter. */
export const portName: Format = (value) => {
  const problems: string[] = []
  if (bytes(value) > 15) problems.push(maxLengthError(15))
  if (!/^[-a-z0-9]+$/.test(value)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)')
  if (value.includes('--')) problems.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}

/** `N%` */
export const percent: Format = (value) =>
  /^[0-9]+%$/.test(value) ? [] : [regexError("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')]

/** A key of a ConfigMap or Secret: it becomes a file's name. */
export const configMapKey: Format = (value) => [
  ...(bytes(value) > 253 ? [maxLengthError(253)] : []),
  ...(/^[-._a-zA-Z0-9]+$/.test(value) ? [] : [regexError("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name')]),
  ...(value === '.' ? ["must not be '.'"] : value === '..' ? ["must not be '..'"] : value.startsWith('..') ? ["must not start with '..'"] : []),
]

/** An environment variable's name: printable ASCII without '='. */
export const envVarName: Format = (value) => [
  ...(value === '' ? ['environment variable name must be non-empty'] : []),
  ...(/^[\x20-\x3c\x3e-\x7e]*$/.test(value) ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]),
]

/** A header field's name. */
export const httpHeaderName: Format = (value) =>
  /^[-A-Za-z0-9]+$/.test(value) ? [] : [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')]

/** A user's or group's number, 0 to 2147483647. */
export const ownerId = (value: number): string[] => (value >= 0 && value <= 2147483647 ? [] : [rangeError(0, 2147483647)])
