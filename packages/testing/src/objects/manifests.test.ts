import { expect, test } from 'vitest'
import { readManifests } from './manifests.ts'

const configMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

test.each([
  ['an object', configMap('a'), ['a']],
  ['a list of anything', [configMap('a'), '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}'], ['a', 'b']],
  ['documents of YAML, empty ones passed over', '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: b }\n', ['a', 'b']],
  ['a kind that is a list', { apiVersion: 'v1', kind: 'List', items: [configMap('a'), configMap('b')] }, ['a', 'b']],
] as const)('%s is read', async (_what, manifest, names) => {
  expect((await readManifests(manifest)).map(({ metadata }) => metadata.name)).toEqual(names)
})

test.each([
  ['a text that is no YAML', 'a: [\n', /^the text: /],
  ['a document without a kind', 'apiVersion: v1\nmetadata: { name: a }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: b }\n', /^the text, document 1: kind not set$/],
  ['an item without a name', { apiVersion: 'v1', kind: 'List', items: [configMap('a'), { apiVersion: 'v1', kind: 'ConfigMap' }] }, /^the object, item 1: metadata\.name not set$/],
  ['a text that is no object', '- just\n- a list\n', /^the text: apiVersion not set$/],
  ['a file that is not there', '/nowhere/at-all.yaml', /ENOENT/],
] as const)('%s is an error that says where', async (_what, manifest, message) => {
  await expect(readManifests(manifest)).rejects.toThrow(message)
})
