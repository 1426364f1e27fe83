// JSON values as Kubernetes' protobuf, byte for byte as its generated code writes them: every field that is no pointer, list or map is written, zero or not.
import { stringifyJson } from '@berth/api'
import type { FieldSchema, Json, ScalarSchema, StructSchema, TypeSchema, UnionSchema } from '@berth/api'
import { unionNumbers } from './decode.ts'
import { Writer } from './writer.ts'

const magic = Uint8Array.from([0x6b, 0x38, 0x73, 0x00])

interface Part { number: number, field?: FieldSchema, embedded?: StructSchema }

const layouts = new WeakMap<StructSchema, Part[]>()

/** A struct's fields and embedded structs by falling number: messages are written back to front. */
function partsOf(schema: StructSchema): Part[] {
  let parts = layouts.get(schema)
  if (!parts) {
    const foreign = new Set([...schema.embedded.flatMap((e) => [...e.struct.fields.keys()]), ...(schema.root ? ['kind', 'apiVersion'] : [])])
    parts = [
      ...[...schema.fields.values()].filter((f) => f.number > 0 && !foreign.has(f.name)).map((field): Part => ({ number: field.number, field })),
      ...schema.embedded.map((e): Part => ({ number: e.number, embedded: e.struct })),
    ].sort((a, b) => b.number - a.number)
    layouts.set(schema, parts)
  }
  return parts
}

/** The envelope with an object in it. */
export function encodeObject(schema: StructSchema, kind: string, apiVersion: string, object: Record<string, unknown>): Uint8Array {
  const writer = new Writer(4096)
  writeEnvelope(writer, kind, apiVersion, () => writeMessage(writer, schema, object))
  return writer.finish()
}

/** The envelope with a list in it: metadata in field 1, items in field 2, each already encoded (without an envelope). */
export function encodeList(listMeta: StructSchema, kind: string, apiVersion: string, metadata: object, items: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer(items.reduce((sum, item) => sum + item.length + 6, 512))
  writeEnvelope(writer, kind, apiVersion, () => {
    for (const item of items.toReversed()) {
      const mark = writer.length
      writer.bytes(item)
      writer.close(2, mark)
    }
    const mark = writer.length
    writeMessage(writer, listMeta, metadata as Record<string, unknown>)
    writer.close(1, mark)
  })
  return writer.finish()
}

/** A message without its envelope. */
export function encodeMessage(schema: StructSchema, object: Record<string, unknown>): Uint8Array {
  const writer = new Writer(2048)
  writeMessage(writer, schema, object)
  return writer.finish()
}

/** A message that holds another one, already encoded, as its field 1: bare metadata. */
export function encodeHolding(message: Uint8Array): Uint8Array {
  const writer = new Writer(message.length + 16)
  writer.bytes(message)
  writer.close(1, 0)
  return writer.finish()
}

/** A watch event as one frame of a protobuf stream: four bytes of length, then WatchEvent {type = 1, object = 2 {raw = 1}}. */
export function encodeWatchFrame(type: string, object: Uint8Array): Uint8Array {
  const writer = new Writer(object.length + 64)
  const raw = writer.length
  writer.bytes(object)
  writer.close(1, raw)
  writer.close(2, 0)
  writeText(writer, 1, type)
  const length = writer.length
  writer.bytes(Uint8Array.from([length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]))
  return writer.finish()
}

/** The envelope around an encoded message. */
export function wrap(kind: string, apiVersion: string, message: Uint8Array): Uint8Array {
  const writer = new Writer(message.length + 128)
  writeEnvelope(writer, kind, apiVersion, () => writer.bytes(message))
  return writer.finish()
}

function writeEnvelope(writer: Writer, kind: string, apiVersion: string, content: () => void): void {
  writeText(writer, 4, '')
  writeText(writer, 3, '')
  const raw = writer.length
  content()
  writer.close(2, raw)
  const meta = writer.length
  writeText(writer, 2, kind)
  writeText(writer, 1, apiVersion)
  writer.close(1, meta)
  writer.bytes(magic)
}

function writeText(writer: Writer, number: number, content: string): void {
  const mark = writer.length
  writer.text(content)
  writer.close(number, mark)
}

