import { describe, expect, test } from 'vitest'
import { fieldErrorMessage } from '@berth/api'
import type { Json, JsonObject } from '@berth/api'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import type { ApiObject } from '../interfaces.ts'
import { celRules } from './cel-rules.ts'
import { definitionsOf } from './definition.ts'
import { acceptNames, statusOf, takenNames } from './names.ts'
import { customRules } from './rules.ts'

const spec = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } })
const run = (schema: JsonObject, now: Json, old?: Json): string[] => (celRules(schema)?.({ spec: now } as unknown as ApiObject, old === undefined ? undefined : ({ spec: old } as unknown as ApiObject)) ?? []).map(fieldErrorMessage)

describe('CEL rules', () => {
  const bounded = spec({ min: { type: 'integer' }, max: { type: 'integer' } }, { 'x-kubernetes-validations': [{ rule: 'self.min <= self.max', message: 'min must not be above max' }] })
  test('a rule that does not hold refuses with its message, at its place', () => {
    expect(run(bounded, { min: 1, max: 2 })).toEqual([])
    expect(run(bounded, { min: 3, max: 2 })).toEqual(['spec: Invalid value: "object": min must not be above max'])
  })
  test.each<[JsonObject, string]>([
    [{ rule: 'self.min <= self.max' }, 'spec: Invalid value: "object": failed rule: self.min <= self.max'],
    [{ rule: 'self.min <= self.max', messageExpression: '"min is " + string(self.min)', message: 'x' }, 'spec: Invalid value: "object": min is 3'],
    [{ rule: 'self.min <= self.max', message: 'm', fieldPath: '.min', reason: 'FieldValueForbidden' }, 'spec.min: Forbidden: m'],
  ])('%o', (rule, message) => {
    expect(run(spec({ min: { type: 'integer' }, max: { type: 'integer' } }, { 'x-kubernetes-validations': [rule] }), { min: 3, max: 2 })).toEqual([message])
  })
  test('a rule on what was before runs on updates alone, and finds the item of a map list by its key', () => {
    const schema = spec({ ports: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'immutable' }] } } } } })
    const ports = (...list: [string, number][]): Json => ({ ports: list.map(([name, port]) => ({ name, port })) })
    expect(run(schema, ports(['a', 1]))).toEqual([])
    expect(run(schema, ports(['b', 2], ['a', 1]), ports(['a', 1]))).toEqual([])
    expect(run(schema, ports(['b', 2], ['a', 5]), ports(['a', 1]))).toEqual(['spec.ports[1].port: Invalid value: "integer": immutable'])
  })
  test('a rule that costs too much is stopped', () => {
    const schema = spec({ list: { type: 'array', items: { type: 'string' } } }, { 'x-kubernetes-validations': [{ rule: 'self.list.all(a, self.list.all(b, self.list.all(c, a != b || b != c || a == c)))' }] })
    expect(run(schema, { list: Array.from({ length: 200 }, (_, i) => `s${i}`) })).toEqual([expect.stringContaining('call cost exceeds limit for rule')])
  })
})

const crd = (name: string, over: Partial<CustomResourceDefinition['spec']> = {}, status?: CustomResourceDefinition['status']): CustomResourceDefinition => ({
  metadata: { name: `${name}s.example.com` },
  spec: { group: 'example.com', scope: 'Namespaced', names: { plural: `${name}s`, kind: name[0]!.toUpperCase() + name.slice(1), shortNames: [name[0]!] }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }], ...over },
  ...(status ? { status } : {}),
})

