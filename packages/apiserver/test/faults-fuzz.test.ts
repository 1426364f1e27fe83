// Random and hostile requests against a server in a process of its own: it lives, answers every one with a sensible status, shows none of its insides,
// still serves afterwards, and gives back its memory. BERTH_FUZZ_SEED repeats a run, BERTH_FUZZ_FACTOR makes it longer.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { adminToken, configMap, sender, spawnServer, temporary, type Answer, type Send } from './support/harness.ts'
import { below, fuzzCount, fuzzSeed, hostile, hostileStrings, mutate, mutateBytes, pick, randomOf, shrink, type Random } from './support/fuzz.ts'
import { problemOf } from './support/oracle.ts'
import { exchange } from './support/raw.ts'
import { customObject, definitionOf, samples, type Sample } from './support/samples.ts'

const seed = fuzzSeed()
console.log(`fuzzing with BERTH_FUZZ_SEED=${seed}`)
vi.setConfig({ testTimeout: fuzzCount(120_000) + 60_000 })

const protobuf = 'application/vnd.kubernetes.protobuf'
const all: readonly Sample[] = [...samples, definitionOf('widgets'), customObject]
let directory: Awaited<ReturnType<typeof temporary>>
let server: Awaited<ReturnType<typeof spawnServer>>
let send: Send
const log: string[] = []

beforeAll(async () => {
  directory = await temporary()
  // Without a limit on requests: what is refused is not read.
  server = await spawnServer(directory, { logged: (line) => log.push(line), settings: { storage: 'memory', maxRequestsInflight: 0, maxMutatingRequestsInflight: 0 } })
  server.process.on('exit', (code, signal) => log.push(`the server ended: ${code ?? signal}`))
  send = sender(server.port)
  const things = definitionOf('things')
  await send('POST', things.path, things.object)
  await vi.waitFor(async () => {
    if ((await send('GET', customObject.path)).status !== 200) throw new Error('the custom resource is not served')
  }, { timeout: 30_000 })
  await send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
  // One of each stays, to be patched and updated.
  for (const { path, object } of all) await send('POST', path, { ...object, metadata: { ...object.metadata, name: path.endsWith('apiservices') || path.endsWith('definitions') ? object.metadata.name : 'kept' } })
}, 60_000)
afterAll(async () => {
  server.process.kill()
  await directory.remove()
})

/** A request that a case makes: a body of bytes makes it possible to shrink it. */
interface Case { method: string, path: string, body?: Buffer, headers?: Record<string, string> }

const parallel = 8

/** Runs cases and fails with the first that is answered badly, as small as it can be made. */
async function run(name: string, count: number, make: (random: Random) => Case): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {}
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const asked = make(randomOf(seed ^ Math.imul(at + 1, 2654435761) ^ hash(name)))
      const { problem, status } = await judged(asked)
      statuses[status] = (statuses[status] ?? 0) + 1
      if (problem === undefined) continue
      const small = asked.body && await shrink(asked.body, async (body) => (await judged({ ...asked, body })).problem?.slice(0, 30) === problem.slice(0, 30))
      expect.soft(`${problem}\n${asked.method} ${asked.path} ${JSON.stringify(asked.headers ?? {})}\n${small?.toString('latin1').slice(0, 2000) ?? ''}`, `${name}, case ${at} of BERTH_FUZZ_SEED=${seed}`).toBe('')
      if (server.process.exitCode !== null) throw new Error(`the server died: ${log.slice(-20).join('\n')}`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return statuses
}

async function judged({ method, path, body, headers }: Case): Promise<{ problem: string | undefined, status: number }> {
  let answer: Answer
  try {
    answer = await send(method, path, body, headers)
  } catch (error) {
    return { problem: `no answer: ${String(error)}`, status: 0 }
  }
  return { problem: problemOf(answer), status: answer.status }
}

