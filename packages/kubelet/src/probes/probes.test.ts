import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probeGrpc } from './grpc.ts'
import { httpTarget, probeHttp } from './http.ts'
import { resolvePort } from './run.ts'
import { probeTcp } from './tcp.ts'

describe('probes over the network', () => {
  let server: Server
  let port: number
  let seen: Record<string, unknown> = {}
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen = request.headers
      if (request.url === '/hang') return
      if (request.url === '/away') return void response.writeHead(302, { location: 'http://example.invalid/' }).end('bye')
      if (request.url === '/home') return void response.writeHead(302, { location: '/bad' }).end()
      response.writeHead(request.url === '/bad' ? 503 : 200).end('body')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server.close())
  const get = (path: string, timeoutMs = 2000): ReturnType<typeof probeHttp> => {
    const { url, headers } = httpTarget({ path, port }, '127.0.0.1', port)
    return probeHttp(url, headers, timeoutMs)
  }

  it('succeed from 200 to 399', async () => {
    expect(await get('/')).toEqual({ result: 'success', output: 'body' })
    expect(seen).toMatchObject({ 'user-agent': 'kube-probe/1.36', accept: '*/*' })
  })
  it.each([['/bad', 'failure', 'HTTP probe failed with statuscode: 503'], ['/home', 'failure', 'HTTP probe failed with statuscode: 503'], ['/away', 'warning', 'Probe terminated redirects, Response body: bye']])('%s is a %s: %s', async (path, result, output) =>
    expect(await get(path)).toEqual({ result, output }))
  it('fail when there is no answer in time', async () => {
    expect((await get('/hang', 50)).output).toBe(`Get "http://127.0.0.1:${port}/hang": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`)
  })
  it('tell a refused connection', async () => {
    const free = await new Promise<number>((resolve) => {
      const s = createTcpServer().listen(0, '127.0.0.1', () => {
        const { port: p } = s.address() as AddressInfo
        s.close(() => resolve(p))
      })
    })
    expect(await probeTcp('127.0.0.1', free, 1000)).toEqual({ result: 'failure', output: `dial tcp 127.0.0.1:${free}: connect: connection refused` })
    const { url, headers } = httpTarget({ port: free }, '127.0.0.1', free)
    expect((await probeHttp(url, headers, 1000)).output).toBe(`Get "http://127.0.0.1:${free}/": dial tcp 127.0.0.1:${free}: connect: connection refused`)
    expect(await probeTcp('127.0.0.1', port, 1000)).toMatchObject({ result: 'success' })
  })
  it('find a port by its name', () => {
    const c = { name: 'c', ports: [{ name: 'web', containerPort: 8080 }] }
    expect([resolvePort(80, c), resolvePort('web', c), resolvePort('81', c)]).toEqual([80, 8080, 81])
    expect(() => resolvePort('none', c)).toThrow('couldn\'t find port: "none" in container c')
  })
})

describe('the gRPC health probe', () => {
  /** A health server that answers each service with this status. */
  const serve = async (statuses: Record<string, number>): Promise<{ port: number; close: () => void }> => {
    const server = createHttp2Server()
    server.on('stream', (stream: ServerHttp2Stream) => {
      const chunks: Buffer[] = []
      stream.on('data', (c: Buffer) => chunks.push(c))
      stream.on('end', () => {
        const service = Buffer.concat(chunks).subarray(7).toString('utf8')
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
        const status = statuses[service]
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status === undefined ? '5' : '0' }))
        stream.end(status === undefined ? undefined : Buffer.from([0, 0, 0, 0, 2, 8, status]))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { port: (server.address() as AddressInfo).port, close: () => server.close() }
  }
  it.each([
    ['', 'success', 'service healthy (responded with "SERVING")'], ['db', 'failure', 'service unhealthy (responded with "NOT_SERVING")'], ['unknown', 'failure', 'error: health rpc failed with code 5'],
  ])('of service %j is a %s', async (service, result, output) => {
    const { port, close } = await serve({ '': 1, db: 2 })
    try {
      expect(await probeGrpc('127.0.0.1', port, service, 2000)).toEqual({ result, output })
    } finally {
      close()
    }
  })
})
