import { describe, expect, it } from 'vitest'
import { decode } from '../decode/decode.ts'
import { normalize } from '../decode/normalize.ts'
import { parseJson } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import { clone, equal } from '../json/values.ts'
import type { Json, JsonObject, ObjectSchema, StructSchema, TypeSchema } from '../schema/model.ts'
import { schemaOf } from '../schema/registry.ts'
import { serverSideApply } from './apply.ts'
import { applyDefaults } from '../defaults/index.ts'
import { compare } from './compare.ts'
import { FieldSet } from './field-set.ts'
import { mergeTyped } from './merge.ts'
import { toFieldSet } from './to-set.ts'
import { updateManagedFields } from './update.ts'

/** Numbers out of a seed, so that a failure can be seen again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Random objects of a type: few field names deep, short lists, items that can be told apart. */
class Maker {
  readonly #next: (below: number) => number
  #serial = 0

  constructor(seed: number) {
    this.#next = random(seed)
  }

  struct(schema: StructSchema, depth: number): JsonObject {
    const out: JsonObject = {}
    for (const field of schema.fields.values()) {
      if (field.name === 'managedFields' || field.name === 'apiVersion' || field.name === 'kind') continue
      if (field.required || this.#next(depth > 3 ? 5 : 3) === 0) {
        const value = this.value(field.type, depth)
        if (value !== undefined) out[field.name] = value
      }
    }
    return out
  }

