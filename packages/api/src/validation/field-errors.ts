/** The kinds of field errors: those of apimachinery's field package. */
export type FieldErrorType = 'Required' | 'Invalid' | 'NotSupported' | 'Duplicate' | 'Forbidden' | 'TooLong' | 'TooMany' | 'NotFound' | 'TypeInvalid' | 'InternalError'

/** One problem of one field. `badValue` is a JSON value, or a {@link GoText} that is printed bare. */
export interface FieldError {
  readonly type: FieldErrorType
  /** The field's path (`spec.containers[0].name`), '' for the object as a whole. */
  readonly field: string
  readonly badValue?: unknown
  readonly detail: string
}

/** A bad value that is printed as this text, unquoted. */
export class GoText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Marks a bad value as left out of the message. */
const omitted = Symbol('omitted value')

const typeTexts: Record<FieldErrorType, string> = {
  Required: 'Required value', Invalid: 'Invalid value', NotSupported: 'Unsupported value', Duplicate: 'Duplicate value', Forbidden: 'Forbidden',
  TooLong: 'Too long', TooMany: 'Too many', NotFound: 'Not found', TypeInvalid: 'Invalid value', InternalError: 'Internal error',
}

const reasons: Record<FieldErrorType, string> = {
  Required: 'FieldValueRequired', Invalid: 'FieldValueInvalid', NotSupported: 'FieldValueNotSupported', Duplicate: 'FieldValueDuplicate',
  Forbidden: 'FieldValueForbidden', TooLong: 'FieldValueTooLong', TooMany: 'FieldValueTooMany', NotFound: 'FieldValueNotFound',
  TypeInvalid: 'FieldValueTypeInvalid', InternalError: 'InternalError',
}

export function required(field: string, detail = ''): FieldError {
  return { type: 'Required', field, detail }
}

export function invalid(field: string, badValue: unknown, detail: string): FieldError {
  return { type: 'Invalid', field, badValue, detail }
}

/** Invalid without showing the value. */
export function invalidOmitted(field: string, detail: string): FieldError {
  return { type: 'Invalid', field, badValue: omitted, detail }
}

/** Lists the supported values in the order given, quoted. */
export function notSupported(field: string, badValue: unknown, supported: readonly string[]): FieldError {
  return { type: 'NotSupported', field, badValue, detail: supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}` }
}

export function duplicate(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'Duplicate', field, badValue, detail }
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: 'Forbidden', field, detail }
}

/** The limit is in bytes; the value itself is never shown. */
export function tooLong(field: string, limit: number): FieldError {
  return { type: 'TooLong', field, detail: `may not be more than ${limit} bytes` }
}

export function tooMany(field: string, actual: number, limit: number): FieldError {
  return { type: 'TooMany', field, badValue: actual < 0 ? omitted : actual, detail: limit < 0 ? 'has too many items' : `must have at most ${limit} items` }
}

export function notFound(field: string, badValue: unknown): FieldError {
  return { type: 'NotFound', field, badValue, detail: '' }
}

export function internalError(field: string, detail: string): FieldError {
  return { type: 'InternalError', field, detail }
}

/** `spec.x: Invalid value: "y": why`: the whole error, as field.Error's Error(). */
export function fieldErrorMessage(error: FieldError): string {
  return `${error.field === '' ? '<nil>' : error.field}: ${fieldErrorBody(error)}`
}

/** The error without its field, as field.Error's ErrorBody(). */
export function fieldErrorBody(error: FieldError): string {
  const text = typeTexts[error.type]
  const detail = error.detail === '' ? '' : `: ${error.detail}`
  if (error.type === 'Required' || error.type === 'Forbidden' || error.type === 'TooLong' || error.type === 'InternalError') return text + detail
  if (error.badValue === omitted) return text + detail
  return `${text}: ${printValue(error.badValue)}${detail}`
}

/** One cause of a 422 answer's details. */
export interface StatusCause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

/** The causes of a 422 answer, one an error, in order. */
export function statusCauses(errors: readonly FieldError[]): StatusCause[] {
  return errors.map((error) => ({ reason: reasons[error.type], message: fieldErrorBody(error), field: error.field === '' ? '<nil>' : error.field }))
}

/** All errors in one line, as an aggregate prints them: `[a, b]`, a lone one without brackets, equal ones once. */
export function aggregateMessage(errors: readonly FieldError[]): string {
  const messages = [...new Set(errors.map(fieldErrorMessage))]
  return messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`
}

function printValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (value instanceof GoText) return value.text
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return goJson(value)
}

/** JSON as Go's encoding/json writes it: <, > and & escaped. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)) ?? 'null'
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A string quoted as Go's %q. */
export function goQuote(text: string): string {
  let out = '"'
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    const short = shortEscapes[char]
    if (short !== undefined) out += short
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`
    else if (code >= 0x80 && !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
    else out += char
  }
  return `${out}"`
}

const shortEscapes: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' }
