import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import { DnsError } from '../errors.ts'
import type { Upstream } from '../forward/resolvers.ts'

/** /metrics, /health and /ready, each as CoreDNS answers them on ports of their own. Throws DnsError naming the address. */
export async function serveHealth(at: Upstream, registry: Registry, ready: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    if (path === '/health') return void response.end('OK')
    if (path === '/ready') return void response.writeHead(ready() ? 200 : 503).end(ready() ? 'OK' : 'kubernetes')
    if (path !== '/metrics') return void response.writeHead(404).end('404 page not found\n')
    void registry.metrics().then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text), (error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new DnsError('Listen', `cannot listen on ${at.address}:${at.port}: ${error.message}`, { cause: error })))
    server.listen(at.port, at.address, () => resolve())
  })
  server.on('error', () => {}) // e.g. no file descriptor is left for a connection: later ones may do
  return server
}