describe('names', () => {
  test('what nobody has is accepted, and the definition is established', () => {
    const status = statusOf(crd('widget'), [], '2026-01-01T00:00:00Z')
    expect(status).toMatchObject({ acceptedNames: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['w'] }, storedVersions: ['v1'], conditions: [{ type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' }, { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' }] })
    expect(statusOf(crd('widget', {}, status), [], '2026-02-01T00:00:00Z')).toEqual(status)
  })
  test('a name that another definition has is refused by reason, and nothing is established', () => {
    const other = crd('wheel', {}, statusOf(crd('wheel'), [], ''))
    const { condition, names } = acceptNames(crd('widget'), takenNames([other]))
    expect([condition, names.shortNames]).toEqual([{ status: 'False', reason: 'ShortNamesConflict', message: '"w" is already in use' }, undefined])
    expect(statusOf(crd('widget'), [other], 'now').conditions?.[1]).toMatchObject({ type: 'Established', status: 'False', reason: 'NotAccepted' })
  })
})

describe('approval', () => {
  test.each<[string, Record<string, string>, unknown[]]>([
    ['gateway.networking.k8s.io', { 'api-approved.kubernetes.io': 'https://a.b/c' }, [{ type: 'KubernetesAPIApprovalPolicyConformant', status: 'True', reason: 'ApprovedAnnotation', message: 'approved in https://a.b/c' }]],
    ['x.kubernetes.io', { 'api-approved.kubernetes.io': 'unapproved, experimental-only' }, [{ status: 'False', reason: 'UnapprovedAnnotation', message: 'not approved: "unapproved, experimental-only"' }]],
    ['x.k8s.io', {}, [{ status: 'False', reason: 'MissingAnnotation' }]],
    ['example.com', {}, []],
  ])('a definition of %s with %o', (group, annotations, expected) => {
    const one = crd('widget', { group })
    const { conditions = [] } = statusOf({ ...one, metadata: { ...one.metadata, annotations } }, [], 'now')
    expect(conditions.map(({ type }) => type).slice(0, 2)).toEqual(['NamesAccepted', 'Established'])
    expect(conditions.slice(2)).toMatchObject(expected)
    expect(conditions).toHaveLength(2 + expected.length)
  })
})

describe('definitions', () => {
  const two = crd('widget', { versions: [
    { name: 'v1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } }, deprecated: true },
    { name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: spec({ size: { type: 'integer' } }) }, subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' } }, selectableFields: [{ jsonPath: '.spec.size' }] },
  ] })
  const { stored, views } = definitionsOf(two, { ...two.spec.names, singular: 'widget', listKind: 'WidgetList' }, celRules)
  test('other versions are views of the stored one under their own apiVersion', () => {
    expect([stored.resource.version, views.map(({ resource }) => resource.version)]).toEqual(['v2', ['v1']])
    expect(views[0]?.view?.fromStored({ apiVersion: 'example.com/v2', kind: 'Widget', metadata: { name: 'a' }, spec: { size: 1 } })).toMatchObject({ apiVersion: 'example.com/v1', spec: { size: 1 } })
    expect(views[0]?.deprecation).toBe('example.com/v1 Widget is deprecated')
  })
  test('status is kept from the main resource, and the generation grows with everything else', () => {
    const old: ApiObject = { metadata: { name: 'a', generation: 1 }, spec: { size: 1 }, status: { size: 1 } }
    const change = (spec: unknown, status: unknown): ApiObject => {
      const object: ApiObject = { metadata: { name: 'a', generation: 1 }, spec, status }
      stored.prepareForUpdate?.(object, old, undefined as never)
      return object
    }
    expect(change({ size: 2 }, { size: 9 })).toMatchObject({ metadata: { generation: 2 }, status: { size: 1 } })
    expect(change({ size: 1 }, { size: 9 })).toMatchObject({ metadata: { generation: 1 } })
  })
  test('scale reads and writes by the paths that the definition gives', () => {
    const scale = stored.subresources?.['scale']
    if (scale?.type !== 'projection') throw new Error('no scale')
    const parent: ApiObject = { metadata: { name: 'a' }, spec: { size: 3 }, status: { size: 2, selector: 'app=a' } }
    const projected = scale.project(parent)
    expect(projected).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, status: { replicas: 2, selector: 'app=a' } })
    scale.writeBack({ ...projected, spec: { replicas: 7 } }, parent)
    expect(parent['spec']).toEqual({ size: 7 })
    expect(stored.fieldLabels?.['spec.size']?.(parent)).toBe('7')
  })
})

