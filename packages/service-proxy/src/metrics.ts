import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface ProxyMetrics {
  synced(seconds: number, full: boolean): void
  failed(): void
  /** Something changed and waits for the next sync. */
  queued(what: 'service' | 'endpoint'): void
  pending(services: number, endpoints: number): void
  noLocalEndpoints(policy: 'internal' | 'external', services: number): void
  /** Seconds from the change of endpoints to the kernel's rules. */
  programmed(seconds: number): void
}

// The buckets of kube-proxy: 1 ms to about 16 s, doubling.
const doubling = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)

/** kube-proxy's names, labels and meanings. */
export function createMetrics(registry: Registry): ProxyMetrics {
  const registers = [registry]
  const labels = { ip_family: 'IPv4' }
  const family = ['ip_family'] as const
  const sync = new Histogram({ name: 'kubeproxy_sync_proxy_rules_duration_seconds', help: 'SyncProxyRules latency in seconds', labelNames: family, buckets: doubling, registers })
  const full = new Histogram({ name: 'kubeproxy_sync_full_proxy_rules_duration_seconds', help: 'SyncProxyRules latency in seconds for full resyncs', labelNames: family, buckets: doubling, registers })
  const partial = new Histogram({ name: 'kubeproxy_sync_partial_proxy_rules_duration_seconds', help: 'SyncProxyRules latency in seconds for partial resyncs', labelNames: family, buckets: doubling, registers })
  const last = new Gauge({ name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds', help: 'The last time proxy rules were successfully synced', labelNames: family, registers })
  const lastQueued = new Gauge({ name: 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds', help: 'The last time a sync of proxy rules was queued', labelNames: family, registers })
  const failures = new Counter({ name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total', help: 'Cumulative proxy nftables sync failures', labelNames: family, registers })
  const changes = {
    endpoint: new Counter({ name: 'kubeproxy_sync_proxy_rules_endpoint_changes_total', help: 'Cumulative proxy rules Endpoint changes', labelNames: family, registers }),
    service: new Counter({ name: 'kubeproxy_sync_proxy_rules_service_changes_total', help: 'Cumulative proxy rules Service changes', labelNames: family, registers }),
  }
  const endpointsPending = new Gauge({ name: 'kubeproxy_sync_proxy_rules_endpoint_changes_pending', help: 'Pending proxy rules Endpoint changes', labelNames: family, registers })
  const servicesPending = new Gauge({ name: 'kubeproxy_sync_proxy_rules_service_changes_pending', help: 'Pending proxy rules Service changes', labelNames: family, registers })
  const noLocal = new Gauge({
    name: 'kubeproxy_sync_proxy_rules_no_local_endpoints_total', help: 'Number of services with a Local traffic policy and no endpoints', labelNames: ['traffic_policy', 'ip_family'], registers,
  })
  const programming = new Histogram({
    name: 'kubeproxy_network_programming_duration_seconds', help: 'In Cluster Network Programming Latency in seconds', labelNames: family, registers,
    buckets: [0.25, 0.5, ...Array.from({ length: 59 }, (_, i) => 1 + i), ...Array.from({ length: 12 }, (_, i) => 65 + 5 * i), ...Array.from({ length: 6 }, (_, i) => 150 + 30 * i)],
  })
  return {
    synced(seconds, wasFull) {
      sync.observe(labels, seconds)
      ;(wasFull ? full : partial).observe(labels, seconds)
      last.set(labels, Date.now() / 1000)
    },
    failed: () => failures.inc(labels),
    queued(what) {
      changes[what].inc(labels)
      lastQueued.set(labels, Date.now() / 1000)
    },
    pending(services, endpoints) {
      servicesPending.set(labels, services)
      endpointsPending.set(labels, endpoints)
    },
    noLocalEndpoints: (policy, services) => noLocal.set({ ...labels, traffic_policy: policy }, services),
    programmed: (seconds) => programming.observe(labels, seconds),
  }
}
