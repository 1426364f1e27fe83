import http2 from 'node:http2'
import { gunzipSync } from 'node:zlib'
import https from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { normalize, schemaOf } from '@berth/api'
import type { StructSchema } from '@berth/api'
import { decodeMessage, openEnvelope } from '../src/protobuf/decode.ts'
import { encodeObject } from '../src/protobuf/encode.ts'
import { adminToken, configMap, start } from './support/harness.ts'

let running: Awaited<ReturnType<typeof start>>
beforeAll(async () => { running = await start({ maxRequestBytes: 64 * 1024 }) })
afterAll(() => running.stop())

const collection = '/api/v1/namespaces/default/configmaps'

describe('the HTTP server', () => {
  it('speaks HTTP/2, with many requests on one connection', async () => {
    const session = http2.connect(`https://127.0.0.1:${running.server.port}`, { rejectUnauthorized: false })
    const ask = (path: string) => new Promise<{ status: unknown, text: string }>((resolve, reject) => {
      const stream = session.request({ ':path': path, authorization: `Bearer ${adminToken}` })
      let status: unknown
      let text = ''
      stream.on('response', (headers) => { status = headers[':status'] })
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => { text += chunk })
      stream.on('end', () => resolve({ status, text }))
      stream.on('error', reject)
    })
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/api/v1/namespaces')))
    session.close()
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]))
    expect(answers[0]?.text).toContain('"kind":"NamespaceList"')
  })

  it('refuses a body beyond the limit with 413', async () => {
    const answer = await running.send('POST', collection, configMap('big', { a: 'x'.repeat(100_000) }))
    expect([answer.status, answer.body['reason']]).toEqual([413, 'RequestEntityTooLarge'])
  })

  it('asks for credentials with 401 and refuses somebody without rights with 403', async () => {
    const wrong = await running.send('GET', collection, undefined, { authorization: 'Bearer nonsense' })
    expect([wrong.status, wrong.body['message']]).toEqual([401, 'Unauthorized'])
    const bob = await running.send('GET', collection, undefined, { authorization: 'Bearer user-token' })
    expect([bob.status, bob.body['message']]).toEqual([403, 'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"'])
  })

  it('compresses big answers for those who take it, and no small ones', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => running.send('POST', collection, configMap(`bulk-${i}`, { a: 'x'.repeat(30_000) }))))
    const raw = (path: string) => new Promise<{ encoding: string | undefined, bytes: Buffer }>((resolve, reject) => {
      https.get({ host: '127.0.0.1', port: running.server.port, path, rejectUnauthorized: false, headers: { authorization: `Bearer ${adminToken}`, 'accept-encoding': 'gzip' } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ encoding: response.headers['content-encoding'], bytes: Buffer.concat(chunks) }))
      }).on('error', reject)
    })
    const big = await raw(collection)
    expect(big.encoding).toBe('gzip')
    expect((JSON.parse(gunzipSync(big.bytes).toString()) as { items: unknown[] }).items.length).toBeGreaterThanOrEqual(8)
    expect((await raw('/version')).encoding).toBeUndefined()
  })

  it('refuses names that would be paths in the storage', async () => {
    for (const path of ['/api/v1/namespaces/a%2Fb/configmaps', '/api/v1/namespaces/default/configmaps/a%2Fb', '/api/v1/nodes/%2E%2E%2Fx']) {
      expect((await running.send('GET', path)).status).toBe(400)
    }
  })

  it('names each answer with an audit id, the client\'s own where it gives one', async () => {
    const given = await running.send('GET', '/version', undefined, { 'audit-id': 'mine-1' })
    expect(given.headers['audit-id']).toBe('mine-1')
    expect((await running.send('GET', '/version')).headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('says in /metrics what it was asked', async () => {
    await running.send('GET', `${collection}/bulk-0`)
    const { text } = await running.send('GET', '/metrics')
    expect(text).toMatch(/apiserver_request_total\{verb="GET",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",dry_run="",code="200"\} [1-9]/)
    expect(text).toMatch(/apiserver_storage_objects\{resource="namespaces"\} 4/)
  })

  it('lists only what it serves in discovery, in the plain and the aggregated form', async () => {
    const plain = await running.send('GET', '/apis/apps/v1')
    expect((plain.body['resources'] as unknown as { name: string }[]).map((r) => r.name)).toEqual([
      'controllerrevisions', 'daemonsets', 'daemonsets/status', 'deployments', 'deployments/scale', 'deployments/status', 'replicasets', 'replicasets/scale', 'replicasets/status',
      'statefulsets', 'statefulsets/scale', 'statefulsets/status',
    ])
    const aggregated = await running.send('GET', '/apis', undefined, { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' })
    expect([aggregated.body['kind'], aggregated.headers['content-type']]).toEqual(['APIGroupDiscoveryList', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'])
    // Behind its gate.
    expect(aggregated.text).not.toContain('"podgroups"')
    expect((await running.send('GET', '/apis/apps/v1/namespaces/default/clonesets')).body['message']).toBe('the server could not find the requested resource')
  })

  it('publishes OpenAPI v3 with a name for each content that can be kept', async () => {
    const index = await running.send('GET', '/openapi/v3')
    const url = index.body['paths']?.['apis/apps/v1']?.['serverRelativeURL'] as string
    const document = await running.send('GET', url)
    expect(document.headers['cache-control']).toBe('public, immutable')
    expect(document.body['components']?.['schemas']?.['io.k8s.api.apps.v1.Deployment']).toBeDefined()
  })

  it('publishes OpenAPI v2 of all that is served, in JSON and in the protobuf that kubectl asks for, and not again to one who has it', async () => {
    const json = await running.send('GET', '/openapi/v2')
    expect([json.headers['content-type'], json.body['swagger']]).toEqual(['application/json', '2.0'])
    expect(Object.keys(json.body['definitions'] ?? {})).toEqual(expect.arrayContaining(['io.k8s.api.apps.v1.Deployment', 'io.k8s.api.core.v1.Pod']))
    expect(json.body['definitions']).not.toHaveProperty(['io.k8s.api.scheduling.v1alpha2.PodGroup'])
    const protobuf = await running.send('GET', '/openapi/v2', undefined, { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' })
    expect([protobuf.status, protobuf.headers['content-type']]).toEqual([200, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'])
    expect(protobuf.text.slice(0, 5)).toBe('\n\x032.0')
    for (const { headers } of [json, protobuf]) {
      const again = await running.send('GET', '/openapi/v2', undefined, { accept: String(headers['content-type']), 'if-none-match': String(headers['etag']) })
      expect([again.status, again.text]).toEqual([304, ''])
    }
    expect((await running.send('GET', '/openapi/v2', undefined, { accept: 'application/xml' })).status).toBe(406)
  })
})

describe('protobuf', () => {
  const accept = 'application/vnd.kubernetes.protobuf'
  const user = { name: 'admin', groups: ['system:masters'] }
  const schema = (kind: string): StructSchema => {
    const found = schemaOf({ group: '', version: 'v1', kind })
    if (!found) throw new Error(`no schema for ${kind}`)
    return found
  }
  const bytesOf = async (path: string, headers: Record<string, string> = {}): Promise<{ status: number, type: string | undefined, bytes: Buffer }> => {
    const answer = await running.server.handler({ method: 'GET', path, user, headers: { accept, ...headers } })
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.body) chunks.push(chunk)
    return { status: answer.status, type: answer.headers['content-type'], bytes: Buffer.concat(chunks) }
  }

  it('is answered where it is asked for: objects, lists, and the same values as in JSON', async () => {
    await running.send('POST', collection, configMap('binary', { a: '1', b: '2' }))
    const one = await bytesOf(`${collection}/binary`)
    expect([one.status, one.type]).toEqual([200, accept])
    const envelope = openEnvelope(one.bytes)
    expect([envelope.kind, envelope.apiVersion]).toEqual(['ConfigMap', 'v1'])
    const json = await running.send('GET', `${collection}/binary`)
    expect(normalize(schema('ConfigMap'), { kind: 'ConfigMap', apiVersion: 'v1', ...decodeMessage(schema('ConfigMap'), envelope.raw) })).toEqual(json.body)
    const list = openEnvelope((await bytesOf('/api/v1/namespaces')).bytes)
    expect(list.kind).toBe('NamespaceList')
    expect(Buffer.from(list.raw).toString('latin1')).toContain('kube-system')
  })

  it('streams watch events as frames with their length in front', async () => {
    const stop = new AbortController()
    const answer = await running.server.handler({ method: 'GET', path: `${collection}?watch=true&fieldSelector=metadata.name%3Dbinary`, user, headers: { accept }, signal: stop.signal })
    expect(answer.headers['content-type']).toBe('application/vnd.kubernetes.protobuf;stream=watch')
    for await (const chunk of answer.body) {
      const frame = Buffer.from(chunk)
      expect(frame.readUInt32BE(0)).toBe(frame.length - 4)
      expect(frame.subarray(4, 11).toString('latin1')).toBe('\n\u0005ADDED')
      break
    }
    stop.abort()
  })

  it('is read and answered for kinds that are not stored', async () => {
    const review = encodeObject(schemaOf({ group: 'authentication.k8s.io', version: 'v1', kind: 'SelfSubjectReview' }) ?? schema('ConfigMap'), 'SelfSubjectReview', 'authentication.k8s.io/v1', {})
    const answer = await running.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', review, { 'content-type': accept, accept: 'application/json' })
    expect([answer.status, answer.body['status']?.['userInfo']?.['username']]).toEqual([201, 'admin'])
  })
})

describe('requests from within the process', () => {
  it('are authorized and admitted like any other', async () => {
    const transport = running.server.clientFor({ name: 'bob', groups: ['system:authenticated'] })
    const answer = await transport.request({ method: 'GET', path: collection })
    expect(answer.status).toBe(403)
    const admitted = await running.server.loopback.request({ method: 'POST', path: '/api/v1/namespaces/nowhere/configmaps', headers: { 'content-type': 'application/json' }, body: JSON.stringify(configMap('x')) })
    let text = ''
    for await (const chunk of admitted.body) text += new TextDecoder().decode(chunk)
    expect([admitted.status, (JSON.parse(text) as { message: string }).message]).toEqual([404, 'namespaces "nowhere" not found'])
    await transport.close()
  })
})
