import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../schema/model.ts'
import { fieldErrorMessage } from '../validation/index.ts'
import { applySchemaDefaults, customTable, objectSchemaOf, parseJsonPath, prune, structuralOf, validateValue } from './index.ts'
import { serverSideApply } from '../apply/index.ts'

const schema = (properties: JsonObject, more: JsonObject = {}): ReturnType<typeof structuralOf> => structuralOf({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } })

describe('pruning', () => {
  const structural = schema({ a: { type: 'string' }, list: { type: 'array', items: { type: 'object', properties: { x: { type: 'integer' } } } }, map: { type: 'object', additionalProperties: { type: 'object', properties: { y: { type: 'string' } } } }, raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { z: { type: 'object' } } }, embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} } })
  test.each<[string, Json, Json, string[]]>([
    ['unknown fields go, wherever they are', { spec: { a: '1', b: 1, list: [{ x: 1, w: 2 }], map: { k: { y: '', q: 1 } } }, other: 1 }, { spec: { a: '1', list: [{ x: 1 }], map: { k: { y: '' } } } }, ['spec.b', 'spec.list[0].w', 'spec.map.k.q', 'other']],
    ['what is to be preserved stays, but for parts with a schema', { spec: { raw: { anything: [1], z: { gone: 1 } } } }, { spec: { raw: { anything: [1], z: {} } } }, ['spec.raw.z.gone']],
    ['an embedded resource has a kind and metadata', { spec: { embedded: { apiVersion: 'v1', kind: 'X', metadata: { name: 'n' }, spec: {} } } }, { spec: { embedded: { apiVersion: 'v1', kind: 'X', metadata: { name: 'n' } } } }, ['spec.embedded.spec']],
    ['a wrong type is left to validation', { spec: { list: 'text', a: { deep: 1 } } }, { spec: { list: 'text', a: {} } }, ['spec.a.deep']],
  ])('%s', (_, given, wanted, gone) => {
    const reported: string[] = []
    expect(prune(structural, given, (path) => reported.push(path))).toEqual(wanted)
    expect(reported).toEqual(gone)
  })
})

test('defaults come where a value is missing, or null though it may not be, and into what defaults bring', () => {
  const structural = schema({ n: { type: 'integer', default: 3 }, may: { type: 'string', nullable: true, default: 'x' }, deep: { type: 'object', default: {}, properties: { on: { type: 'boolean', default: true } } }, items: { type: 'array', items: { type: 'object', properties: { p: { type: 'string', default: 'TCP' } } } }, gone: { type: 'string' } })
  const object: Json = { spec: { n: null, may: null, items: [{}, { p: 'UDP' }], gone: null } }
  applySchemaDefaults(structural, object)
  expect(object).toEqual({ spec: { n: 3, may: null, deep: { on: true }, items: [{ p: 'TCP' }, { p: 'UDP' }] } })
})

