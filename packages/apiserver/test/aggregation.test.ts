import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { networkInterfaces } from 'node:os'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { createCa, issueCertificate } from '@berth/kube'
import { group, groupVersion, startAggregatedServer } from './support/aggregated-server.ts'
import type { AggregatedServer } from './support/aggregated-server.ts'
import { adminToken, findKubectl, kubectl, spawnKubectl, startTestServer } from './support/server.ts'
import type { Answer, TestServer } from './support/server.ts'

const hasKubectl = findKubectl() !== undefined
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices'
const name = `v1.${group}`
const flunders = `/apis/${groupVersion}/namespaces/default/flunders`
const patient = { timeout: 60_000, interval: 50 }
let it: TestServer
let backend: AggregatedServer
let config = ''

/** An APIService whose Service is an ExternalName: the server is on this machine. */
async function register(spec: Record<string, unknown> = {}): Promise<void> {
  await it.admin('/api/v1/namespaces/default/services', { body: { metadata: { name: 'wardle' }, spec: { type: 'ExternalName', externalName: 'localhost' } } })
  await it.admin(apiServices, {
    body: {
      metadata: { name },
      spec: {
        group, version: 'v1', groupPriorityMinimum: 2000, versionPriority: 10, caBundle: Buffer.from(backend.ca).toString('base64'), service: { namespace: 'default', name: 'wardle', port: backend.port }, ...spec,
      },
    },
  })
}

async function condition(): Promise<Record<string, string | undefined>> {
  const { status } = (await it.admin(`${apiServices}/${name}`)).body as APIService
  const { lastTransitionTime: _, ...rest } = status?.conditions?.[0] ?? { status: '', type: '' }
  return rest
}

async function available(): Promise<void> {
  await expect.poll(async () => (await condition())['status'], patient).toBe('True')
}

async function discovered(): Promise<{ version: string, freshness: string, resources?: { resource: string }[] }[]> {
  const { body } = await it.admin('/apis', { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } })
  return (body as { items: { metadata: { name: string }, versions: { version: string, freshness: string, resources?: { resource: string }[] }[] }[] }).items.find(({ metadata }) => metadata.name === group)?.versions ?? []
}

beforeAll(async () => {
  it = await startTestServer({ requestTimeoutSeconds: 2 })
  config = await it.kubeconfigFor('admin', 'system:masters')
})
afterAll(() => it?.stop())
beforeEach(async () => {
  backend = await startAggregatedServer({ serverName: 'wardle.default.svc', frontProxyCa: it.server.certificates.requestHeaderCa, address: 'localhost' })
})
afterEach(async () => {
  await it.admin(`${apiServices}/${name}`, { method: 'DELETE' })
  await it.admin('/api/v1/namespaces/default/services/wardle', { method: 'DELETE' })
  await backend.stop()
})

describe('what this server serves itself is registered', () => {
  test('built-in group versions once, with their priorities', async () => {
    const { items } = (await it.admin(apiServices)).body as { items: APIService[] }
    const found = (wanted: string): APIService | undefined => items.find(({ metadata }) => metadata.name === wanted)
    expect(found('v1.apps')).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } }, spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }] },
    })
    expect(found('v1.')?.spec).toEqual({ version: 'v1', groupPriorityMinimum: 18000, versionPriority: 1 })
    expect(found('v2.autoscaling')?.spec.versionPriority).toBe(30)
    expect(found('v1.apiregistration.k8s.io')).toBeUndefined()
  })

  test('custom resources as long as they are served', async () => {
    const crd = { metadata: { name: 'ships.sea.example.com' }, spec: { group: 'sea.example.com', scope: 'Namespaced', names: { plural: 'ships', kind: 'Ship' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }] } }
    await it.admin('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: crd })
    const registered = async (): Promise<Answer> => it.admin(`${apiServices}/v1.sea.example.com`)
    await expect.poll(async () => (await registered()).status, patient).toBe(200)
    expect((await registered()).body).toMatchObject({ metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } }, spec: { groupPriorityMinimum: 1000, versionPriority: 100 } })
    await it.admin(`${apiServices}/v1.sea.example.com`, { method: 'DELETE' })
    await expect.poll(async () => (await registered()).status, patient).toBe(200)
    await it.admin('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ships.sea.example.com', { method: 'DELETE' })
    await expect.poll(async () => (await registered()).status, patient).toBe(404)
  })
})