function writeMessage(writer: Writer, schema: StructSchema, object: Record<string, unknown>): void {
  for (const { number, field, embedded } of partsOf(schema)) {
    if (embedded) {
      const mark = writer.length
      writeMessage(writer, embedded, object)
      writer.close(number, mark)
    } else if (field) writeField(writer, field, object[field.name])
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function writeField(writer: Writer, field: FieldSchema, value: unknown): void {
  const { type, number } = field
  if (type.kind === 'list') {
    if (Array.isArray(value)) for (const item of (value as unknown[]).toReversed()) writeValue(writer, number, type.item, item)
    return
  }
  if (type.kind === 'map') {
    if (!isRecord(value)) return
    for (const key of Object.keys(value).sort().reverse()) {
      const mark = writer.length
      writeMapValue(writer, type.value, value[key])
      writeText(writer, 1, key)
      writer.close(number, mark)
    }
    return
  }
  // What Go holds by pointer (or as bytes) is left out when absent; everything else is written, zero or not.
  if ((value === undefined || value === null) && (field.pointer || type.kind === 'bytes')) return
  writeValue(writer, number, type, value)
}

/** A list in the place of a map's value is a message with the items in field 1. */
function writeMapValue(writer: Writer, type: TypeSchema, value: unknown): void {
  if (type.kind !== 'list') {
    writeValue(writer, 2, type, value)
    return
  }
  const mark = writer.length
  if (Array.isArray(value)) for (const item of (value as unknown[]).toReversed()) writeValue(writer, 1, type.item, item)
  writer.close(2, mark)
}

function writeValue(writer: Writer, number: number, type: TypeSchema, value: unknown): void {
  const mark = writer.length
  switch (type.kind) {
    case 'struct':
      writeMessage(writer, type.struct, isRecord(value) ? value : {})
      writer.close(number, mark)
      return
    case 'any':
      if (value !== undefined && value !== null) writeText(writer, 1, stringifyJson(value as Json))
      writer.close(number, mark)
      return
    case 'union':
      writeUnion(writer, type, value)
      writer.close(number, mark)
      return
    case 'list':
    case 'map':
      throw new Error(`${type.goType} cannot be written in protobuf`)
    default:
      writeScalar(writer, number, type, value)
  }
}

/** JSONSchemaPropsOrArray, -OrBool, -OrStringArray: a schema allows, so the boolean beside it is true. */
function writeUnion(writer: Writer, type: UnionSchema, value: unknown): void {
  const { object, other } = unionNumbers(type)
  if (type.other.kind === 'list') {
    if (Array.isArray(value)) for (const item of (value as unknown[]).toReversed()) writeValue(writer, other, type.other.item, item)
    else if (isRecord(value)) writeValue(writer, object, type.object, value)
    return
  }
  if (isRecord(value)) writeValue(writer, object, type.object, value)
  writeValue(writer, other, type.other, isRecord(value) || value)
}

function integer(value: unknown): number | bigint {
  return typeof value === 'number' || typeof value === 'bigint' ? value : 0
}

function writeScalar(writer: Writer, number: number, type: ScalarSchema, value: unknown): void {
  switch (type.kind) {
    case 'boolean':
      writer.varint(value === true ? 1 : 0)
      writer.tag(number, 0)
      return
    case 'int32':
    case 'int64':
      writer.varint(integer(value))
      writer.tag(number, 0)
      return
    case 'float64':
      writer.double(Number(integer(value)))
      writer.tag(number, 1)
      return
    default:
  }
  const mark = writer.length
  switch (type.kind) {
    case 'bytes':
      writer.bytes(Buffer.from(typeof value === 'string' ? value : '', 'base64'))
      break
    case 'quantity':
      writeText(writer, 1, value === undefined || value === null ? '0' : String(value as string))
      break
    case 'intOrString':
      writeText(writer, 3, typeof value === 'string' ? value : '')
      writer.varint(integer(value))
      writer.tag(2, 0)
      writer.varint(typeof value === 'string' ? 1 : 0)
      writer.tag(1, 0)
      break
    case 'time':
    case 'microTime':
      writeTime(writer, value, type.kind === 'microTime')
      break
    case 'duration':
      writer.varint(nanoseconds(typeof value === 'string' ? value : '0s'))
      writer.tag(1, 0)
      break
    default:
      writer.text(typeof value === 'string' ? value : '')
  }
  writer.close(number, mark)
}

/** Seconds and nanoseconds; nothing at all for Go's zero time. */
function writeTime(writer: Writer, value: unknown, micro: boolean): void {
  if (typeof value !== 'string') return
  const [whole = '', fraction = ''] = value.replace(/Z$/, '').split('.')
  const seconds = Date.parse(`${whole}Z`) / 1000
  writer.varint(micro ? Number(fraction.slice(0, 6).padEnd(6, '0')) * 1000 : 0)
  writer.tag(2, 0)
  writer.varint(seconds)
  writer.tag(1, 0)
}

const unitNanoseconds: Record<string, bigint> = { ns: 1n, us: 1_000n, 'µs': 1_000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n }

/** Go's duration text as nanoseconds. */
function nanoseconds(text: string): bigint {
  let total = 0n
  for (const [, whole = '', fraction = '', unit = 's'] of text.matchAll(/(\d+)(?:\.(\d+))?(ns|us|µs|ms|h|m|s)/g)) {
    const scale = unitNanoseconds[unit] ?? 1n
    total += BigInt(whole) * scale + (fraction === '' ? 0n : BigInt(fraction) * scale / 10n ** BigInt(fraction.length))
  }
  return text.startsWith('-') ? -total : total
}
