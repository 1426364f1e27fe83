// The OpenAPI v2 document in protobuf: gnostic's openapi.v2.Document, which kubectl takes instead of JSON. Only what upstream's documents have is
// written; a key that no message here knows is an error, not left out.
import { Writer } from './writer.ts'

type Json = Record<string, unknown>
/** Writes a value's content (its length and tag are the caller's). */
type Write = (writer: Writer, value: unknown, at: string) => void
interface Field { readonly number: number, readonly wire?: 0, readonly write: Write, readonly repeated?: true }

const text: Write = (writer, value) => writer.text(String(value))
const boolean: Write = (writer, value) => writer.varint(value === true ? 1 : 0)

function put(writer: Writer, field: Field, value: unknown, at: string): void {
  if (field.wire === 0) {
    field.write(writer, value, at)
    writer.tag(field.number, 0)
    return
  }
  const mark = writer.length
  field.write(writer, value, at)
  writer.close(field.number, mark)
}

/** A message with a field for each key; `extensions` is the number of the field for keys that begin with x-. The writer goes back to front. */
function message(fields: Record<string, Field>, extensions?: number): Write {
  return (writer, value, at) => {
    for (const [key, part] of Object.entries(value as Json).reverse()) {
      if (part === undefined) continue
      const here = `${at}.${key}`
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined
      if (field) {
        const parts: unknown[] = field.repeated && Array.isArray(part) ? part : [part]
        for (let i = parts.length - 1; i >= 0; i--) put(writer, field, parts[i], here)
      } else if (extensions !== undefined && key.startsWith('x-')) put(writer, { number: extensions, write: named(any) }, [key, part], here)
      else throw new Error(`no field of OpenAPI v2's protobuf for ${here}`)
    }
  }
}

/** A pair of a map: its name, and its value as a message. */
function named(write: Write): Write {
  return (writer, pair, at) => {
    const [name, value] = pair as [string, unknown]
    put(writer, { number: 2, write }, value, at)
    put(writer, { number: 1, write: text }, name, at)
  }
}

/** A map as a message of pairs. */
function map(write: Write, number = 1): Write {
  const field = { number, write: named(write) }
  return (writer, value, at) => {
    for (const pair of Object.entries(value as Json).reverse()) put(writer, field, pair, `${at}.${pair[0]}`)
  }
}

/** A message that holds one of several, by the value. */
function oneOf(choose: (value: Json) => Field): Write {
  return (writer, value, at) => put(writer, choose(value as Json), value, at)
}

/** Any value as YAML, of which JSON is a part. */
const any: Write = (writer, value, at) => put(writer, { number: 2, write: text }, `${JSON.stringify(value)}\n`, at)

/** A message may lead to itself, so its parts are looked up when it is written. */
const lazy = (write: () => Write): Write => (writer, value, at) => write()(writer, value, at)

const string = (number: number): Field => ({ number, write: text })
const strings = (number: number): Field => ({ number, write: text, repeated: true })
const flag = (number: number): Field => ({ number, wire: 0, write: boolean })
const inner = (number: number, write: Write): Field => ({ number, write })
const list = (number: number, write: Write): Field => ({ number, write, repeated: true })
/** A message with one repeated field, written from a value or a list of them (TypeItem, ItemsItem). */
const items = (number: number, write: Write): Field => inner(number, (writer, value, at) => message({ value: list(1, write) })(writer, { value }, at))

const schema: Write = message({
  $ref: string(1), format: string(2), title: string(3), description: string(4), default: inner(5, any), pattern: string(13), required: strings(19), enum: list(20, any),
  // The alternative, a boolean, is not in upstream's documents.
  additionalProperties: inner(21, oneOf(() => ({ number: 1, write: lazy(() => schema) }))), type: items(22, text), items: items(23, lazy(() => schema)),
  properties: inner(25, map(lazy(() => schema))), readOnly: flag(27),
}, 31)

const bodyParameter = message({ description: string(1), name: string(2), in: string(3), required: flag(4), schema: inner(5, schema) }, 6)
const pathParameter = message({ required: flag(1), in: string(2), description: string(3), name: string(4), type: string(5), format: string(6), uniqueItems: flag(19) }, 22)
const queryParameter = message({ required: flag(1), in: string(2), description: string(3), name: string(4), allowEmptyValue: flag(5), type: string(6), format: string(7), uniqueItems: flag(20) }, 23)
const nonBodyParameter = oneOf((p) => (p['in'] === 'path' ? { number: 4, write: pathParameter } : { number: 3, write: queryParameter }))
const parameter = oneOf((p) => {
  if (p['in'] === 'body') return { number: 1, write: bodyParameter }
  if (p['in'] === 'path' || p['in'] === 'query') return { number: 2, write: nonBodyParameter }
  throw new Error(`no field of OpenAPI v2's protobuf for a parameter in ${String(p['in'])}`)
})
const reference: Field = { number: 2, write: message({ $ref: string(1), description: string(2) }) }
const parametersItem = oneOf((p) => ('$ref' in p ? reference : { number: 1, write: parameter }))

const response = message({ description: string(1), schema: inner(2, oneOf(() => ({ number: 1, write: schema }))) }, 5)
const responses = map(oneOf((r) => ('$ref' in r ? reference : { number: 1, write: response })))

const securityRequirement = map(message({ value: strings(1) }))
const security = list(12, (writer, value, at) => securityRequirement(writer, Object.fromEntries(Object.entries(value as Json).map(([name, scopes]) => [name, { value: scopes }])), at))

const operation = message({
  tags: strings(1), summary: string(2), description: string(3), operationId: string(5), produces: strings(6), consumes: strings(7), parameters: list(8, parametersItem),
  responses: inner(9, responses), schemes: strings(10), deprecated: flag(11),
}, 13)

const pathItem = message({
  get: inner(2, operation), put: inner(3, operation), post: inner(4, operation), delete: inner(5, operation), options: inner(6, operation), head: inner(7, operation),
  patch: inner(8, operation), parameters: list(9, parametersItem),
}, 10)

const apiKey = message({ type: string(1), name: string(2), in: string(3), description: string(4) }, 5)

const document = message({
  swagger: string(1), info: inner(2, message({ title: string(1), version: string(2), description: string(3) }, 7)), consumes: strings(6), produces: strings(7),
  paths: inner(8, map(pathItem, 2)), definitions: inner(9, map(schema)), parameters: inner(10, map(parameter)), security,
  securityDefinitions: inner(13, map(oneOf(() => ({ number: 2, write: apiKey })))),
}, 16)

/**
 * An OpenAPI v2 document as gnostic's openapi.v2.Document.
 * @throws Error for what the messages here have no place for
 */
export function encodeOpenApiV2(value: Record<string, unknown>): Uint8Array {
  const writer = new Writer(1 << 20)
  document(writer, value, '')
  return writer.finish()
}
