import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface OverlayMetrics {
  /** A CNI call ended: its command, 0 or the error code, and how long it took. */
  observe(command: string, code: number, seconds: number): void
  addresses(allocated: number): void
}

/** flannel has no metrics of its own, so these names are ours. */
export function createMetrics(registry: Registry): OverlayMetrics {
  const calls = new Counter({ name: 'berth_overlay_cni_requests_total', help: 'CNI calls by command and result code (0 is success).', labelNames: ['command', 'code'], registers: [registry] })
  const duration = new Histogram({
    name: 'berth_overlay_cni_duration_seconds', help: 'Time a CNI call took in the daemon.', labelNames: ['command'], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5], registers: [registry],
  })
  const allocated = new Gauge({ name: 'berth_overlay_allocated_addresses', help: 'Addresses that pods of this node hold.', registers: [registry] })
  return {
    observe(command, code, seconds) {
      calls.inc({ command, code: String(code) })
      duration.observe({ command }, seconds)
    },
    addresses: (count) => allocated.set(count),
  }
}