describe('an object', () => {
  const schema = spec({ a: { type: 'string', enum: ['x'] }, p: { type: 'string', pattern: '^p' }, n: { type: 'integer' }, l: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 5 } }, 'x-kubernetes-validations': [{ rule: 'self.v != 3', message: 'no threes' }] } } }, {
    'x-kubernetes-validations': [{ rule: '!has(self.n) || self.n < 10', message: 'too large' }, { rule: '!has(oldSelf.n) || self.n == oldSelf.n', message: 'n stays' }],
  })
  const rules = customRules({ gvk: { group: 'example.com', version: 'v1', kind: 'Widget' }, namespaced: true, schema, columns: undefined, hasStatus: false }, celRules(schema))
  const widget = (of: Json): ApiObject => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'd', resourceVersion: '1' }, spec: of }) as unknown as ApiObject
  const options = { allowPrivileged: false }
  const left = '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

  test.each<[string, Json, string[]]>([
    ['of the wrong form is not held to expressions, and told so', { a: 'y', n: 20 }, ['spec.a: Unsupported value: "y": supported values: "x"', left]],
    ['of the right form with a wrong value is held to them too', { p: 'q', n: 20 }, ["spec.p: Invalid value: \"q\": spec.p in body should match '^p'", 'spec: Invalid value: "object": too large']],
  ])('%s', (_, given, wanted) => {
    expect(rules.validateCreate(widget(given), options).map(fieldErrorMessage)).toEqual(wanted)
  })

  test.each<[string, Json, Json, string[]]>([
    ['a wrong value that stays is let be', { a: 'y', p: 'p1' }, { a: 'y', p: 'p2' }, []],
    ['a wrong value that changes is not', { a: 'y' }, { a: 'z' }, ['spec.a: Unsupported value: "z": supported values: "x"', left]],
    ['what breaks a rule and stays is let be, but not what the rule of its parent says', { n: 20, p: 'p1' }, { n: 20, p: 'p2' }, ['spec: Invalid value: "object": too large']],
    ['a rule about what was before always holds', { n: 20 }, { n: 21 }, ['spec: Invalid value: "object": too large', 'spec: Invalid value: "object": n stays']],
    ['an item of a list with keys is known again where it has moved', { l: [{ k: 'a', v: 9 }, { k: 'b', v: 3 }] }, { l: [{ k: 'b', v: 3 }, { k: 'a', v: 9 }, { k: 'c', v: 1 }] }, []],
    ['an item that changes is held to all', { l: [{ k: 'a', v: 9 }] }, { l: [{ k: 'a', v: 8 }] }, ['spec.l[0].v: Invalid value: 8: spec.l[0].v in body should be less than or equal to 5']],
  ])('in an update: %s', (_, before, after, wanted) => {
    expect(rules.validateUpdate(widget(after), widget(before), '', options).map(fieldErrorMessage)).toEqual(wanted)
  })
})

test('unknown fields are reported with their place, metadata\'s too', () => {
  const rules = customRules({ gvk: { group: 'example.com', version: 'v1', kind: 'Widget' }, namespaced: true, schema: spec({ a: { type: 'string' } }), columns: undefined, hasStatus: false })
  const given: Json = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', nope: 1 }, spec: { a: 'x', b: 2 } }
  expect(rules.decode(given, 'warn', [])).toEqual({ object: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { a: 'x' } }, problems: ['unknown field "metadata.nope"', 'unknown field "spec.b"'] })
  expect(() => rules.decode(given, 'strict', [])).toThrow('strict decoding error: unknown field "metadata.nope", unknown field "spec.b"')
})
