import { describe, expect, it } from 'vitest'
import { schemaOf } from '../schema/registry.ts'
import { PatchError } from './errors.ts'
import { jsonPatch } from './json-patch.ts'
import { jsonMergePatch } from './merge-patch.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'
import type { ObjectSchema } from '../schema/model.ts'

function pod(): ObjectSchema {
  const schema = schemaOf({ group: '', version: 'v1', kind: 'Pod' })
  if (!schema) throw new Error('no schema of Pod')
  return schema
}

describe('jsonPatch', () => {
  const doc = { data: { k: 'v', 'a/b': 1 }, l: [1, 2, 3] }
  it.each<[string, unknown[], unknown]>([
    ['adds a member', [{ op: 'add', path: '/x', value: { y: 1 } }], { ...doc, x: { y: 1 } }],
    ['adds null', [{ op: 'add', path: '/x', value: null }], { ...doc, x: null }],
    ['inserts into a list', [{ op: 'add', path: '/l/1', value: 9 }], { ...doc, l: [1, 9, 2, 3] }],
    ['appends to a list', [{ op: 'add', path: '/l/-', value: 9 }], { ...doc, l: [1, 2, 3, 9] }],
    ['removes by an escaped key', [{ op: 'remove', path: '/data/a~1b' }], { ...doc, data: { k: 'v' } }],
    ['replaces a list item', [{ op: 'replace', path: '/l/0', value: 0 }], { ...doc, l: [0, 2, 3] }],
    ['copies, then moves', [{ op: 'copy', from: '/data/k', path: '/data/l' }, { op: 'move', from: '/data/l', path: '/data/m' }], { ...doc, data: { 'a/b': 1, k: 'v', m: 'v' } }],
    ['tests', [{ op: 'test', path: '/l', value: [1, 2, 3] }], doc],
    ['replaces everything', [{ op: 'replace', path: '', value: { a: 1 } }], { a: 1 }],
  ])('%s', (_, ops, want) => {
    const before = structuredClone(doc)
    expect(jsonPatch(doc, ops)).toEqual(want)
    expect(doc).toEqual(before)
  })

  it.each<[string, unknown[]]>([
    ['removing what is not there', [{ op: 'remove', path: '/none' }]],
    ['replacing what is not there', [{ op: 'replace', path: '/none', value: 1 }]],
    ['adding below what is not there', [{ op: 'add', path: '/none/x', value: 1 }]],
    ['an index past the end', [{ op: 'add', path: '/l/9', value: 1 }]],
    ['an unknown operation', [{ op: 'nope', path: '/l' }]],
    ['a failed test', [{ op: 'test', path: '/l/0', value: 2 }]],
    ['add without a value', [{ op: 'add', path: '/x' }]],
    ['a path without a slash', [{ op: 'remove', path: 'data' }]],
  ])('answers 422 to %s', (_, ops) => {
    expect(() => jsonPatch(doc, ops)).toThrow(expect.objectContaining({ name: 'PatchError', code: 422, message: 'the server rejected our request due to an error in our request' }))
  })

  it('refuses what is no list', () => {
    expect(() => jsonPatch({}, { not: 'a list' })).toThrow(new PatchError(400, 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'))
  })
  it('refuses more than 10,000 operations', () => {
    expect(() => jsonPatch({}, Array.from({ length: 10_001 }, () => ({ op: 'test', path: '' })))).toThrow('The allowed maximum operations in a JSON patch is 10000, got 10001')
  })
  it('stops a patch that doubles the document again and again', () => {
    const ops = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/x${i}` }))
    expect(() => jsonPatch({ a: 'x'.repeat(100) }, ops)).toThrow(PatchError)
  })
})

describe('jsonMergePatch', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['changes, adds and removes members', { a: 1, b: { c: 1, d: 2 } }, { a: null, b: { c: 3 }, e: 4 }, { b: { c: 3, d: 2 }, e: 4 }],
    ['replaces lists', { l: [1, 2] }, { l: [3] }, { l: [3] }],
    ['keeps no nulls in what is new', {}, { a: { b: null, c: 1 }, l: [null, 1] }, { a: { c: 1 }, l: [1] }],
    ['replaces a scalar by an object', { a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
  ])('%s', (_, doc, patch, want) => {
    expect(jsonMergePatch(doc, patch)).toEqual(want)
  })
  it('sorts the members it merges and leaves others in their order', () => {
    expect(JSON.stringify(jsonMergePatch({ kind: 'X', metadata: { name: 'a', b: 1, a: 2 }, data: { z: 1, a: 1 } }, { data: { m: 1 } }))).toBe('{"data":{"a":1,"m":1,"z":1},"kind":"X","metadata":{"name":"a","b":1,"a":2}}')
  })
  it('refuses a list', () => {
    expect(() => jsonMergePatch({}, [1])).toThrow(new PatchError(400, 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}'))
  })
})

describe('strategicMergePatch', () => {
  const spec = (spec: object): object => ({ spec })
  const a = { name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }, { name: 'Y', value: '2' }] }
  const b = { name: 'b', image: 'b:1' }
  const both = spec({ containers: [a, b] })
  it.each<[string, object, object, object]>([
    ['merges list items by key', both, spec({ containers: [{ name: 'a', image: 'a:2' }] }), spec({ containers: [{ ...a, image: 'a:2' }, b] })],
    ['puts a new item first', both, spec({ containers: [{ name: 'c', image: 'c:1' }] }), spec({ containers: [{ name: 'c', image: 'c:1' }, a, b] })],
    ['deletes an item', both, spec({ containers: [{ name: 'b', $patch: 'delete' }] }), spec({ containers: [a] })],
    ['deletes and adds in a nested list', both, spec({ containers: [{ name: 'a', env: [{ name: 'Y', $patch: 'delete' }, { name: 'Z', value: '3' }] }] }),
      spec({ containers: [{ ...a, env: [{ name: 'Z', value: '3' }, { name: 'X', value: '1' }] }, b] })],
    ['replaces a list', both, spec({ containers: [{ $patch: 'replace' }, { name: 'only' }] }), spec({ containers: [{ name: 'only' }] })],
    ['replaces a map', spec({ nodeSelector: { x: '1' } }), spec({ nodeSelector: { $patch: 'replace', y: '2' } }), spec({ nodeSelector: { y: '2' } })],
    ['drops a directive where there is nothing to direct', spec({}), spec({ nodeSelector: { $patch: 'replace', y: '2' } }), spec({})],
    ['keeps the keys that are to be retained', spec({ volumes: [{ name: 'v', emptyDir: {} }] }), spec({ volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] }), spec({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] })],
    ['orders a list that it does not change', both, spec({ '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] }), spec({ containers: [b, a] })],
    ['orders a list that it changes', both, spec({ '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }], containers: [{ name: 'c', image: 'c' }] }), spec({ containers: [b, { name: 'c', image: 'c' }, a] })],
    ['keeps live items in their place among ordered ones', spec({ containers: [a, { name: 'live' }, b] }), spec({ '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }] }), spec({ containers: [a, { name: 'live' }, b] })],
    ['merges lists of scalars', { metadata: { finalizers: ['x'] } }, { metadata: { finalizers: ['y', 'x'] } }, { metadata: { finalizers: ['y', 'x'] } }],
    ['deletes from lists of scalars', { metadata: { finalizers: ['x', 'y'] } }, { metadata: { '$deleteFromPrimitiveList/finalizers': ['x'] } }, { metadata: { finalizers: ['y'] } }],
    ['replaces lists without a merge key', spec({ tolerations: [{ key: 'a' }] }), spec({ tolerations: [{ key: 'b' }] }), spec({ tolerations: [{ key: 'b' }] })],
    ['removes by null', { metadata: { labels: { a: '1', b: '2' } } }, { metadata: { labels: { a: null } } }, { metadata: { labels: { b: '2' } } }],
  ])('%s', (_, doc, patch, want) => {
    const before = structuredClone([doc, patch])
    expect(strategicMergePatch(pod(), doc, patch)).toEqual(want)
    expect([doc, patch]).toEqual(before)
  })

  it.each<[string, object, number, string]>([
    ['an item without its merge key', spec({ containers: [{ image: 'nameless' }] }), 500, 'map: map[image:nameless] does not contain declared merge key: name'],
    ['an order that is no list', spec({ $setElementOrder: { containers: [] } }), 500, 'expected a []interface {}, but received a map[string]interface {}'],
    ['an unknown directive', spec({ $patch: 'what' }), 500, 'unknown patch type: what in map: map[$patch:what]'],
    ['a field outside of what is retained', spec({ $retainKeys: ['hostname'], nodeName: 'n' }), 400, 'invalid patch format of retainKeys'],
    ['an order that disagrees with the patch', spec({ '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'z' }] }), 500, "The order in patch list:\n[map[name:z]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n"],
  ])('refuses %s', (_, patch, code, message) => {
    expect(() => strategicMergePatch(pod(), both, patch)).toThrow(expect.objectContaining({ code, message }))
  })
})

describe('long lists', () => {
  it('are merged in a time that does not grow with their product', () => {
    const list = (prefix: string): object => ({ spec: { containers: Array.from({ length: 50_000 }, (_, i) => ({ name: `${prefix}${i}` })) } })
    const merged = strategicMergePatch(pod(), list('a'), list('b')) as { spec: { containers: Array<{ name: string }> } }
    expect(merged.spec.containers).toHaveLength(100_000)
    expect(merged.spec.containers[0]?.name).toBe('b0')
    expect(merged.spec.containers.at(-1)?.name).toBe('a49999')
  })
})
