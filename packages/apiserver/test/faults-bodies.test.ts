// Bodies that are made to break or to hold up who reads them: each is answered, and others are served meanwhile.
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { nested } from './support/fuzz.ts'
import { configMap, sender, spawnServer, temporary, type Answer, type Send } from './support/harness.ts'
import { problemOf } from './support/oracle.ts'
import { customObject, definitionOf } from './support/samples.ts'

let directory: Awaited<ReturnType<typeof temporary>>
let server: Awaited<ReturnType<typeof spawnServer>>
let send: Send
const log: string[] = []
const collection = '/api/v1/namespaces/default/configmaps'

beforeAll(async () => {
  directory = await temporary()
  server = await spawnServer(directory, { logged: (line) => log.push(line), settings: { storage: 'memory' } })
  send = sender(server.port)
  await send('POST', collection, configMap('kept', { a: 'b' }))
  await define('things', {})
}, 60_000)
afterAll(async () => {
  server.process.kill()
  await directory.remove()
})

/** Defines a custom resource, of a schema where one is given, and waits until it is served. */
async function define(plural: string, schema: object): Promise<string> {
  const { path, object } = definitionOf(plural)
  const version = (object['spec'] as { versions: Record<string, unknown>[] }).versions[0]
  if (version && Object.keys(schema).length > 0) {
    version['schema'] = { openAPIV3Schema: schema }
    for (const name of ['additionalPrinterColumns', 'selectableFields', 'subresources']) delete version[name]
  }
  const made = await send('POST', path, object)
  if (made.status !== 201) throw new Error(made.text)
  const served = `/apis/fuzz.example.com/v1/namespaces/default/${plural}`
  await vi.waitFor(async () => {
    if ((await send('GET', served)).status !== 200) throw new Error('the custom resource is not served')
  }, { timeout: 30_000 })
  return served
}

const limit = 3 * 1024 * 1024
const deep = (depth: number): string => JSON.stringify(nested(depth))
const many = (count: number, of: (i: number) => string): string => Array.from({ length: count }, (_, i) => of(i)).join(',')
const data = (json: string): string => `{"metadata":{"name":"x"},"data":${json}}`
const yaml = { 'content-type': 'application/yaml' }
const patchOf = (type: string): Record<string, string> => ({ 'content-type': `application/${type}` })

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  return Buffer.from([...out, rest])
}
const field = (number: number, bytes: Buffer): Buffer => Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer => Buffer.concat([Buffer.from('k8s\0'), field(1, Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))])), field(2, raw)])
function messages(depth: number, number: number): Buffer {
  let made: Buffer = Buffer.alloc(0)
  for (let i = 0; i < depth; i++) made = field(number, made)
  return made
}
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

