import { expect, test } from 'vitest'
import { parseConfig } from './read-config-file.ts'
import type { Shape } from './shape.ts'

const gvk = { group: 'demo.config.k8s.io', version: 'v1', kind: 'DemoConfiguration' }
const shape: Shape = { type: 'object', required: ['name'], fields: {
  name: { type: 'string' }, mode: { type: 'string', enum: ['a', 'b'] }, port: { type: 'integer', minimum: 0, maximum: 65535 }, enabled: { type: 'boolean' }, period: { type: 'duration' },
  size: { type: 'quantity' }, weights: { type: 'map', values: { type: 'number' } }, args: { type: 'raw' },
  list: { type: 'list', items: { type: 'object', fields: { x: { type: 'intOrString' } } } },
} }
const head = 'apiVersion: demo.config.k8s.io/v1\nkind: DemoConfiguration\nname: demo\n'

test('a right file is given as it stands, YAML or JSON', async () => {
  const yaml = await parseConfig(`${head}port: 80\nenabled: true\nperiod: 1m30s\nsize: 100Mi\nweights: {a: 0.5}\nlist: [{x: 1}, {x: 10%}]\nargs: {any: [thing]}\nmode: null\n`, 'f', gvk, shape)
  expect(yaml).toMatchObject({ name: 'demo', port: 80, period: '1m30s', weights: { a: 0.5 }, list: [{ x: 1 }, { x: '10%' }], args: { any: ['thing'] } })
  expect(await parseConfig('{"apiVersion":"demo.config.k8s.io/v1","kind":"DemoConfiguration","name":"j"}', 'f', gvk, shape)).toMatchObject({ name: 'j' })
})

test.each([
  ['an unknown field, with its path', `${head}list:\n- z: 1\n`, 'f: strict decoding error: unknown field "list[0].z"'],
  ['several at once', `${head}porrt: 1\nport: x\n`, 'f: strict decoding error: unknown field "porrt", port: expected an integer, got "x"'],
  ['an integer out of range', `${head}port: 70000\n`, 'f: strict decoding error: port: expected an integer of at most 65535, got 70000'],
  ['a value outside its set', `${head}mode: c\n`, 'f: strict decoding error: mode: Unsupported value: "c": supported values: "a", "b"'],
  ['a duration without unit', `${head}period: "5"\n`, 'f: strict decoding error: period: time: missing unit in duration "5"'],
  ['a bad quantity', `${head}size: many\n`, 'f: strict decoding error: size: expected a quantity such as "100Mi", got "many"'],
  ['a missing field', 'apiVersion: demo.config.k8s.io/v1\nkind: DemoConfiguration\n', 'f: strict decoding error: name: Required value'],
  ['another version', head.replace('/v1', '/v2'), 'f: no kind "DemoConfiguration" is registered for version "demo.config.k8s.io/v2": expected DemoConfiguration of demo.config.k8s.io/v1'],
  ['no kind', 'apiVersion: v1\n', "f: Object 'Kind' is missing"],
  ['a key given twice', `${head}name: other\n`, 'f: Map keys must be unique at line 4, column 1:'],
  ['text that is no YAML', 'a: [', /^f: /],
  ['no object', '- a\n', 'f: the document is not an object'],
  ['two documents', `${head}---\n${head}`, 'f: more than one document'],
])('%s is refused', async (_name, text, message) => {
  await expect(parseConfig(text, 'f', gvk, shape)).rejects.toThrow(message)
})
