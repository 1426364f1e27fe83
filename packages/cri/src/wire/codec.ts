import type { EnumDescriptor, FieldDescriptor, MessageDescriptor, TypeDescriptor } from '../descriptor/descriptor.ts'
import { jsonName } from '../descriptor/names.ts'
import { Reader } from './reader.ts'
import { type Scalar, scalars } from './scalars.ts'
import { WireError } from './wire-error.ts'
import { Writer } from './writer.ts'

type Message = Record<string, unknown>

/** How deep messages may be nested in what is read; CRI needs five. */
const maxDepth = 32

interface Field {
  name: string
  number: number
  kind: 'one' | 'repeated' | 'map'
  /** Set for scalars and enumerations, else `message` is. */
  scalar?: Scalar
  message?: MessageCodec
}

/**
 * Codec of one message type, built from its descriptor. Decoded messages have every field but absent messages; what the bytes do not say is
 * protobuf's default. An enumeration is the name of its value; a number that has no name (from a newer peer) stays a number.
 */
export class MessageCodec {
  readonly typeName: string
  private readonly fields: Field[] = []
  private readonly byNumber = new Map<number, Field>()

  constructor(typeName: string) {
    this.typeName = typeName
  }

  /** @internal Filled in after all codecs exist, since messages refer to each other. Fields are written in the order of their numbers. */
  define(field: Field): void {
    this.fields.push(field)
    this.fields.sort((left, right) => left.number - right.number)
    this.byNumber.set(field.number, field)
  }

  /** The message in these bytes. Throws WireError. */
  decode(bytes: Uint8Array): Message {
    try {
      return this.read(new Reader(bytes), 0)
    } catch (error) {
      if (error instanceof WireError) throw new WireError(`not a ${this.typeName}: ${error.message}`, { cause: error })
      throw error
    }
  }

  /** The bytes of a message of which any field may be left out. Throws WireError, naming the field, on a value of a wrong type. */
  encode(message: object): Buffer {
    const writer = new Writer()
    this.write(writer, message as Message)
    return writer.finish()
  }

  private empty(): Message {
    const message: Message = {}
    for (const field of this.fields) {
      if (field.kind === 'repeated') message[field.name] = []
      else if (field.kind === 'map') message[field.name] = {}
      else if (field.scalar) message[field.name] = field.scalar.zero
    }
    return message
  }

  private read(reader: Reader, depth: number): Message {
    if (depth > maxDepth) throw new WireError('nested too deeply')
    const message = this.empty()
    while (!reader.done) {
      const { number, wireType } = reader.key()
      const field = this.byNumber.get(number)
      if (!field) reader.skip(wireType)
      else this.readField(reader, message, field, wireType, depth)
    }
    return message
  }

  private readField(reader: Reader, message: Message, field: Field, wireType: number, depth: number): void {
    if (field.kind === 'map') {
      expectWireType(field, wireType, 2)
      const [key, value] = readEntry(reader.message(), field)
      const map = message[field.name] as Record<string, unknown>
      // This one name is no plain property when it is assigned.
      if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
      else map[key] = value
    } else if (field.message) {
      expectWireType(field, wireType, 2)
      const value = field.message.read(reader.message(), depth + 1)
      if (field.kind === 'repeated') (message[field.name] as unknown[]).push(value)
      else message[field.name] = value
    } else if (field.scalar) {
      const { scalar } = field
      if (field.kind === 'one') {
        expectWireType(field, wireType, scalar.wireType)
        message[field.name] = scalar.read(reader)
      } else if (wireType === 2 && scalar.wireType !== 2) {
        const packed = reader.message()
        while (!packed.done) (message[field.name] as unknown[]).push(scalar.read(packed))
      } else {
        expectWireType(field, wireType, scalar.wireType)
        ;(message[field.name] as unknown[]).push(scalar.read(reader))
      }
    }
  }

  private write(writer: Writer, message: Message): void {
    for (const field of this.fields) {
      const value = message[field.name]
      if (value === undefined || value === null) continue
      try {
        writeField(writer, field, value)
      } catch (error) {
        if (error instanceof WireError) throw new WireError(`${this.typeName}.${field.name}: ${error.message}`, { cause: error })
        throw error
      }
    }
  }