describe('a body', () => {
  test.each<[string, string, string, () => string | Uint8Array, Record<string, string>, number]>([
    ['JSON lists 100,000 deep', 'POST', collection, () => data('['.repeat(100_000)), {}, 400],
    ['JSON objects 100,000 deep', 'POST', collection, () => data(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`), {}, 400],
    ['JSON 900 deep where a string belongs', 'POST', collection, () => data(deep(900)), {}, 400],
    ['a number of a million digits', 'POST', collection, () => data('9'.repeat(1_000_000)), {}, 400],
    ['a key 100,000 times', 'POST', `${collection}?dryRun=All&fieldValidation=Strict`, () => data(`{${many(100_000, () => '"a":"b"')}}`), {}, 400],
    ['a quantity of a million digits', 'POST', '/api/v1/namespaces/default/resourcequotas?dryRun=All', () => `{"metadata":{"name":"q"},"spec":{"hard":{"pods":"${'9'.repeat(1_000_000)}"}}}`, {}, 201],
    ['YAML lists 100,000 deep', 'POST', collection, () => `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}`, yaml, 400],
    ['YAML blocks 20,000 deep', 'POST', collection, () => `${'- '.repeat(20_000)}a`, yaml, 400],
    ['YAML that laughs a billion times', 'POST', collection, () => ['a: &a [x,x,x,x,x,x,x,x,x]', ...[...'bcdefghi'].map((c, i) => `${c}: &${c} [${many(9, () => `*${'abcdefgh'[i] ?? ''}`)}]`)].join('\n'), yaml, 400],
    ['YAML that contains itself', 'POST', collection, () => '&a\nmetadata: *a', yaml, 400],
    ['YAML that merges itself', 'POST', collection, () => 'a: &a {<<: *a}', yaml, 400],
    ['YAML of foreign types', 'POST', `${collection}?dryRun=All`, () => 'metadata: {name: t}\nb: !!set {x, y}\nc: !!js/function x\nd: .nan\ne: 0x7fffffffffffffffff\nf: !!timestamp 99999-99-99\n__proto__: {x: 1}', yaml, 201],
    ['a document without end', 'POST', collection, () => '{'.repeat(100_000), yaml, 400],
    ['protobuf messages 3,000 deep', 'POST', definitions, () => envelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', field(2, field(7, field(4, field(1, messages(3000, 28)))))), patchOf('vnd.kubernetes.protobuf'), 400],
    ['protobuf of nothing but zeros', 'POST', collection, () => envelope('v1', 'ConfigMap', Buffer.alloc(500_000)), patchOf('vnd.kubernetes.protobuf'), 422],
    ['protobuf that promises more', 'POST', collection, () => envelope('v1', 'ConfigMap', Buffer.concat([varint(18), varint(2 ** 40)])), patchOf('vnd.kubernetes.protobuf'), 400],
    ['compressed', 'POST', collection, () => gzipSync(JSON.stringify(configMap('x'))), { 'content-encoding': 'gzip' }, 400],
    ['nothing', 'POST', collection, () => '', {}, 400],
    ['invalid UTF-8', 'POST', collection, () => Buffer.from('7b226d65746164617461223a7b226e616d65223a22ff227d7d', 'hex'), {}, 422],
    ['of more than 3 MiB', 'POST', collection, () => 'x'.repeat(limit + 1), {}, 413],
    ['of more than 3 MiB that does not say so', 'POST', collection, () => 'x'.repeat(limit + 1), { 'transfer-encoding': 'chunked' }, 413],
    ['a JSON patch of 60,000 operations', 'PATCH', `${collection}/kept`, () => `[${many(60_000, () => '{"op":"add","path":"/data/x","value":"y"}')}]`, patchOf('json-patch+json'), 413],
    ['a JSON patch that doubles itself', 'PATCH', `${collection}/kept`, () => JSON.stringify(Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/c${i}` }))), patchOf('json-patch+json'), 422],
    ['a JSON patch of the prototype', 'PATCH', `${collection}/kept?dryRun=All`, () => '[{"op":"add","path":"/data/__proto__","value":"y"},{"op":"add","path":"/constructor/prototype/x","value":1}]', patchOf('json-patch+json'), 422],
    ['a merge patch 990 deep', 'PATCH', `${collection}/kept?dryRun=All`, () => deep(990), patchOf('merge-patch+json'), 200],
    ['a strategic patch 990 deep', 'PATCH', `${collection}/kept?dryRun=All`, () => deep(990), patchOf('strategic-merge-patch+json'), 200],
    ['a patch of 2,000 levels', 'PATCH', `${collection}/kept`, () => deep(2000), patchOf('merge-patch+json'), 400],
    ['a configuration to apply that is a list', 'PATCH', `${collection}/kept?fieldManager=f`, () => '- a', patchOf('apply-patch+yaml'), 400],
  ])('%s is answered', async (_, method, path, body, headers, status) => {
    const content = body()
    const answer = await send(method, path, content, headers)
    expect(problemOf(answer)).toBeUndefined()
    expect(answer.status, answer.text.slice(0, 500)).toBe(status)
  })

  test('that takes a library long holds nobody else up', async () => {
    // Flow collections that never end: the YAML library takes many seconds for them.
    let done = false
    const slow = send('POST', collection, '{'.repeat(800_000), yaml).finally(() => { done = true })
    let meanwhile = 0
    while (!done) {
      expect((await send('GET', `${collection}/kept`)).status).toBe(200)
      meanwhile++
    }
    expect((await slow).status).toBe(400)
    expect(meanwhile).toBeGreaterThan(3)
  })
})

