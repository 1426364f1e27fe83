import type { Registry } from 'prom-client'

/** A registry with the process's own metrics (`process_*`, `nodejs_*`). The library is loaded by the first call. */
export async function createMetricsRegistry(): Promise<Registry> {
  const { collectDefaultMetrics, Registry: Metrics } = await import('prom-client')
  const registry = new Metrics()
  collectDefaultMetrics({ register: registry })
  return registry
}
