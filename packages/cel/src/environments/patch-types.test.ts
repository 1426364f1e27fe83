import { describe, expect, it } from 'vitest'
import { admissionEnvironment, compile, evaluate, misnamedParts, toJson } from '../index.ts'
import { formatType } from '../types/types.ts'

const environment = admissionEnvironment({ patches: true })
const object = { metadata: { name: 'web', labels: { app: 'web' } }, spec: { replicas: 3 } }

describe('patches', () => {
  it.each<[string, string, unknown]>([
    ['Object{spec: Object.spec{replicas: object.spec.replicas + 1}}', 'Object', { spec: { replicas: 4 } }],
    ['Object{metadata: Object.metadata{labels: {"a": "b", "c": "d"}}}', 'Object', { metadata: { labels: { a: 'b', c: 'd' } } }],
    ['Object{spec: Object.spec{containers: [Object.spec.containers{name: "a", ports: []}]}}', 'Object', { spec: { containers: [{ name: 'a', ports: [] }] } }],
    ['Object{spec: Object.spec{?replicas: optional.none(), ?paused: optional.of(true)}}', 'Object', { spec: { paused: true } }],
    ['has(object.spec.replicas) ? Object{spec: Object.spec{paused: true}} : Object{}', 'Object', { spec: { paused: true } }],
    ['Object{spec: Object.spec{replicas: 3}}.spec.replicas', 'dyn', 3],
    ['Object{a: 1} == Object{a: 1}', 'bool', true],
    ['[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b~c"), value: "x"}]', 'list(JSONPatch)', [{ op: 'add', path: '/metadata/labels/a~1b~0c', value: 'x' }]],
    ['[JSONPatch{op: "move", from: "/a", path: "/b"}, JSONPatch{op: "test", path: "/spec", value: Object.spec{replicas: 3}}]', 'list(JSONPatch)',
      [{ op: 'move', from: '/a', path: '/b' }, { op: 'test', path: '/spec', value: { replicas: 3 } }]],
    ['has(object.spec.x) ? [] : [JSONPatch{op: "remove", path: "/a"}]', 'list(JSONPatch)', [{ op: 'remove', path: '/a' }]],
    ['["a", "b"].map(k, JSONPatch{op: "remove", path: "/" + k})', 'list(JSONPatch)', [{ op: 'remove', path: '/a' }, { op: 'remove', path: '/b' }]],
  ])('%s', (expression, type, expected) => {
    const { program, error } = compile(expression, environment)
    if (program === undefined) throw new Error(error)
    expect(formatType(program.resultType)).toBe(type)
    const { value, error: failed } = evaluate(program, { object })
    if (value === undefined) throw failed
    expect(toJson(value)).toEqual(expected)
  })

  it.each([
    ['JSONPatch{op: 1}', 'expected type of field \'op\' is \'string\' but provided type is \'int\''],
    ['JSONPatch{what: 1}', 'undefined field \'what\''],
    ['Objekt{a: 1}', 'undeclared reference to \'Objekt\''],
    ['[Object.a{}, Object.b{}]', 'expected type \'Object.a\' but found \'Object.b\''],
  ])('%s does not compile', (expression, message) => {
    expect(compile(expression, environment).error).toContain(message)
  })

  it('are not known elsewhere', () => {
    expect(compile('Object{}', admissionEnvironment()).error).toContain('undeclared reference to \'Object\'')
    expect(compile('jsonpatch.escapeKey("a")', admissionEnvironment()).error).toContain('undeclared reference')
  })

  it.each([
    ['Object{spec: Object.spec{template: Object.spec.template{}}}', undefined],
    ['Object{spec: Object.spek{}}', 'unexpected type name "Object.spek", expected "Object.spec", which matches field name path from root Object type'],
    ['Object{spec: Object.spec{list: [{"a": Object.spec.lost{}}]}}', 'unexpected type name "Object.spec.lost", expected "Object.spec.list", which matches field name path from root Object type'],
    ['Object.spec{template: Object.spec.template{}}', undefined],
    ['[JSONPatch{op: "add", path: "/spec", value: Object.spec{a: Object.spec.a{}}}]', undefined],
    ['[JSONPatch{op: "remove", path: "/x"}, JSONPatch{op: "add", path: "/spec", value: Object.spec{a: Object.spec.b{}}}]', 'unexpected type name "Object.spec.b", expected "Object.spec.a", which matches field name path from root Object type'],
  ])('%s is asked for the names of its parts', (expression, expected) => {
    const { program } = compile(expression, environment)
    if (program === undefined) throw new Error('it compiles')
    const { value = null } = evaluate(program, {})
    expect(misnamedParts(value)).toBe(expected)
  })
})
