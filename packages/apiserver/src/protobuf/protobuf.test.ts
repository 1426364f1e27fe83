import fs from 'node:fs'
import path from 'node:path'
import { decode, normalize, schemaOf, structOf } from '@berth/api'
import type { FieldSchema, ObjectSchema, StructSchema } from '@berth/api'
import { describe, expect, it } from 'vitest'
import { decodeMessage, openEnvelope } from './decode.ts'
import { encodeObject } from './encode.ts'
import { ProtobufError } from './reader.ts'
import { protobufMetadata, protobufMetadataList } from './responses.ts'

const facts = process.env['BERTH_FACTS']
const folder = facts === undefined ? '' : path.join(facts, 'roundtrip')
const present = fs.existsSync(folder)

function schemaOfFile(file: string): ObjectSchema | undefined {
  const [kind = '', version = '', ...group] = file.replace('.pb', '').split('.').reverse()
  return schemaOf({ group: group.reverse().join('.').replace(/^core$/, ''), version, kind })
}

describe('a ConfigMap as kubectl sends it', () => {
  const bytes = Buffer.from('6b3873000a0f0a0276311209436f6e6669674d6170121b0a110a016112001a0022002a00320038004200120 60a01781201311a002200'.replace(' ', ''), 'hex')

  it('names its kind on the envelope', () => {
    expect(openEnvelope(bytes)).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', contentType: '' })
  })

  it('is read into the object that JSON would give', () => {
    const schema = schemaOf({ group: '', version: 'v1', kind: 'ConfigMap' })
    if (!schema) throw new Error('no schema')
    expect(normalize(schema, decodeMessage(schema, openEnvelope(bytes).raw))).toEqual({ metadata: { name: 'a' }, data: { x: '1' } })
  })

  it('is written again in the same bytes', () => {
    const schema = schemaOf({ group: '', version: 'v1', kind: 'ConfigMap' })
    if (!schema) throw new Error('no schema')
    expect(Buffer.from(encodeObject(schema, 'ConfigMap', 'v1', { metadata: { name: 'a' }, data: { x: '1' } })).toString('hex')).toBe(bytes.toString('hex'))
  })

  it('is refused where it is cut short', () => {
    expect(() => openEnvelope(bytes.subarray(0, 30))).toThrow(ProtobufError)
  })

  it('is refused without its four first bytes', () => {
    expect(() => openEnvelope(bytes.subarray(1))).toThrow('does not appear to be a protobuf message')
  })
})

describe.skipIf(!present)(`every field of every kind (${present ? 'facts/roundtrip' : 'skipped: BERTH_FACTS names no folder'})`, () => {
  const files = present ? fs.readdirSync(folder).filter((f) => f.endsWith('.pb') && schemaOfFile(f) !== undefined) : []
  it.each(files)('reads %s as its JSON', (file) => {
    const schema = schemaOfFile(file)
    if (!schema) throw new Error('no schema')
    const envelope = openEnvelope(fs.readFileSync(path.join(folder, file)))
    const want = JSON.parse(fs.readFileSync(path.join(folder, file.replace('.pb', '.json')), 'utf8')) as Record<string, unknown>
    const object = decode(schema, { kind: envelope.kind, apiVersion: envelope.apiVersion, ...decodeMessage(schema, envelope.raw) }, 'strict').object
    expect(normalize(schema, object)).toEqual(want)
  })
  it.each(files)('writes %s from its JSON', (file) => {
    const schema = schemaOfFile(file)
    if (!schema) throw new Error('no schema')
    const recorded = fs.readFileSync(path.join(folder, file))
    const { kind, apiVersion, ...object } = JSON.parse(fs.readFileSync(path.join(folder, file.replace('.pb', '.json')), 'utf8')) as Record<string, unknown>
    expect(Buffer.from(encodeObject(schema, String(kind), String(apiVersion), object)).toString('hex')).toBe(recorded.toString('hex'))
  })
})

describe('bare metadata', () => {
  const metadata = { name: 'a', namespace: 'b', labels: { x: 'y' } }
  const meta = structOf('meta/v1', 'ObjectMeta')
  if (!meta) throw new Error('metadata has a schema')
  const one: StructSchema = { ...meta, name: 'PartialObjectMetadata', fields: new Map([['metadata', { ...fieldOf(schemaOf({ group: '', version: 'v1', kind: 'ConfigMap' }), 'metadata'), number: 1 }]]) }

  it('is written as the metadata of an object without anything else', () => {
    const { kind, apiVersion, raw } = openEnvelope(Buffer.from(protobufMetadata(metadata, 'v1')))
    expect({ kind, apiVersion }).toEqual({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' })
    expect(decodeMessage(one, raw)).toMatchObject({ metadata })
  })

  it('is written as a list', () => {
    const { kind, raw } = openEnvelope(Buffer.from(protobufMetadataList([metadata, { name: 'c' }], { resourceVersion: '7' }, 'v1')))
    expect(kind).toBe('PartialObjectMetadataList')
    for (const item of [metadata, { name: 'c' }]) {
      const message = openEnvelope(Buffer.from(protobufMetadata(item, 'v1'))).raw
      // Field 2, its length, and what the object alone is.
      expect(Buffer.from(raw).includes(Buffer.concat([Buffer.from([0x12, message.length]), message]))).toBe(true)
    }
  })
})

function fieldOf(schema: ObjectSchema | undefined, name: string): FieldSchema {
  const field = schema?.fields.get(name)
  if (!field) throw new Error(`no field ${name}`)
  return field
}