  value(type: TypeSchema, depth: number): Json | undefined {
    switch (type.kind) {
      case 'string': return type.enum?.[this.#next(type.enum.length)] ?? `s${this.#serial++}`
      case 'boolean': return this.#next(2) === 0
      case 'int32':
      case 'int64': return this.#serial++
      case 'float64': return 0.5
      case 'bytes': return 'YWJj'
      case 'time': return '2026-01-02T03:04:05Z'
      case 'microTime': return '2026-01-02T03:04:05.000006Z'
      case 'duration': return '1m0s'
      case 'quantity': return `${this.#next(9) + 1}Gi`
      case 'intOrString': return this.#next(2) === 0 ? this.#serial++ : '25%'
      case 'any': return { a: this.#serial++ }
      case 'union': return undefined
      case 'struct': return depth > 7 ? {} : this.struct(type.struct, depth + 1)
      case 'map': return Object.fromEntries(Array.from({ length: 1 + this.#next(2) }, (_, i) => [`k${i}`, this.value(type.value, depth + 1) ?? null]))
      case 'list': {
        const items = Array.from({ length: 1 + this.#next(2) }, () => this.value(type.item, depth + 1) ?? null)
        // Keys of a keyed list are always set, and differ.
        if (type.listType === 'map') for (const item of items) for (const key of type.keys) if (type.item.kind === 'struct') (item as JsonObject)[key] = this.value(type.item.struct.fields.get(key)?.type ?? type.item, 9) ?? null
        return items
      }
    }
  }
}

const kinds: Array<[string, string, string]> = [['', 'v1', 'Pod'], ['', 'v1', 'Service'], ['', 'v1', 'Node'], ['', 'v1', 'ConfigMap'], ['apps', 'v1', 'Deployment'], ['networking.k8s.io', 'v1', 'Ingress'], ['discovery.k8s.io', 'v1', 'EndpointSlice'], ['rbac.authorization.k8s.io', 'v1', 'ClusterRole'], ['resource.k8s.io', 'v1', 'ResourceClaim']]
const cases = kinds.flatMap(([group, version, kind]) => [1, 2, 3].map((seed) => ({ group, version, kind, seed })))

function made({ group, version, kind, seed }: (typeof cases)[number]): { schema: ObjectSchema; object: JsonObject; other: JsonObject; apiVersion: string } {
  const schema = schemaOf({ group, version, kind })
  if (!schema) throw new Error(`no schema of ${kind}`)
  const apiVersion = group === '' ? version : `${group}/${version}`
  const one = (s: number): JsonObject => ({ kind, apiVersion, ...decode(schema, new Maker(s).struct(schema, 0), 'strict').object })
  return { schema, object: one(seed), other: one(seed + 1000), apiVersion }
}

describe.each(cases)('$kind, made from seed $seed', (which) => {
  const { schema, object, other, apiVersion } = made(which)
  const shaped = normalize(schema, object)
  const time = '2026-01-01T00:00:00Z'

  it('comes back from JSON, decoding and shaping as it was', () => {
    expect(parseJson(stringifyJson(shaped)).value).toEqual(shaped)
    expect(normalize(schema, shaped)).toEqual(shaped)
    expect(normalize(schema, decode(schema, shaped, 'strict').object)).toEqual(shaped)
  })

  it('does not differ from itself, and merges with itself to itself', () => {
    const { added, modified, removed } = compare(schema, shaped, shaped)
    expect([added, modified, removed].map((s) => s.empty)).toEqual([true, true, true])
    expect(mergeTyped(schema, shaped, clone(shaped))).toEqual(shaped)
  })

  it('has sets that survive being written', () => {
    const set = toFieldSet(schema, object)
    expect(FieldSet.fromFields(JSON.parse(JSON.stringify(set.toFields()))).toFields()).toEqual(set.toFields())
    const differences = compare(schema, shaped, normalize(schema, other))
    for (const s of [differences.added, differences.modified, differences.removed]) expect(FieldSet.fromFields(s.toFields()).toFields()).toEqual(s.toFields())
    expect(set.difference(set).empty).toBe(true)
    expect(set.union(set).toFields()).toEqual(set.toFields())
    expect(set.intersection(set).toFields()).toEqual(set.toFields())
  })

  it('keeps its managers in an update that changes nothing', () => {
    const created = updateManagedFields({ schema, live: undefined, newObject: object, manager: 'a', apiVersion, subresource: '', time })
    const again = updateManagedFields({ schema, live: { ...created, metadata: { ...(created['metadata'] as JsonObject), uid: 'u' } }, newObject: created, manager: 'b', apiVersion, subresource: '', time: '2026-01-01T00:00:09Z' })
    expect((again['metadata'] as JsonObject)['managedFields']).toEqual((created['metadata'] as JsonObject)['managedFields'])
  })

  it('is what was applied, does not change when applied again, and is gone when nothing is applied', () => {
    const configuration: JsonObject = { ...object, metadata: { name: 'a', labels: { x: 'y' } } }
    const options = { schema, manager: 'm', force: false, apiVersion, subresource: '', time }
    const first = serverSideApply({ ...options, live: undefined, applied: configuration })
    expect(first.conflicts).toBeUndefined()
    const expected = clone({ ...configuration, metadata: {} })
    applyDefaults(schema, expected)
    const { metadata, ...rest } = first.object
    expect(normalize(schema, { ...rest, metadata: {} } as JsonObject)).toEqual(normalize(schema, decode(schema, expected, 'strict').object))
    const stored = { ...first.object, metadata: { ...(metadata as JsonObject), uid: 'u' } }
    const again = serverSideApply({ ...options, live: stored, applied: configuration, time: '2026-01-01T00:00:09Z' }).object
    expect(normalize(schema, again)).toEqual(normalize(schema, stored))
    const emptied = serverSideApply({ ...options, live: stored, applied: { kind: which.kind, apiVersion, metadata: { name: 'a' } } }).object
    expect(emptied['metadata']).toEqual({ name: 'a', uid: 'u' })
    if (!equal(normalize(schema, expected), normalize(schema, { ...configuration, metadata: {} }))) return
    // Nothing was defaulted, so nothing may be left.
    expect(normalize(schema, { ...emptied, metadata: {} })).toEqual(normalize(schema, { kind: which.kind, apiVersion, metadata: {} }))
  })
})
