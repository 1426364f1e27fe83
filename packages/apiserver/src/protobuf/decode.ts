// Kubernetes' protobuf as the JSON values that everything else here works on: the `k8s\0` envelope, and messages by the schema's field numbers.
import { parseJson } from '@berth/api'
import type { FieldSchema, Json, JsonObject, ScalarSchema, StructSchema, TypeSchema, UnionSchema } from '@berth/api'
import { ProtobufError, Reader, signed } from './reader.ts'
import type { WireType } from './reader.ts'

const magic = [0x6b, 0x38, 0x73, 0x00]
const text = new TextDecoder('utf-8', { ignoreBOM: true })
const maxDepth = 100

/** runtime.Unknown: what the envelope says of the message in it. */
export interface Envelope {
  apiVersion: string
  kind: string
  raw: Uint8Array
  contentType: string
}

/** Opens the envelope. Throws ProtobufError. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!magic.every((byte, i) => bytes[i] === byte)) throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  const envelope: Envelope = { apiVersion: '', kind: '', raw: new Uint8Array(), contentType: '' }
  const reader = new Reader(bytes.subarray(magic.length))
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (number === 1 && wire === 2) {
      const meta = new Reader(reader.bytes())
      while (!meta.done) {
        const inner = meta.tag()
        if (inner.number === 1 && inner.wire === 2) envelope.apiVersion = text.decode(meta.bytes())
        else if (inner.number === 2 && inner.wire === 2) envelope.kind = text.decode(meta.bytes())
        else meta.skip(inner.wire)
      }
    } else if (number === 2 && wire === 2) envelope.raw = reader.bytes()
    else if (number === 4 && wire === 2) envelope.contentType = text.decode(reader.bytes())
    else reader.skip(wire)
  }
  return envelope
}

interface Layout {
  fields: Map<number, FieldSchema>
  embedded: Map<number, StructSchema>
}

const layouts = new WeakMap<StructSchema, Layout>()

/** A struct's own fields by number: those of embedded structs belong to messages of their own, kind and apiVersion to the envelope. */
function layoutOf(schema: StructSchema): Layout {
  let layout = layouts.get(schema)
  if (!layout) {
    const foreign = new Set([...schema.embedded.flatMap((e) => [...e.struct.fields.keys()]), ...(schema.root ? ['kind', 'apiVersion'] : [])])
    layout = {
      fields: new Map([...schema.fields.values()].filter((f) => f.number > 0 && !foreign.has(f.name)).map((f) => [f.number, f])),
      embedded: new Map(schema.embedded.map((e) => [e.number, e.struct])),
    }
    layouts.set(schema, layout)
  }
  return layout
}

/** A message as a JSON object. Unknown fields are skipped. Throws ProtobufError. */
export function decodeMessage(schema: StructSchema, bytes: Uint8Array, depth = 0): JsonObject {
  const out: JsonObject = {}
  readInto(out, schema, bytes, depth)
  return out
}

function readInto(out: JsonObject, schema: StructSchema, bytes: Uint8Array, depth: number): void {
  if (depth > maxDepth) throw new ProtobufError('message is nested too deeply')
  const layout = layoutOf(schema)
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    const embedded = layout.embedded.get(number)
    if (embedded && wire === 2) {
      readInto(out, embedded, reader.bytes(), depth + 1)
      continue
    }
    const field = layout.fields.get(number)
    if (!field) reader.skip(wire)
    else readField(out, field, wire, reader, depth)
  }
}

function readField(out: JsonObject, field: FieldSchema, wire: WireType, reader: Reader, depth: number): void {
  const { type } = field
  if (type.kind === 'list') {
    const known = out[field.name]
    const list: Json[] = Array.isArray(known) ? known : []
    out[field.name] = list
    // Numbers may be packed.
    if (wire === 2 && type.item.kind !== 'struct' && isVarint(type.item)) {
      const packed = new Reader(reader.bytes())
      while (!packed.done) list.push(readValue(type.item, 0, packed, depth))
    } else list.push(readValue(type.item, wire, reader, depth))
    return
  }
  if (type.kind === 'map') {
    const known = out[field.name]
    const map: JsonObject = known !== null && typeof known === 'object' && !Array.isArray(known) ? known : {}
    out[field.name] = map
    readEntry(map, type.value, reader.bytes(), depth)
    return
  }
  out[field.name] = readValue(type, wire, reader, depth)
}

function readEntry(map: JsonObject, type: TypeSchema, bytes: Uint8Array, depth: number): void {
  const reader = new Reader(bytes)
  let key = ''
  let value: Json | undefined
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (number === 1 && wire === 2) key = text.decode(reader.bytes())
    else if (number === 2) value = type.kind === 'list' ? readItems(type.item, reader.bytes(), depth) : readValue(type, wire, reader, depth)
    else reader.skip(wire)
  }
  // A plain assignment of __proto__ would set the prototype.
  Object.defineProperty(map, key, { value: value ?? emptyOf(type), writable: true, enumerable: true, configurable: true })
}

/** A list in the place of a message (authentication's ExtraValue): its items are field 1. */
function readItems(item: TypeSchema, bytes: Uint8Array, depth: number): Json[] {
  const out: Json[] = []
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (number === 1) out.push(readValue(item, wire, reader, depth))
    else reader.skip(wire)
  }
  return out
}

