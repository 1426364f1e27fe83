import { Counter, Histogram, type Registry } from 'prom-client'
import type { ExtenderFault } from './errors.ts'

/** How extenders do. Upstream measures nothing of it; the names are Berth's own. */
export class ExtenderMetrics {
  readonly #errors: Counter<'extender' | 'verb' | 'reason'>
  readonly #duration: Histogram<'extender' | 'verb'>

  constructor(registry: Registry) {
    this.#errors = new Counter({ name: 'berth_scheduler_extender_errors_total', help: 'Answers of extenders that did not come, or made no sense, by the reason.', labelNames: ['extender', 'verb', 'reason'], registers: [registry] })
    this.#duration = new Histogram({ name: 'berth_scheduler_extender_duration_seconds', help: 'How long extenders took to answer.', labelNames: ['extender', 'verb'], buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5], registers: [registry] })
  }

  error(extender: string, verb: string, reason: ExtenderFault): void {
    this.#errors.inc({ extender, verb, reason })
  }

  duration(extender: string, verb: string, seconds: number): void {
    this.#duration.observe({ extender, verb }, seconds)
  }
}
