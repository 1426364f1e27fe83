import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Upstream } from './forward/resolvers.ts'
import type { Observation } from './server/responder.ts'

export interface DnsMetrics {
  observe(observation: Observation): void
  forwarded(upstream: Upstream, seconds: number, rcode: string): void
  /** Seconds from the change of a headless service's endpoints to its records. */
  programmed(seconds: number): void
}

/** CoreDNS's names and labels. */
export function createMetrics(registry: Registry, server: string): DnsMetrics {
  const registers = [registry]
  const buckets = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i)
  const requests = new Counter({ name: 'coredns_dns_requests_total', help: 'Counter of DNS requests made per zone, protocol and family.', labelNames: ['server', 'zone', 'view', 'proto', 'family', 'type'], registers })
  const responses = new Counter({ name: 'coredns_dns_responses_total', help: 'Counter of response status codes.', labelNames: ['server', 'zone', 'view', 'rcode', 'plugin'], registers })
  const duration = new Histogram({ name: 'coredns_dns_request_duration_seconds', help: 'Histogram of the time (in seconds) each request took per zone.', labelNames: ['server', 'zone', 'view'], buckets, registers })
  const proxied = new Histogram({ name: 'coredns_proxy_request_duration_seconds', help: 'Histogram of the time each request took.', labelNames: ['proxy_name', 'to', 'rcode'], buckets, registers })
  const programming = new Histogram({
    name: 'coredns_kubernetes_dns_programming_duration_seconds', help: 'In Cluster DNS Programming Latency in seconds', labelNames: ['service_kind'], buckets: Array.from({ length: 20 }, (_, i) => 0.001 * 2 ** i), registers,
  })
  new Gauge({ name: 'coredns_plugin_enabled', help: 'A metric that indicates whether a plugin is enabled on per server and zone basis.', labelNames: ['server', 'zone', 'view', 'name'], registers })
    .set({ server, zone: '.', view: '', name: 'kubernetes' }, 1)
  return {
    observe({ zone, protocol, type, rcode, plugin, seconds }) {
      requests.inc({ server, zone, view: '', proto: protocol, family: '1', type })
      responses.inc({ server, zone, view: '', rcode, plugin })
      duration.observe({ server, zone, view: '' }, seconds)
    },
    forwarded: ({ address, port }, seconds, rcode) => proxied.observe({ proxy_name: 'forward', to: `${address}:${port}`, rcode }, seconds),
    programmed: (seconds) => programming.observe({ service_kind: 'headless_with_selector' }, seconds),
  }
}