function emptyOf(type: TypeSchema): Json {
  if (type.kind === 'list') return []
  if (type.kind === 'struct' || type.kind === 'map') return {}
  if (type.kind === 'time' || type.kind === 'microTime' || type.kind === 'any') return null
  if (type.kind === 'boolean') return false
  return type.kind === 'int32' || type.kind === 'int64' || type.kind === 'float64' || type.kind === 'intOrString' ? 0 : type.kind === 'quantity' ? '0' : ''
}

function isVarint(type: TypeSchema): boolean {
  return type.kind === 'int32' || type.kind === 'int64' || type.kind === 'boolean'
}

function readValue(type: TypeSchema, wire: WireType, reader: Reader, depth: number): Json {
  switch (type.kind) {
    case 'struct': return need(wire, 2) && decodeMessage(type.struct, reader.bytes(), depth + 1)
    case 'any': return need(wire, 2) && rawJson(reader.bytes())
    case 'union': return need(wire, 2) && readUnion(type, reader.bytes(), depth + 1)
    case 'list':
    case 'map': throw new ProtobufError(`${type.goType} cannot be read here`)
    default: return readScalar(type, wire, reader)
  }
}

/** The numbers of a union's two fields: of the schema, and of what may stand in its place. */
export function unionNumbers(type: UnionSchema): { object: number, other: number } {
  return type.other.kind === 'list' ? { object: 1, other: 2 } : { object: 2, other: 1 }
}

/** JSONSchemaPropsOrArray, -OrBool, -OrStringArray: the schema where there is one, else a list or a boolean. */
function readUnion(type: UnionSchema, bytes: Uint8Array, depth: number): Json {
  if (depth > maxDepth) throw new ProtobufError('message is nested too deeply')
  const numbers = unionNumbers(type)
  const list: Json[] = []
  let object: Json | undefined
  let scalar: Json = false
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (number === numbers.object) object = readValue(type.object, wire, reader, depth)
    else if (number !== numbers.other) reader.skip(wire)
    else if (type.other.kind === 'list') list.push(readValue(type.other.item, wire, reader, depth))
    else scalar = readValue(type.other, wire, reader, depth)
  }
  if (type.other.kind !== 'list') return object ?? scalar
  return list.length > 0 || object === undefined ? list : object
}

function need(wire: WireType, expected: WireType): true {
  if (wire !== expected) throw new ProtobufError(`wrong wireType = ${wire}`)
  return true
}

function readScalar(type: ScalarSchema, wire: WireType, reader: Reader): Json {
  switch (type.kind) {
    case 'string': return need(wire, 2) && text.decode(reader.bytes())
    case 'bytes': return need(wire, 2) && Buffer.from(reader.bytes()).toString('base64')
    case 'boolean': return need(wire, 0) && reader.varint() !== 0n
    case 'int32': return need(wire, 0) && Number(BigInt.asIntN(32, reader.varint()))
    case 'int64': return need(wire, 0) && signed(reader.varint())
    case 'float64': return need(wire, 1) && reader.double()
    case 'quantity': return need(wire, 2) && quantity(reader.bytes())
    case 'intOrString': return need(wire, 2) && intOrString(reader.bytes())
    case 'time':
    case 'microTime': return need(wire, 2) && time(reader.bytes(), type.kind === 'microTime')
    case 'duration': return need(wire, 2) && duration(reader.bytes())
  }
}

/** A field of such a message that is a number. Throws ProtobufError where a text was sent in its place. */
function integerIn(parts: Map<number, bigint | string>, number: number): bigint {
  const value = parts.get(number) ?? 0n
  if (typeof value === 'string') throw new ProtobufError('wrong wireType = 2')
  return value
}

/** Scalar fields 1, 2, 3 of a small message. */
function numbersAndTexts(bytes: Uint8Array): Map<number, bigint | string> {
  const out = new Map<number, bigint | string>()
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (wire === 0) out.set(number, reader.varint())
    else if (wire === 2) out.set(number, text.decode(reader.bytes()))
    else reader.skip(wire)
  }
  return out
}

function quantity(bytes: Uint8Array): string {
  return String(numbersAndTexts(bytes).get(1) ?? '0')
}

function intOrString(bytes: Uint8Array): Json {
  const parts = numbersAndTexts(bytes)
  if (parts.get(1) === 1n) return String(parts.get(3) ?? '')
  return Number(BigInt.asIntN(32, integerIn(parts, 2)))
}

/** Go's zero time is year 1; its message is empty, and its JSON null. */
function time(bytes: Uint8Array, micro: boolean): Json {
  if (bytes.length === 0) return null
  const parts = numbersAndTexts(bytes)
  const seconds = Number(BigInt.asIntN(64, integerIn(parts, 1)))
  if (seconds === -62135596800) return null
  const stamp = new Date(seconds * 1000)
  if (Number.isNaN(stamp.getTime())) throw new ProtobufError('time is out of range')
  const head = stamp.toISOString().slice(0, 19)
  return micro ? `${head}.${String(Math.floor(Number(integerIn(parts, 2)) / 1000)).padStart(6, '0')}Z` : `${head}Z`
}

/** Nanoseconds as Go prints a duration. */
function duration(bytes: Uint8Array): string {
  const nanos = BigInt.asIntN(64, integerIn(numbersAndTexts(bytes), 1))
  return `${nanos}ns`
}

/** RawExtension and FieldsV1: JSON in field 1. */
function rawJson(bytes: Uint8Array): Json {
  const reader = new Reader(bytes)
  let raw: Uint8Array | undefined
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (number === 1 && wire === 2) raw = reader.bytes()
    else reader.skip(wire)
  }
  return raw === undefined || raw.length === 0 ? null : parseJson(raw).value
}