describe('a request for an aggregated group version', () => {
  test('goes on in the name of its user, with none of the client\'s credentials or claims', async () => {
    await register()
    await available()
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    await it.admin(`${rbac}/clusterroles`, { body: { metadata: { name: 'flunders' }, rules: [{ apiGroups: [group], resources: ['flunders'], verbs: ['list'] }] } })
    await it.admin(`${rbac}/clusterrolebindings`, { body: { metadata: { name: 'flunders' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'flunders' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }] } })
    const answer = await it.ask(`${flunders}?limit=5`, { token: 'bob-token', headers: { 'x-remote-user': 'root', 'x-remote-group': 'system:masters', 'x-remote-extra-a': 'b', 'audit-id': 'abc-1' } })
    expect([answer.status, (answer.body as { kind: string }).kind]).toEqual([200, 'FlunderList'])
    const seen = backend.seen.at(-1)
    expect(seen).toMatchObject({ method: 'GET', url: `${flunders}?limit=5`, proxy: 'front-proxy-client', user: 'bob', groups: ['system:authenticated'], extra: {} })
    expect(seen?.headers).toMatchObject({ 'x-remote-uid': '2', 'audit-id': 'abc-1' })
    expect(seen?.headers.authorization).toBeUndefined()
  })

  test('is authorized here first', async () => {
    await register()
    await available()
    const before = backend.seen.length
    const answer = await it.ask(`${flunders}/x`, { token: 'bob-token' })
    expect([answer.status, (answer.body as { message: string }).message]).toEqual([403, `flunders.${group} "x" is forbidden: User "bob" cannot get resource "flunders" in API group "${group}" in the namespace "default"`])
    expect(backend.seen.slice(before).filter(({ url }) => url.includes('/x'))).toEqual([])
  })

  test('names groups and extras of certificates and impersonated users', async () => {
    await register()
    await available()
    await it.ask(flunders, { token: adminToken, headers: { 'impersonate-user': 'carol', 'impersonate-group': 'system:masters', 'impersonate-extra-acme.com%2fproject': 'p' } })
    expect(backend.seen.at(-1)).toMatchObject({ user: 'carol', groups: ['system:masters', 'system:authenticated'], extra: { 'x-remote-extra-acme.com%2fproject': ['p'] } })
    expect(Object.keys(backend.seen.at(-1)?.headers ?? {}).filter((each) => each.startsWith('impersonate'))).toEqual([])
  })

  test('passes bodies of any size, statuses and errors of the server as they are', async () => {
    await register()
    await available()
    const padding = 'x'.repeat(5 * 1024 * 1024)
    const made = await it.admin(flunders, { body: { padding } })
    expect([made.status, (made.body as { size: number }).size]).toEqual([201, JSON.stringify({ padding }).length])
    const missing = await it.admin(`/apis/${groupVersion}/nothing`)
    expect([missing.status, (missing.body as { reason: string }).reason]).toEqual([404, 'NotFound'])
  })

  test('may watch: events come as they happen, and the server is let go when the client is', async () => {
    await register()
    await available()
    const socket = await new Promise<{ lines: string[], end(): void }>((resolve, reject) => {
      const lines: string[] = []
      const request = httpsRequest(`${it.url}${flunders}?watch=true`, { rejectUnauthorized: false, agent: false, headers: { authorization: `Bearer ${adminToken}` } }, (response) => {
        response.on('data', (chunk: Buffer) => {
          lines.push(...String(chunk).split('\n').filter((line) => line !== ''))
          if (lines.length >= 3) resolve({ lines, end: () => request.destroy() })
        })
        response.on('error', () => {})
      })
      request.on('error', reject)
      request.end()
    })
    expect(socket.lines.slice(0, 2).map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['ADDED', 'MODIFIED'])
    socket.end()
  })

  test('may be upgraded: bytes go both ways', async () => {
    await register()
    await available()
    const socket = connect({ port: it.server.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    await once(socket, 'secureConnect')
    socket.write(`GET ${flunders}/first/connect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nAuthorization: Bearer ${adminToken}\r\nX-Remote-User: root\r\n\r\n`)
    let text = ''
    socket.on('data', (chunk) => { text += String(chunk) })
    await expect.poll(() => text, patient).toContain('101 Switching Protocols')
    expect(text).toContain('X-Seen-User: admin')
    socket.write('there and back')
    await expect.poll(() => text, patient).toContain('there and back')
    expect(backend.seen.at(-1)?.headers.authorization).toBeUndefined()
    socket.destroy()
  })

  test('does not climb out of it, and redirects stay inside', async () => {
    await register()
    await available()
    const before = backend.seen.length
    for (const path of [`/apis/${groupVersion}/../../version`, `/apis/${groupVersion}/%2e%2e/%2e%2e/version`]) expect((await rawGet(path)).split(' ')[1]).not.toBe('200')
    expect(backend.seen.slice(before).filter(({ url }) => url.includes('version'))).toEqual([])
    const redirect = await it.admin(`${flunders}/elsewhere`)
    expect([redirect.status, redirect.text]).toEqual([502, 'the backend attempted to redirect this request, which is not permitted'])
  })

  test('that is not answered in time is a 504; an answer that breaks off ends the connection', async () => {
    await register()
    await available()
    const slow = await it.admin(`${flunders}/slow`)
    expect([slow.status, (slow.body as { reason: string }).reason]).toEqual([504, 'Timeout'])
    expect((await it.admin(`${flunders}/slow?timeout=100ms`)).status).toBe(504)
    const malformed = await it.admin(`${flunders}/slow?timeout=soon`)
    expect([malformed.status, malformed.text]).toEqual([400, `Error - invalid timeout specified in the request URL - time: invalid duration "soon": "${flunders}/slow?timeout=soon"\n`])
    await expect(it.admin(`${flunders}/half`)).rejects.toThrow()
    expect((await it.admin(`${flunders}/first`)).status).toBe(200)
  })
})

/** The status line of a GET whose path nobody normalizes. */
async function rawGet(path: string): Promise<string> {
  const socket = connect({ port: it.server.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
  await once(socket, 'secureConnect')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${adminToken}\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => { text += String(chunk) })
  await once(socket, 'close')
  return text.split('\r\n')[0] ?? ''
}

describe('an APIService that is not available', () => {
  test('says that its Service is missing, and its paths answer 503', async () => {
    await it.admin(apiServices, { body: { metadata: { name }, spec: { group, version: 'v1', groupPriorityMinimum: 2000, versionPriority: 10, insecureSkipTLSVerify: true, service: { namespace: 'default', name: 'nobody' } } } })
    await expect.poll(condition, patient).toEqual({ type: 'Available', status: 'False', reason: 'ServiceNotFound', message: 'service/nobody in "default" is not present' })
    const answer = await it.admin(flunders)
    expect([answer.status, answer.text]).toEqual([503, 'service unavailable\n'])
    const { text } = await it.admin('/metrics')
    expect(text).toContain(`aggregator_unavailable_apiservice{name="${name}"} 1\n`)
    expect(text).toMatch(new RegExp(`^aggregator_unavailable_apiservice_total\\{name="${name}",reason="ServiceNotFound"\\} \\d+$`, 'm'))
    expect(text).toContain('aggregator_unavailable_apiservice{name="v1.apps"} 0\n')
    await it.admin('/api/v1/namespaces/default/services', { body: { metadata: { name: 'nobody' }, spec: { ports: [{ port: 8443 }] } } })
    await expect.poll(condition, patient).toMatchObject({ reason: 'ServicePortError', message: 'service/nobody in "default" is not listening on port 443' })
    await it.admin('/api/v1/namespaces/default/services/nobody', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { spec: { ports: [{ port: 443, name: 'https' }] } } })
    await expect.poll(condition, patient).toMatchObject({ reason: 'EndpointsNotFound', message: 'cannot find endpointslices for service/nobody in "default"' })
    await it.admin('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { body: { metadata: { name: 'nobody-1', labels: { 'kubernetes.io/service-name': 'nobody' } }, addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.7'], conditions: { ready: false } }], ports: [{ name: 'https', port: 443 }] } })
    await expect.poll(condition, patient).toMatchObject({ reason: 'MissingEndpoints', message: 'endpointslices for service/nobody in "default" have no addresses with port name "https"' })
    await it.admin('/api/v1/namespaces/default/services/nobody', { method: 'DELETE' })
    await it.admin('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/nobody-1', { method: 'DELETE' })
  })

  test.each([
    ['a certificate of another authority', async () => ({ caBundle: Buffer.from((await createCa('other')).certificate).toString('base64') }), 'tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    ['a certificate for another name', async () => ({ service: { namespace: 'default', name: 'wardle2', port: backend.port } }), 'tls: failed to verify certificate: x509: certificate is valid for wardle.default.svc, not wardle2.default.svc'],
  ])('because of %s is told so', async (_what, spec, why) => {
    await it.admin('/api/v1/namespaces/default/services', { body: { metadata: { name: 'wardle2' }, spec: { type: 'ExternalName', externalName: 'localhost' } } })
    await register(await spec())
    const url = `https://localhost:${backend.port}/apis/${groupVersion}`
    await expect.poll(condition, patient).toEqual({ type: 'Available', status: 'False', reason: 'FailedDiscoveryCheck', message: `failing or missing response from ${url}: Get "${url}": ${why}` })
    await it.admin('/api/v1/namespaces/default/services/wardle2', { method: 'DELETE' })
  })

  test('because it answers badly comes back when it answers well; while it is gone, discovery says that it is stale', async () => {
    backend.behave('broken')
    await register()
    const url = `https://localhost:${backend.port}/apis/${groupVersion}`
    await expect.poll(condition, patient).toMatchObject({ reason: 'FailedDiscoveryCheck', message: `failing or missing response from ${url}: bad status from ${url}: 500` })
    await expect.poll(discovered, patient).toEqual([{ version: 'v1', freshness: 'Stale' }])
    const { body } = await it.admin(`/apis/${group}`)
    expect(body).toMatchObject({ kind: 'APIGroup', name: group, preferredVersion: { groupVersion } })
    backend.behave('well')
    await expect.poll(condition, patient).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' })
    await expect.poll(async () => (await discovered())[0]?.freshness, patient).toBe('Current')
  })

  test('of which nobody knows yet answers 503 in upstream\'s words', async () => {
    await register()
    await available()
    const { port } = backend
    await backend.stop()
    const answer = await it.admin(flunders)
    expect([answer.status, answer.text.replace(/\d+\.\d+\.\d+\.\d+|\[::1\]/, 'localhost')]).toEqual([503, `error trying to reach service: dial tcp localhost:${port}: connect: connection refused\n`])
    backend = await startAggregatedServer({ serverName: 'wardle.default.svc', frontProxyCa: it.server.certificates.requestHeaderCa, address: 'localhost' })
  })
})

