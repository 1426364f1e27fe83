import type { Registry } from 'prom-client'
import type { WorkQueueObserver } from '../queue/work-queue.ts'

const buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10]

/** Upstream's `workqueue_*` metrics in a registry; the function it gives makes the observer of the queue with that name. */
export async function workQueueMetrics(registry: Registry): Promise<(name: string) => WorkQueueObserver> {
  const { Counter, Gauge, Histogram } = await import('prom-client')
  const common = { labelNames: ['name'] as const, registers: [registry] }
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', ...common })
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue', ...common })
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Total number of retries handled by workqueue', ...common })
  const waited = new Histogram({ name: 'workqueue_queue_duration_seconds', help: 'How long in seconds an item stays in workqueue before being requested.', buckets, ...common })
  const worked = new Histogram({ name: 'workqueue_work_duration_seconds', help: 'How long in seconds processing an item from workqueue takes.', buckets, ...common })
  return (name) => ({
    depth: (count) => depth.set({ name }, count),
    added: () => adds.inc({ name }),
    retried: () => retries.inc({ name }),
    taken: (seconds) => waited.observe({ name }, seconds),
    finished: (seconds) => worked.observe({ name }, seconds),
  })
}
