// A small API server behind the one under test: one group version, one kind, and whatever can go wrong with it.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createCa, issueCertificate } from '@berth/kube'

export const group = 'wardle.example.com'
export const groupVersion = `${group}/v1`
const base = `/apis/${groupVersion}`

/** A request as the aggregated server saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** Common name of the client certificate that the front proxy's authority signed; undefined without one. */
  readonly proxy: string | undefined
  readonly user: string | undefined
  readonly groups: string[]
  readonly extra: Record<string, string[]>
}

export interface AggregatedServer {
  readonly port: number
  /** The authority of its serving certificate, PEM. */
  readonly ca: string
  readonly seen: Seen[]
  /** How it behaves from now on. */
  behave(how: 'well' | 'plain' | 'broken' | 'silent'): void
  /** Ends every connection, as a server that dies does. */
  cut(): void
  stop(): Promise<void>
}

/** Starts one whose certificate is for `<name>.<namespace>.svc`; it believes the users that a client with a certificate of `frontProxyCa` names, and nobody else. */
export async function startAggregatedServer(options: { serverName: string, frontProxyCa: string, address: string }): Promise<AggregatedServer> {
  const ca = await createCa('aggregated')
  const identity = await issueCertificate(ca, { commonName: 'wardle', dnsNames: [options.serverName], usages: ['server'] })
  const seen: Seen[] = []
  let how: Parameters<AggregatedServer['behave']>[0] = 'well'
  const look = (request: IncomingMessage): Seen => {
    const socket = request.socket as TLSSocket
    const lines = (name: string): string[] => request.headersDistinct[name] ?? []
    const one: Seen = {
      method: request.method ?? '', url: request.url ?? '', headers: request.headers, proxy: socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined,
      user: lines('x-remote-user')[0], groups: lines('x-remote-group'),
      extra: Object.fromEntries(Object.keys(request.headersDistinct).filter((name) => name.startsWith('x-remote-extra-')).map((name) => [name, lines(name)])),
    }
    seen.push(one)
    return one
  }
  const server = createServer({ cert: identity.certificate, key: identity.key, ca: options.frontProxyCa, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const { proxy } = look(request)
    if (how === 'silent') return
    if (how === 'broken') return void response.writeHead(500, { 'content-type': 'text/plain' }).end('out of order')
    if (proxy !== 'front-proxy-client') return json(response, 401, status(401, 'Unauthorized', 'Unauthorized'))
    answer(request, response, how === 'plain')
  })
  server.on('upgrade', (request, socket) => {
    look(request)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${String(request.headers.upgrade)}\r\nX-Seen-User: ${String(request.headers['x-remote-user'])}\r\n\r\n`)
    socket.pipe(socket)
    socket.on('error', () => {})
  })
  server.listen(0, options.address)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, ca: ca.certificate, seen,
    behave: (next) => { how = next },
    cut: () => server.closeAllConnections(),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function json(response: ServerResponse, code: number, value: unknown, contentType = 'application/json'): void {
  response.writeHead(code, { 'content-type': contentType }).end(`${JSON.stringify(value)}\n`)
}

const status = (code: number, reason: string, message: string): unknown => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })
const flunder = (name: string): unknown => ({ kind: 'Flunder', apiVersion: groupVersion, metadata: { name, namespace: 'default', resourceVersion: '7', creationTimestamp: null }, spec: { reference: 'r' } })
const verbs = ['create', 'get', 'list', 'watch']

const aggregated = {
  kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items: [{
    metadata: { name: group }, versions: [{
      version: 'v1', freshness: 'Current', resources: [{
        resource: 'flunders', responseKind: { group, version: 'v1', kind: 'Flunder' }, scope: 'Namespaced', singularResource: 'flunder', verbs, shortNames: ['fl'],
        subresources: [{ subresource: 'status', responseKind: { group, version: 'v1', kind: 'Flunder' }, verbs: ['get'] }],
      }],
    }],
  }],
}
const list = {
  kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [
    { name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs, shortNames: ['fl'] }, { name: 'flunders/status', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['get'] },
  ],
}
const definition = {
  description: 'A Flunder is what the field has always had.', type: 'object', properties: { spec: { type: 'object', properties: { reference: { type: 'string', description: 'What it refers to.' } } } },
  'x-kubernetes-group-version-kind': [{ group, version: 'v1', kind: 'Flunder' }],
}
const operation = { operationId: 'listFlunders', responses: { 200: { description: 'OK' } }, 'x-kubernetes-action': 'list', 'x-kubernetes-group-version-kind': { group, version: 'v1', kind: 'Flunder' } }

function answer(request: IncomingMessage, response: ServerResponse, plain: boolean): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://aggregated')
  const flunders = `${base}/namespaces/default/flunders`
  if (pathname === '/apis' && !plain) return json(response, 200, aggregated, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
  if (pathname === base) return json(response, 200, list)
  if (pathname === '/openapi/v3' && !plain) return json(response, 200, { paths: { [`apis/${groupVersion}`]: { serverRelativeURL: `/openapi/v3/apis/${groupVersion}?hash=1` }, version: { serverRelativeURL: '/openapi/v3/version?hash=1' } } })
  if (pathname === `/openapi/v3/apis/${groupVersion}`) {
    return json(response, 200, {
      openapi: '3.0.0', info: { title: 'wardle', version: '1' }, components: { schemas: { 'com.example.wardle.v1.Flunder': definition } },
      paths: { [`${base}/namespaces/{namespace}/flunders`]: { get: { ...operation, responses: { 200: { description: 'OK', content: { 'application/json': { schema: { $ref: '#/components/schemas/com.example.wardle.v1.Flunder' } } } } } } } },
    })
  }
  if (pathname === '/openapi/v2') {
    return json(response, 200, {
      swagger: '2.0', info: { title: 'wardle', version: '1' }, definitions: { 'com.example.wardle.v1.Flunder': definition, 'com.example.unused': { type: 'object' } },
      paths: { [`${base}/namespaces/{namespace}/flunders`]: { get: { ...operation, responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/com.example.wardle.v1.Flunder' } } } } }, '/version/': { get: operation } },
    })
  }
  if (pathname === flunders && searchParams.get('watch') === 'true') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(`${JSON.stringify({ type: 'ADDED', object: flunder('first') })}\n`)
    const timer = setInterval(() => response.write(`${JSON.stringify({ type: 'MODIFIED', object: flunder('first') })}\n`), 20)
    response.on('close', () => clearInterval(timer))
    return
  }
  if (pathname === flunders && request.method === 'POST') {
    let size = 0
    request.on('data', (chunk: Buffer) => { size += chunk.length })
    request.on('end', () => json(response, 201, { ...(flunder('made') as object), size }))
    return
  }
  if (pathname === flunders) return json(response, 200, { kind: 'FlunderList', apiVersion: groupVersion, metadata: { resourceVersion: '7' }, items: [flunder('first')] })
  if (pathname === `${flunders}/elsewhere`) return void response.writeHead(302, { location: 'https://elsewhere.example/' }).end()
  // Never answered: what asks for it is patient, or not.
  if (pathname === `${flunders}/slow`) return
  if (pathname === `${flunders}/half`) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{"kind":')
    setTimeout(() => request.socket.destroy(), 50)
    return
  }
  if (pathname.startsWith(`${flunders}/`)) return json(response, 200, flunder(pathname.slice(flunders.length + 1)))
  json(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'))
}