const address = Object.values(networkInterfaces()).flatMap((list) => list ?? []).find(({ family, internal }) => family === 'IPv4' && !internal)?.address
if (address === undefined) console.log('skipped: endpoints of aggregated servers, as this machine has no address but the loopback interface\'s')

test.skipIf(address === undefined)('a Service with endpoints is reached at a ready one of them', async () => {
  const server = await startAggregatedServer({ serverName: 'wardle.default.svc', frontProxyCa: it.server.certificates.requestHeaderCa, address: address ?? '' })
  await it.admin('/api/v1/namespaces/default/services', { body: { metadata: { name: 'wardle' }, spec: { ports: [{ port: 443, targetPort: server.port }] } } })
  const endpoints = [{ addresses: ['192.0.2.7'], conditions: { ready: false } }, { addresses: [address], conditions: { ready: true } }]
  await it.admin('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { body: { metadata: { name: 'wardle-1', labels: { 'kubernetes.io/service-name': 'wardle' } }, addressType: 'IPv4', endpoints, ports: [{ name: '', port: server.port }] } })
  await it.admin(apiServices, { body: { metadata: { name }, spec: { group, version: 'v1', groupPriorityMinimum: 2000, versionPriority: 10, caBundle: Buffer.from(server.ca).toString('base64'), service: { namespace: 'default', name: 'wardle' } } } })
  await available()
  expect((await it.admin(`${flunders}/first`)).status).toBe(200)
  await it.admin('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/wardle-1', { method: 'DELETE' })
  await server.stop()
})

describe('discovery and OpenAPI', () => {
  test.each(['well', 'plain'] as const)('have the group versions of a server that behaves %s', async (how) => {
    backend.behave(how)
    await register()
    await available()
    await expect.poll(discovered, patient).toMatchObject([{ version: 'v1', freshness: 'Current', resources: [{ resource: 'flunders', scope: 'Namespaced', shortNames: ['fl'], responseKind: { kind: 'Flunder' }, subresources: [{ subresource: 'status' }] }] }])
    const { groups } = (await it.admin('/apis')).body as { groups: { name: string }[] }
    expect(groups.map((each) => each.name).slice(-2)).toEqual(['flowcontrol.apiserver.k8s.io', group])
    await expect.poll(async () => Object.keys(((await it.admin('/openapi/v2')).body as { paths: object }).paths), patient).toContain(`/apis/${groupVersion}/namespaces/{namespace}/flunders`)
    const swagger = (await it.admin('/openapi/v2')).body as { definitions: object, paths: object }
    expect(swagger.definitions).toHaveProperty(['com.example.wardle.v1.Flunder'])
    expect(swagger.definitions).not.toHaveProperty(['com.example.unused'])
    expect(swagger.definitions).toHaveProperty(['io.k8s.api.core.v1.Pod'])
  })

  test('v3 documents are read from their own server', async () => {
    await register()
    await available()
    const url = async (): Promise<string | undefined> => ((await it.admin('/openapi/v3')).body as { paths: Record<string, { serverRelativeURL: string }> }).paths[`apis/${groupVersion}`]?.serverRelativeURL
    await expect.poll(url, patient).toBe(`/openapi/v3/apis/${groupVersion}?hash=1`)
    expect((await it.admin(await url() ?? '')).body).toMatchObject({ openapi: '3.0.0', info: { title: 'wardle' } })
    await it.admin(`${apiServices}/${name}`, { method: 'DELETE' })
    await expect.poll(url, patient).toBeUndefined()
    expect((await it.admin(flunders)).status).toBe(404)
  })

  test.skipIf(!hasKubectl)('kubectl knows the kind, explains it and gets it', async () => {
    await register()
    await available()
    await expect.poll(async () => (await discovered())[0]?.freshness, patient).toBe('Current')
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(config, args)
      return code === 0 ? stdout : stderr
    }
    expect(await run('api-resources', '--api-group', group)).toMatch(/flunders +fl +wardle\.example\.com\/v1 +true +Flunder/)
    expect(await run('api-versions')).toContain(`${groupVersion}\n`)
    expect(await run('get', 'fl', 'first', '-o', 'name')).toBe(`flunder.${group}/first\n`)
    // kubectl speaks HTTP/2: a body with its length, and a watch.
    const made = await kubectl(config, ['create', '--validate=false', '-o', 'name', '-f', '-'], { input: JSON.stringify({ apiVersion: groupVersion, kind: 'Flunder', metadata: { name: 'made' }, spec: {} }) })
    expect(made).toMatchObject({ code: 0, stdout: `flunder.${group}/made\n` })
    expect(backend.seen.find(({ method }) => method === 'POST')).toMatchObject({ user: 'admin', proxy: 'front-proxy-client' })
    const watching = spawnKubectl(config, ['get', 'fl', '-w', '--no-headers'])
    let lines = ''
    watching.stdout?.on('data', (chunk: Buffer) => { lines += String(chunk) })
    await expect.poll(() => lines.split('\n').length, patient).toBeGreaterThan(4)
    watching.kill()
    await once(watching, 'exit')
    await expect.poll(() => run('explain', 'flunder.spec.reference'), patient).toContain('What it refers to.')
    expect(await run('get', 'apiservices', name)).toMatch(/v1\.wardle\.example\.com +default\/wardle +True +\S+\n/)
  })
})