  /** @internal Writes one nested message without its key. */
  writeNested(writer: Writer, value: unknown): void {
    if (typeof value !== 'object' || value === null) throw new WireError(`expected a ${this.typeName}`)
    writer.message(() => this.write(writer, value as Message))
  }
}

function expectWireType(field: Field, actual: number, expected: number): void {
  if (actual !== expected) throw new WireError(`${field.name} has wire type ${actual}`)
}

/** Maps of CRI all go from string to string. */
function readEntry(reader: Reader, field: Field): [string, string] {
  let key = ''
  let value = ''
  while (!reader.done) {
    const entry = reader.key()
    if (entry.number > 2) reader.skip(entry.wireType)
    else {
      expectWireType(field, entry.wireType, 2)
      if (entry.number === 1) key = reader.string()
      else value = reader.string()
    }
  }
  return [key, value]
}

function writeField(writer: Writer, field: Field, value: unknown): void {
  const { scalar, message } = field
  if (field.kind === 'map') {
    for (const [key, entry] of Object.entries(value as Record<string, unknown>)) {
      if (typeof entry !== 'string') throw new WireError(`["${key}"]: expected a string`)
      writer.key(field.number, 2)
      writer.message(() => {
        writer.key(1, 2)
        writer.string(key)
        writer.key(2, 2)
        writer.string(entry)
      })
    }
  } else if (field.kind === 'repeated') {
    if (!Array.isArray(value)) throw new WireError('expected a list')
    if (value.length === 0) return
    if (scalar && scalar.wireType !== 2) {
      writer.key(field.number, 2)
      writer.message(() => value.forEach((item) => scalar.write(writer, item)))
      return
    }
    for (const item of value) {
      writer.key(field.number, 2)
      if (scalar) scalar.write(writer, item)
      else message?.writeNested(writer, item)
    }
  } else if (message) {
    writer.key(field.number, 2)
    message.writeNested(writer, value)
  } else if (scalar && !scalar.isZero(value)) {
    writer.key(field.number, scalar.wireType)
    scalar.write(writer, value)
  }
}

/** The codecs of all messages among these declarations, by the message's name. */
export function buildCodecs(declarations: ReadonlyMap<string, TypeDescriptor>): ReadonlyMap<string, MessageCodec> {
  const codecs = new Map<string, MessageCodec>()
  const messages: [MessageCodec, MessageDescriptor][] = []
  const enums = new Map<string, Scalar>()
  for (const [name, declaration] of declarations) {
    if ('values' in declaration) enums.set(name, enumScalar(name, declaration))
    if (!('fields' in declaration)) continue
    const codec = new MessageCodec(name)
    codecs.set(name, codec)
    messages.push([codec, declaration])
  }
  for (const [codec, descriptor] of messages) {
    for (const [name, field] of Object.entries(descriptor.fields)) codec.define(buildField(name, field, codecs, enums))
  }
  return codecs
}

function buildField(name: string, descriptor: FieldDescriptor, codecs: ReadonlyMap<string, MessageCodec>, enums: ReadonlyMap<string, Scalar>): Field {
  const field: Field = { name: jsonName(name), number: descriptor.id, kind: descriptor.keyType ? 'map' : descriptor.rule === 'repeated' ? 'repeated' : 'one' }
  const scalar = scalars[descriptor.type] ?? enums.get(descriptor.type)
  const message = codecs.get(descriptor.type)
  if (scalar) field.scalar = scalar
  else if (message) field.message = message
  else throw new Error(`descriptor: field ${name} has the unknown type ${descriptor.type}`)
  return field
}

function enumScalar(typeName: string, descriptor: EnumDescriptor): Scalar {
  const names = new Map(Object.entries(descriptor.values).map(([name, number]) => [number, name]))
  const zero = names.get(0)
  const numberOf = (value: unknown): number => {
    if (typeof value === 'number') return value
    const number = descriptor.values[value as string]
    if (number === undefined) throw new WireError(`${String(value)} is no ${typeName}`)
    return number
  }
  return {
    wireType: 0,
    zero,
    read: (reader) => {
      const number = reader.int32()
      return names.get(number) ?? number
    },
    write: (writer, value) => writer.int32(numberOf(value)),
    isZero: (value) => value === zero || value === 0,
  }
}