function hash(text: string): number {
  let value = 0
  for (const char of text) value = Math.imul(value, 31) + char.charCodeAt(0)
  return value
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)))
/** Most writes are tried only; some stay. */
const dry = (random: Random): string => (random() < 0.8 ? '?dryRun=All' : '?')
const nameOf = ({ path, object }: Sample): string => (path.endsWith('apiservices') || path.endsWith('definitions') ? object.metadata.name : 'kept')
/** Names of random objects are their own, so that what stays is many. */
const renamed = (random: Random, value: unknown): unknown => {
  const metadata = (value as { metadata?: { name?: unknown } } | null)?.metadata
  if (metadata && typeof metadata === 'object' && metadata.name === 'sample') metadata.name = `r${below(random, 1e9)}`
  return value
}

describe('a server that is sent', () => {
  test('objects with anything in their fields, as JSON', async () => {
    await run('json', fuzzCount(2500), (random) => {
      const sample = pick(random, all)
      const put = random() < 0.3
      const body = json(renamed(random, mutate(random, put ? { ...sample.object, metadata: { ...sample.object.metadata, name: nameOf(sample) } } : sample.object)))
      return { method: put ? 'PUT' : 'POST', path: `${sample.path}${put ? `/${nameOf(sample)}` : ''}${dry(random)}&fieldValidation=${pick(random, ['Strict', 'Warn', 'Ignore'])}`, body }
    })
  })

  test('broken JSON', async () => {
    await run('text', fuzzCount(700), (random) => {
      const sample = pick(random, all)
      return { method: 'POST', path: sample.path + dry(random), body: mutateBytes(random, json(sample.object)) }
    })
  })

  test('YAML, broken and not', async () => {
    await run('yaml', fuzzCount(500), (random) => {
      const sample = pick(random, all)
      const whole = Buffer.from(stringify(random() < 0.5 ? mutate(random, sample.object) : sample.object))
      return { method: 'POST', path: sample.path + dry(random), body: random() < 0.6 ? mutateBytes(random, whole) : whole, headers: { 'content-type': 'application/yaml', accept: pick(random, ['application/yaml', 'application/json']) } }
    })
  })

  test('patches of each type', async () => {
    const types = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml']
    await run('patch', fuzzCount(1500), (random) => {
      const sample = pick(random, all)
      const type = pick(random, types)
      const subresource = pick(random, ['', '', '', '/status', '/scale'])
      const body = type === types[0] ? Array.from({ length: 1 + below(random, 3) }, () => operation(random, sample.object)) : mutate(random, { ...sample.object, metadata: { ...sample.object.metadata, name: nameOf(sample) } })
      const bytes = random() < 0.2 ? mutateBytes(random, json(body)) : json(body)
      return { method: 'PATCH', path: `${sample.path}/${nameOf(sample)}${subresource}${dry(random)}${type === types[3] ? `&fieldManager=f${random() < 0.5 ? '&force=true' : ''}` : ''}`, body: bytes, headers: { 'content-type': type } }
    })
  })

  test('definitions with any schema, expression, column and path', async () => {
    let made = 0
    await run('definitions', fuzzCount(600), (random) => {
      const { path, object } = definitionOf(`w${String.fromCharCode(97 + made++ % 26)}${below(random, 1e6)}s`)
      const spec = object['spec'] as { versions: { schema: { openAPIV3Schema: Record<string, unknown> }, additionalPrinterColumns: { jsonPath: unknown }[] }[] }
      const version = spec.versions[0]
      if (!version) throw new Error('a sample without a version')
      const roll = random()
      if (roll < 0.5) version.schema = mutate(random, version.schema) as typeof version.schema
      else if (roll < 0.7) version.schema.openAPIV3Schema['x-kubernetes-validations'] = [{ rule: expression(random), messageExpression: expression(random) }]
      else if (roll < 0.85) for (const column of version.additionalPrinterColumns) column.jsonPath = jsonPath(random)
      else object['spec'] = mutate(random, spec)
      return { method: 'POST', path: path + dry(random), body: json(object) }
    })
  })

  test('selectors, continue tokens, revisions and other parameters', async () => {
    await run('query', fuzzCount(900), (random) => {
      const { path } = pick(random, all.filter((s) => !s.path.endsWith('reviews')))
      const value = (): string => encodeURIComponent(pick(random, [...hostileStrings, 'a=b', 'a in (b,c),!d', 'metadata.name=kept', 'spec.nodeName!=', 'a>5', '!a', '0', '1', '5', '-1', 'true', 'Exact', 'NotOlderThan', token(random)]).toWellFormed().slice(0, 4000))
      const names = ['labelSelector', 'fieldSelector', 'continue', 'resourceVersion', 'resourceVersionMatch', 'limit', 'includeObject', 'pretty', 'allowWatchBookmarks', 'sendInitialEvents', 'timeoutSeconds', 'timeout', '__proto__', 'watch']
      const query = Array.from({ length: 1 + below(random, 4) }, () => pick(random, names)).map((name) => `${name}=${name === 'watch' ? 'true&timeoutSeconds=1' : name === 'timeoutSeconds' ? '1' : value()}`).join('&')
      const watching = query.includes('watch=')
      return { method: 'GET', path: `${path}${!watching && random() < 0.2 ? '/kept' : ''}?${query.replace(/resourceVersion=\d{7,}/g, 'resourceVersion=1')}`, headers: { accept: pick(random, accepts) } }
    })
  })

  test('headers that say anything', async () => {
    await run('headers', fuzzCount(600), (random) => {
      const sample = pick(random, all)
      const names = ['accept', 'content-type', 'impersonate-user', 'impersonate-group', 'impersonate-uid', 'impersonate-extra-a', 'impersonate-extra-__proto__', 'content-encoding', 'user-agent', 'audit-id', 'accept-encoding', 'if-none-match', 'x-forwarded-for', 'x-remote-user', 'origin', 'range', 'traceparent', 'expect-ct', 'cookie', 'x-http-method-override', 'sec-websocket-protocol']
      const headers: Record<string, string> = {}
      for (let i = 1 + below(random, 3); i > 0; i--) headers[pick(random, names)] = random() < 0.4 ? pick(random, accepts) : headerText(pick(random, hostileStrings))
      const write = random() < 0.4
      return { method: write ? 'POST' : 'GET', path: pick(random, [sample.path, sample.path, '/openapi/v2', '/openapi/v3', '/openapi/v3/apis/apps/v1', '/apis', '/version', '/metrics', '/livez']) + (write ? '?dryRun=All' : ''), ...(write && { body: json(sample.object) }), headers }
    })
  })

  test('protobuf of every kind with bytes changed, and messages that nest', async () => {
    const folder = process.env['BERTH_FACTS'] === undefined ? undefined : join(process.env['BERTH_FACTS'], 'roundtrip')
    const recorded = folder !== undefined && existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.pb')).map((f) => readFileSync(join(folder, f))) : []
    if (recorded.length === 0) console.log('skipped: recorded protobuf samples, since BERTH_FACTS is not set; made-up messages are sent')
    await run('protobuf', fuzzCount(1200), (random) => {
      const sample = pick(random, samples)
      const own = envelope(String(sample.object['apiVersion']), String(sample.object['kind']), message(random, 0))
      const other = recorded.length > 0 ? pick(random, recorded) : own
      const roll = random()
      const body = roll < 0.3 ? own : roll < 0.6 ? envelope(String(sample.object['apiVersion']), String(sample.object['kind']), mutateBytes(random, rawOf(other))) : mutateBytes(random, other)
      return { method: pick(random, ['POST', 'POST', 'DELETE']), path: `${sample.path}${random() < 0.1 ? '/kept' : ''}?dryRun=All`, body, headers: { 'content-type': protobuf, accept: pick(random, [protobuf, 'application/json', `${protobuf};as=Table;v=v1;g=meta.k8s.io,application/json`]) } }
    })
  })

  test('request lines and paths of any form', async () => {
    const random = randomOf(seed ^ hash('paths'))
    const parts = ['api', 'apis', 'v1', 'namespaces', 'default', 'pods', 'kept', 'log', 'exec', 'proxy', 'watch', 'status', 'scale', 'apps', 'configmaps', '..', '.', '', '%2e%2e', '%2f', '%00', '%', '%zz', '%ff', 'constructor', '__proto__', '@', ':80', 'https:x:', '[::1]', '*', '?', '#', ';a=b', '\x7f', '\xff\xfe', 'x'.repeat(3000), 'healthz', 'openapi', 'v3', 'v2', 'finalize', 'bindings', 'token', 'eviction', 'customresourcedefinitions', 'apiextensions.k8s.io', 'nodes']
    const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'get', 'G E T']
    const one = async (): Promise<void> => {
      const path = `${pick(random, ['/', '/', '/', '//', '', 'http://other/', '*'])}${random() < 0.5 ? pick(random, all).path.slice(1) + '/' : ''}${Array.from({ length: below(random, 5) }, () => pick(random, parts)).join('/')}`
      const answer = await exchange(server.port, `${pick(random, methods)} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${adminToken}\r\nAccept: application/json\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      const text = answer.text.slice(answer.text.indexOf('\r\n\r\n') + 4)
      const type = /^content-type: (.*)$/im.exec(answer.text)?.[1] ?? 'text/plain'
      // A connection that is closed without a word is an answer to what is no HTTP.
      for (const status of answer.statuses) expect.soft(problemOf({ status, text: /^transfer-encoding/im.test(answer.text) ? '' : text, headers: { 'content-type': type } }), `${path} of BERTH_FUZZ_SEED=${seed}: ${answer.text.slice(0, 300)}`).toBeUndefined()
      expect.soft(answer.closed, path).toBe(true)
    }
    for (let i = 0; i < fuzzCount(250); i += parallel) await Promise.all(Array.from({ length: parallel }, one))
  })

  test('all of it still serves, has logged no fault, and has given back its memory', async () => {
    expect(server.process.exitCode, log.slice(-20).join('\n')).toBeNull()
    expect((await send('GET', '/readyz')).status).toBe(200)
    const made = await send('POST', '/api/v1/namespaces/default/configmaps', configMap('afterwards', { a: 'b' }))
    expect(made.status).toBe(201)
    expect((await send('GET', '/api/v1/namespaces/default/configmaps/afterwards')).body['data']).toEqual({ a: 'b' })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    const faults = log.filter((line) => /Request failed|Unhandled|Uncaught|Answering failed|Upgrading failed|MaxListeners|the server ended/.test(line))
    // One of each: by the message and the place it came from.
    const distinct = new Map(faults.map((line) => [/"error":"([^"]*?\\n[^"]*?\\n)/.exec(line)?.[1] ?? line, line.slice(0, 1000)]))
    expect([...distinct.values()].slice(0, 20)).toEqual([])
    const { heapUsed, rss } = await server.memory()
    console.log(`after fuzzing: ${Math.round(heapUsed / 2 ** 20)} MiB of heap, ${Math.round(rss / 2 ** 20)} MiB resident`)
    expect(heapUsed).toBeLessThan(600 * 2 ** 20)
  })
})

const accepts = ['application/json', 'application/yaml', protobuf, '*/*', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/yaml;as=Table;v=v1;g=meta.k8s.io', 'text/html', 'constructor', '__proto__', ';;;=', 'application/json;q=x', 'a/b;q=1e999', ',', `${protobuf};stream=watch`, 'application/json;stream=watch']

/** What Node's own client lets into a header. */
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 2000)
}

function operation(random: Random, object: unknown): unknown {
  const paths = ['', '/', '/metadata/name', '/metadata/labels/a', '/metadata/labels/~1', '/metadata/annotations/__proto__', '/__proto__/polluted', '/constructor/prototype/polluted', '/spec', '/spec/-', '/spec/replicas', '/spec/containers/0', '/spec/containers/-1', '/spec/containers/-', '/spec/containers/99999999999', '/spec/ports/0/port', '/a/b/c/d', '~2', '/metadata/finalizers/-', '/metadata/managedFields', '/data/x', '/status']
  const made = { op: pick(random, ['add', 'remove', 'replace', 'move', 'copy', 'test', 'nothing']), path: pick(random, paths), ...(random() < 0.5 && { from: pick(random, paths) }), ...(random() < 0.8 && { value: random() < 0.5 ? hostile(random) : object }) }
  return random() < 0.1 ? mutate(random, made) : made
}

const atoms = ['self', 'oldSelf', 'self.spec', 'self.spec.size', 'self.spec.list', 'self.spec.map', '1', '-1', '9223372036854775807', '1.5', '"a"', "'\\u0000'", 'b"\\xff"', 'null', 'true', '[]', '{}', '[1,"a"]', '{"a":1}', 'x', 'quantity("1Gi")', 'url("http://a")', 'ip("1.1.1.1")', 'duration("1h")', 'timestamp("2026-01-01T00:00:00Z")', 'self.__proto__', 'self.constructor', 'type(self)']

/** A CEL expression that may parse, may type-check, and may be costly. */
function expression(random: Random, depth = 0): string {
  if (depth > 4 || random() < 0.25) return random() < 0.1 ? pick(random, hostileStrings).slice(0, 200) : pick(random, atoms)
  const inner = (): string => expression(random, depth + 1)
  switch (below(random, 12)) {
    case 0: return `${inner()} ${pick(random, ['+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in'])} ${inner()}`
    case 1: return `(${inner()})`
    case 2: return `!${inner()}`
    case 3: return `-${inner()}`
    case 4: return `${inner()} ? ${inner()} : ${inner()}`
    case 5: return `${inner()}.${pick(random, ['all', 'exists', 'exists_one', 'map', 'filter'])}(x, ${inner()})`
    case 6: return `has(${inner()})`
    case 7: return `size(${inner()})`
    case 8: return `${inner()}[${inner()}]`
    case 9: return `${inner()}.${pick(random, ['matches', 'startsWith', 'split', 'replace', 'join', 'sum', 'isSorted', 'find', 'findAll', 'contains', 'lowerAscii', 'substring', 'format', 'indexOf'])}(${inner()})`
    case 10: return `string(${inner()})`
    default: return `[${inner()}, ${inner()}]`
  }
}

function jsonPath(random: Random): string {
  const steps = ['.spec', '.size', '[0]', '[-1]', '[*]', '[0:2]', '[::0]', '[::-1]', '..', '..size', "['a']", '[?(@.id=="a")]', '[?(@.n>1)]', '{', '}', '.metadata.labels.a\\.b', '[', ']', '.*', '[?(', '@', '[99999999999999999999]', '.__proto__', '.constructor', '[1,2]']
  return Array.from({ length: 1 + below(random, 6) }, () => pick(random, steps)).join('')
}

function token(random: Random): string {
  const value = pick(random, [{ v: 'meta.k8s.io/v1', rv: 1, start: 'kept\u0000' }, { v: 'meta.k8s.io/v1', rv: -1, start: 'a' }, { v: 'meta.k8s.io/v1', rv: 1e300, start: '../../secrets' }, { v: 'meta.k8s.io/v1', rv: 'x', start: {} }, { v: 1 }, [], null, 'x', { __proto__: null, v: 'meta.k8s.io/v1', rv: 1.5, start: '\u0000' }])
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** A protobuf message with random fields, some of them messages again. */
function message(random: Random, depth: number): Buffer {
  const parts: Buffer[] = []
  for (let i = below(random, 6); i >= 0; i--) {
    const number = random() < 0.8 ? 1 + below(random, 8) : below(random, 2 ** 29)
    const wire = pick(random, [0, 1, 2, 2, 2, 2, 3, 4, 5, 6, 7])
    parts.push(varint(number * 8 + wire))
    if (wire === 0) parts.push(varint(below(random, 2 ** 31)))
    else if (wire === 1) parts.push(Buffer.alloc(8, below(random, 256)))
    else if (wire === 5) parts.push(Buffer.alloc(4, below(random, 256)))
    else if (wire === 2) {
      const inner = depth < 6 && random() < 0.7 ? message(random, depth + 1) : Buffer.from(pick(random, hostileStrings).toWellFormed().slice(0, 300))
      parts.push(varint(random() < 0.05 ? below(random, 2 ** 31) : inner.length), inner)
    }
  }
  return Buffer.concat(parts)
}

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80)
  out.push(rest)
  return Buffer.from(out)
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function envelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  return Buffer.concat([Buffer.from('k8s\0'), field(1, Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))])), field(2, raw)])
}

/** The message within a recorded envelope: its second field. */
function rawOf(bytes: Buffer): Buffer {
  let at = 4
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = number()
    const length = number()
    if (tag === 18) return bytes.subarray(at, at + length)
    at += length
  }
  return Buffer.alloc(0)
}