describe('validation, in upstream\'s words', () => {
  test.each<[JsonObject, Json, string[]]>([
    [{ type: 'integer' }, 'x', ['spec.v: Invalid value: "string": spec.v in body must be of type integer: "string"']],
    [{ type: 'integer' }, 1.5, ['spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"']],
    [{ type: 'number' }, 1, []],
    [{ type: 'integer', minimum: 1 }, 0, ['spec.v: Invalid value: 0: spec.v in body should be greater than or equal to 1']],
    [{ type: 'integer', maximum: 5, exclusiveMaximum: true }, 5, ['spec.v: Invalid value: 5: spec.v in body should be less than 5']],
    [{ type: 'integer', multipleOf: 2 }, 3, ['spec.v: Invalid value: 3: spec.v in body should be a multiple of 2']],
    [{ type: 'string', enum: ['a', 'b'] }, 'z', ['spec.v: Unsupported value: "z": supported values: "a", "b"']],
    [{ type: 'string', minLength: 3 }, 'ab', ['spec.v: Invalid value: "ab": spec.v in body should be at least 3 chars long']],
    [{ type: 'string', maxLength: 2 }, 'abc', ['spec.v: Too long: may not be more than 2 bytes']],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'A1', ['spec.v: Invalid value: "A1": spec.v in body should match \'^[a-z]+$\'']],
    [{ type: 'string', format: 'date-time' }, 'yesterday', ['spec.v: Invalid value: "yesterday": spec.v in body must be of type date-time: "yesterday"']],
    [{ type: 'string', format: 'made-up' }, 'x', []],
    [{ 'x-kubernetes-int-or-string': true }, '50%', []],
    [{ 'x-kubernetes-int-or-string': true }, true, ['spec.v: Invalid value: "boolean": spec.v in body must be of type integer,string: "boolean"']],
    [{ type: 'array', items: { type: 'string' }, maxItems: 1 }, ['a', 1], ['spec.v: Too many: 2: must have at most 1 items', 'spec.v[1]: Invalid value: "integer": spec.v[1] in body must be of type string: "integer"']],
    [{ type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' }, ['a', 'b', 'a'], ['spec.v[2]: Duplicate value: "a"']],
    [{ type: 'array', items: { type: 'object', properties: { n: { type: 'string' }, p: { type: 'string', default: 'TCP' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['n', 'p'] }, [{ n: 'a' }, { n: 'a', p: 'TCP' }], ['spec.v[1]: Duplicate value: {"n":"a","p":"TCP"}']],
    [{ type: 'object', required: ['x'], properties: { x: { type: 'string' } } }, {}, ['spec.v.x: Required value']],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, { k: 'x' }, ['spec.v.k: Invalid value: "string": spec.v.k in body must be of type integer: "string"']],
    [{ type: 'string', nullable: true }, null, []],
    [{ type: 'object', anyOf: [{ required: ['x'] }, { required: ['y'] }], properties: { x: { type: 'string' }, y: { type: 'string' } } }, {}, ['spec.v: Invalid value: "": "spec.v" must validate at least one schema (anyOf)', 'spec.v.x: Required value']],
    [{ type: 'object', oneOf: [{ required: ['x'] }, { required: ['y'] }], properties: { x: { type: 'string' }, y: { type: 'string' } } }, { x: '', y: '' }, ['spec.v: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found 2 valid alternatives']],
    [{ type: 'object', not: { required: ['x'] }, properties: { x: { type: 'string' } } }, { x: '' }, ['spec.v: Invalid value: "": "spec.v" must not validate the schema (not)']],
  ])('%o holds %o to its rules', (v, value, wanted) => {
    expect(validateValue(schema({ v }), { spec: { v: value } }).map(fieldErrorMessage)).toEqual(wanted)
  })
})

test.each<[string, Json[]]>([
  ['.spec.a', [1]], ['{.spec.a}', [1]], ['$.spec.none', []], ['.spec.labels.a\\.b/c', ['dot']], ["['spec'].a", [1]], ['.spec.list[0].n', ['x']], ['.spec.list[-1].n', ['y']], ['.spec.list[*].n', ['x', 'y']],
  ['.spec.list[?(@.n=="y")].v', [2]], ['.spec.list[?(@.v>1)].n', ['y']], ['.spec.list[0:1].n', ['x']], ['..n', ['x', 'y']], ['.spec.list[?(@.z)].n', []],
])('JSONPath %s', (path, wanted) => {
  expect(parseJsonPath(path)({ spec: { a: 1, labels: { 'a.b/c': 'dot' }, list: [{ n: 'x', v: 1 }, { n: 'y', v: 2 }] } })).toEqual(wanted)
})

test.each(['.spec[', '.spec.list[?(x)]', 'spec'])('a JSONPath that cannot be read is an error: %s', (path) => {
  expect(() => parseJsonPath(path)).toThrow()
})

test('columns: values of their types, age in rough words, nothing for what is of another type', () => {
  const table = customTable([{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }, { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' }, { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' }, { name: 'Flag', type: 'boolean', jsonPath: '.spec.size', priority: 1 }])
  expect(table.columns.map(({ name, type, priority }) => [name, type, priority])).toEqual([['Name', 'string', 0], ['Size', 'integer', 0], ['Ready', 'string', 0], ['Since', 'date', 0], ['Flag', 'boolean', 1]])
  const object = { metadata: { name: 'w', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { size: 3 }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }
  expect(table.cells(object, new Date('2026-01-01T00:01:05Z'))).toEqual(['w', 3, 'True', '65s', null])
  expect(customTable(undefined).columns.map(({ name }) => name)).toEqual(['Name', 'Age'])
})

test('server-side apply merges lists by the keys that the schema gives', () => {
  const structural = schema({ ports: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } } } })
  const objectSchema = objectSchemaOf({ group: 'example.com', version: 'v1', kind: 'Widget' }, structural)
  const apply = (live: JsonObject | undefined, manager: string, ports: Json): JsonObject => serverSideApply({ schema: objectSchema, live, applied: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { ports } }, manager, force: false, apiVersion: 'example.com/v1', subresource: '', resetFields: [], time: '2026-01-01T00:00:00Z' }).object as JsonObject
  const merged = apply(apply(undefined, 'a', [{ name: 'http', port: 80 }]), 'b', [{ name: 'https', port: 443 }])
  expect((merged['spec'] as JsonObject)['ports']).toEqual([{ name: 'http', port: 80 }, { name: 'https', port: 443 }])
})
