import type { Registry } from 'prom-client'
import type { Transport } from '../transport/transport.ts'

const buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

/** A transport that counts its requests as client-go does: `rest_client_requests_total` and `rest_client_request_duration_seconds` (until the answer's headers). */
export async function meteredTransport(transport: Transport, registry: Registry, host: string): Promise<Transport> {
  const { Counter, Histogram } = await import('prom-client')
  const requests = new Counter({ name: 'rest_client_requests_total', help: 'Number of HTTP requests, partitioned by status code, method, and host.', labelNames: ['code', 'method', 'host'], registers: [registry] })
  const durations = new Histogram({ name: 'rest_client_request_duration_seconds', help: 'Request latency in seconds. Broken down by verb, and host.', labelNames: ['verb', 'host'], buckets, registers: [registry] })
  return {
    async request(request) {
      const done = durations.startTimer({ verb: request.method, host })
      try {
        const response = await transport.request(request)
        requests.inc({ code: String(response.status), method: request.method, host })
        return response
      } catch (error) {
        requests.inc({ code: '<error>', method: request.method, host })
        throw error
      } finally {
        done()
      }
    },
    close: () => transport.close(),
  }
}
