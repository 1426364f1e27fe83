import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export type Verb = 'filter' | 'prioritize' | 'preempt' | 'bind'

/** The extender's metrics. Upstream has no such part, so the names are Berth's own. */
export class ExtenderMetrics {
  readonly registry = new Registry()
  readonly #requests = new Counter({ name: 'berth_extender_requests_total', help: 'Requests of schedulers, by verb and by what became of them.', labelNames: ['verb', 'result'], registers: [this.registry] })
  readonly #duration = new Histogram({ name: 'berth_extender_request_duration_seconds', help: 'How long requests took, from their first byte to the answer.', labelNames: ['verb'], buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5], registers: [this.registry] })
  readonly #nodes = new Counter({ name: 'berth_extender_nodes_total', help: 'Nodes that were asked about, by verb and by what was said of them.', labelNames: ['verb', 'result'], registers: [this.registry] })
  readonly #differing = new Counter({ name: 'berth_extender_differing_nodes_total', help: 'Whole nodes that were sent in another version than the one in the cache.', registers: [this.registry] })

  constructor(gate: () => { inFlight: number; queued: number }) {
    new Gauge({ name: 'berth_extender_requests_in_flight', help: 'Requests that are being answered.', registers: [this.registry], collect() { this.set(gate().inFlight) } })
    new Gauge({ name: 'berth_extender_requests_queued', help: 'Requests that wait for their turn.', registers: [this.registry], collect() { this.set(gate().queued) } })
  }

  request(verb: Verb, result: string, seconds: number): void {
    this.#requests.inc({ verb, result })
    this.#duration.observe({ verb }, seconds)
  }

  nodes(verb: Verb, passed: number, failed: number): void {
    this.#nodes.inc({ verb, result: 'passed' }, passed)
    this.#nodes.inc({ verb, result: 'failed' }, failed)
  }

  differing(count: number): void {
    this.#differing.inc(count)
  }
}