describe('a custom resource', () => {
  test('whose pattern would go back and forth for ever is held to it at once', async () => {
    const path = await define('regexes', { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } })
    const make = (a: string): Promise<Answer> => send('POST', path, { apiVersion: 'fuzz.example.com/v1', kind: 'Regexe', metadata: { generateName: 'r-' }, a })
    expect((await make(`${'a'.repeat(5000)}!`)).status).toBe(422)
    expect((await make('a'.repeat(5000))).status).toBe(201)
  })

  test('whose formats and fields have the names of what every object has is checked like any', async () => {
    const path = await define('protos', { type: 'object', properties: { a: { type: 'string', format: '__proto__' }, b: { type: 'string', format: 'constructor' }, toString: { type: 'integer' } } })
    const make = (rest: object): Promise<Answer> => send('POST', path, { apiVersion: 'fuzz.example.com/v1', kind: 'Proto', metadata: { generateName: 'r-' }, ...rest })
    expect((await make({ a: 'x', b: 'y', toString: 1 })).status).toBe(201)
    expect((await make({ toString: 'x' })).status).toBe(422)
    expect((await make({ a: 'x' })).body['toString']).not.toBe(1)
  })

  test('that nests 900 deep is stored, patched and shown in each format', async () => {
    const body = `{"apiVersion":"fuzz.example.com/v1","kind":"Thing","metadata":{"name":"deep"},"spec":{"size":1,"any":${deep(900)}}}`
    expect((await send('POST', customObject.path, body)).status).toBe(201)
    for (const accept of ['application/json', 'application/yaml', 'application/json;as=Table;v=v1;g=meta.k8s.io']) {
      const answer = await send('GET', `${customObject.path}/deep`, undefined, { accept })
      expect([answer.status, problemOf(answer)]).toEqual([200, undefined])
    }
    expect((await send('PATCH', `${customObject.path}/deep`, { metadata: { labels: { a: 'b' } } }, patchOf('merge-patch+json'))).status).toBe(200)
    expect((await send('PATCH', `${customObject.path}/deep?fieldManager=f&force=true`, body, patchOf('apply-patch+yaml'))).status).toBe(200)
  })

  test.each<[string, string]>([
    ['3,000 parentheses', `${'('.repeat(3000)}true${')'.repeat(3000)}`], ['50,000 negations', `${'!'.repeat(50_000)}true`], ['20,000 alternatives', `${'true || '.repeat(20_000)}true`],
    ['lists in lists', `${'['.repeat(2000)}1${']'.repeat(2000)} == []`], ['a long chain', `self${'.a'.repeat(20_000)} == 1`],
  ])('with a rule of %s is answered', async (name, rule) => {
    const { path, object } = definitionOf(`c${name.replace(/[^a-z]/g, '')}s`)
    Object.assign((object['spec'] as { versions: object[] }).versions[0] ?? {}, { schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-validations': [{ rule }] } }, additionalPrinterColumns: [], selectableFields: [] })
    const answer = await send('POST', `${path}?dryRun=All`, object)
    expect(problemOf(answer)).toBeUndefined()
  })
})

test('a warning speaks any language', async () => {
  const made = await send('POST', `${collection}?dryRun=All&fieldValidation=Warn`, '{"metadata":{"name":"w"},"日本":1,"a\\r\\nb":2}')
  expect(made.status).toBe(201)
  expect(Buffer.from(String(made.headers['warning']), 'latin1').toString()).toBe('299 - "unknown field \\"日本\\"", 299 - "unknown field \\"a\\\\r\\\\nb\\""')
})

test('after all of it the server serves, and has logged no fault', async () => {
  expect((await send('GET', '/readyz')).status).toBe(200)
  expect(log).toEqual([])
})
