import { createServer, type RequestListener, type Server } from 'node:http'
import { ProxyError } from '../errors.ts'
import type { Listen } from '../config.ts'

/** What the health answers are made of. */
export interface HealthState {
  /** Milliseconds; when rules were last known to be right. */
  lastUpdated(): number
  /** Whether a change has waited too long, or none was ever synced. */
  healthy(): boolean
  /** Whether the node should get load balancer traffic: false while it is being deleted. */
  eligible(): boolean
}

/** Listens with plain HTTP. Throws ProxyError naming the address. */
export async function listen(address: Listen, handler: RequestListener): Promise<Server> {
  const server = createServer(handler)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new ProxyError('Config', `cannot listen on ${address.address}:${address.port}: ${error.message}`, { cause: error })))
    server.listen(address.port, address.address, () => resolve())
  })
  server.unref()
  return server
}

/** /healthz (for load balancers: also whether the node is eligible) and /livez, as kube-proxy answers them on 10256. */
export function healthHandler(state: HealthState): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0]
    if (path !== '/healthz' && path !== '/livez') return void response.writeHead(404).end('404 page not found\n')
    const good = state.healthy() && (path === '/livez' || state.eligible())
    const now = new Date()
    const last = state.lastUpdated()
    const body = { lastUpdated: (good ? now : new Date(last)).toISOString(), currentTime: now.toISOString(), ...(path === '/healthz' ? { nodeEligible: state.eligible() } : {}) }
    response.writeHead(good ? 200 : 503, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' }).end(JSON.stringify(body))
  }
}

/** One HTTP server for each service's health check node port, where load balancers ask whether this node has endpoints. */
export class HealthCheckPorts {
  readonly #address: string
  readonly #servers = new Map<number, { service: string; server: Server }>()
  readonly #endpoints = new Map<string, number>()
  readonly #healthy: () => boolean

  constructor(address: string, healthy: () => boolean) {
    this.#address = address
    this.#healthy = healthy
  }

  /** Brings the servers in line. Gives what could not be opened, in words; it is tried again next time. */
  async sync(wanted: ReadonlyMap<string, { port: number; localEndpoints: number }>): Promise<string[]> {
    const problems: string[] = []
    for (const [port, { service, server }] of this.#servers) {
      if (wanted.get(service)?.port === port) continue
      server.close()
      this.#servers.delete(port)
    }
    for (const [service, { port, localEndpoints }] of wanted) {
      this.#endpoints.set(service, localEndpoints)
      if (this.#servers.has(port)) continue
      try {
        this.#servers.set(port, { service, server: await listen({ address: this.#address, port }, (_request, response) => this.#answer(service, response)) })
      } catch (error) {
        problems.push(`${service}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    return problems
  }

  close(): void {
    for (const { server } of this.#servers.values()) server.close()
    this.#servers.clear()
  }

  #answer(service: string, response: Parameters<RequestListener>[1]): void {
    const [namespace, name] = service.split('/')
    const localEndpoints = this.#endpoints.get(service) ?? 0
    const serviceProxyHealthy = this.#healthy()
    const headers = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff', 'x-load-balancing-endpoint-weight': String(localEndpoints) }
    response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, headers).end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }))
  }
}
