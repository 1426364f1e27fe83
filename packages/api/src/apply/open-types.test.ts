import { describe, expect, it } from 'vitest'
import { decode } from '../decode/decode.ts'
import { normalize } from '../decode/normalize.ts'
import type { AnySchema, FieldSchema, JsonObject, ObjectSchema, StructSchema, TypeSchema } from '../schema/model.ts'
import { structOf } from '../schema/registry.ts'
import { serverSideApply } from './apply.ts'
import { updateManagedFields } from './update.ts'

// A kind made at run time, as a CustomResourceDefinition would: typed fields beside parts that take any JSON.
function field(name: string, type: TypeSchema): FieldSchema {
  return { name, number: 0, type, pointer: true, always: false, omitZero: false, required: false, patchStrategy: [] }
}
function struct(name: string, fields: FieldSchema[], more: Partial<StructSchema> = {}): StructSchema {
  return { name, home: 'boats.example/v1', goType: name, fields: new Map(fields.map((f) => [f.name, f])), embedded: [], atomic: false, root: false, ...more }
}
const open: AnySchema = { kind: 'any', goType: 'interface {}', objectOnly: false, atomic: false }
const text: TypeSchema = { kind: 'string', goType: 'string' }
const mast = struct('Mast', [field('id', text), field('height', { kind: 'int64', goType: 'int64' })])
const spec = struct('BoatSpec', [
  field('masts', { kind: 'list', goType: '[]Mast', declared: true, listType: 'map', keys: ['id'], item: { kind: 'struct', goType: 'Mast', atomic: false, struct: mast } }),
  field('flags', { kind: 'list', goType: '[]string', declared: true, listType: 'set', keys: [], item: text }),
  field('extra', open),
], { preserveUnknown: true })
const meta = structOf('meta/v1', 'ObjectMeta')
if (!meta) throw new Error('no ObjectMeta')
const boat: ObjectSchema = {
  ...struct('Boat', [field('kind', text), field('apiVersion', text), field('metadata', { kind: 'struct', goType: 'v1.ObjectMeta', atomic: false, struct: meta }), field('spec', { kind: 'struct', goType: 'BoatSpec', atomic: false, struct: spec })], { root: true }),
  group: 'boats.example', version: 'v1', kind: 'Boat',
}
const object = { kind: 'Boat', apiVersion: 'boats.example/v1', metadata: { name: 'b' }, spec: { masts: [{ id: 'a', height: 0 }], flags: ['x'], extra: { deep: { er: 1 }, list: [1, 2] }, anything: { goes: true } } }
const options = { schema: boat, apiVersion: 'boats.example/v1', subresource: '', time: '2026-01-01T00:00:00Z' }
const fields = (o: unknown): unknown => (o as { metadata: { managedFields: Array<{ fieldsV1: unknown }> } }).metadata.managedFields.map((m) => m.fieldsV1)

describe('a kind with open parts', () => {
  it('keeps unknown fields where it is open, zero values and all', () => {
    const { object: decoded, problems } = decode(boat, { ...object, more: 1 }, 'warn')
    expect(problems).toEqual(['unknown field "more"'])
    expect(normalize(boat, decoded)).toEqual(object)
  })

  it('is owned field by field as far as its content tells, lists as one value', () => {
    expect(fields(updateManagedFields({ ...options, live: undefined, newObject: object, manager: 'm' }))).toEqual([{
      'f:spec': {
        '.': {}, 'f:anything': { '.': {}, 'f:goes': {} }, 'f:extra': { '.': {}, 'f:deep': { '.': {}, 'f:er': {} }, 'f:list': {} },
        'f:flags': { '.': {}, 'v:"x"': {} }, 'f:masts': { '.': {}, 'k:{"id":"a"}': { '.': {}, 'f:height': {}, 'f:id': {} } },
      },
    }])
  })

  it('merges sets, keyed lists and open maps of two appliers, and takes one part out again', () => {
    const apply = (live: JsonObject | undefined, spec: object, manager: string): JsonObject => {
      const { object: merged, conflicts } = serverSideApply({ ...options, live: live && { ...live, metadata: { ...(live['metadata'] as JsonObject), uid: 'u' } }, applied: { ...object, spec }, manager, force: false })
      expect(conflicts).toBeUndefined()
      return merged
    }
    const one = apply(undefined, { flags: ['x'], masts: [{ id: 'a' }], extra: { one: 1 } }, 'one')
    const two = apply(one, { flags: ['y', 'x'], masts: [{ id: 'b', height: 2 }], extra: { two: { deep: 2 } } }, 'two')
    expect(two['spec']).toEqual({ flags: ['y', 'x'], masts: [{ id: 'a' }, { id: 'b', height: 2 }], extra: { one: 1, two: { deep: 2 } } })
    expect(apply(two, { flags: ['x'] }, 'one')['spec']).toEqual({ flags: ['y', 'x'], masts: [{ id: 'b', height: 2 }], extra: { two: { deep: 2 } } })
    expect(apply(two, {}, 'two')['spec']).toEqual({ flags: ['x'], masts: [{ id: 'a' }], extra: { one: 1 } })
  })
})