test('a front proxy may name users to this server, and nobody else', async () => {
  const { requestHeaderCa, proxyClient } = it.server.certificates
  const review = { body: { spec: {} } }
  const who = async (headers: Record<string, string>, cert?: { certificate: string, key: string }): Promise<unknown> => {
    const { status, body } = await it.ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', { ...review, headers, ...(cert && { cert }) })
    return status === 201 ? (body as { status: { userInfo: unknown } }).status.userInfo : status
  }
  const named = { 'x-remote-user': 'dora', 'x-remote-group': 'cn=a,ou=b', 'x-remote-extra-scopes': 's' }
  expect(await who(named, proxyClient)).toEqual({ username: 'dora', groups: ['cn=a,ou=b', 'system:authenticated'], extra: { scopes: ['s'] } })
  expect(await who(named, await it.certificateFor('front-proxy-client'))).toMatchObject({ username: 'front-proxy-client' })
  expect(await who({}, proxyClient)).toBe(401)
  const strange = await createCa('front-proxy-ca')
  expect(await who(named, await issueCertificate(strange, { commonName: 'front-proxy-client', usages: ['client'] }))).toBe(401)
  const { data } = (await it.admin('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication')).body as { data: Record<string, string> }
  expect(data).toMatchObject({
    'client-ca-file': it.server.certificates.clientCa, 'requestheader-client-ca-file': requestHeaderCa, 'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]', 'requestheader-uid-headers': '["X-Remote-Uid"]', 'requestheader-group-headers': '["X-Remote-Group"]', 'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  })
})
