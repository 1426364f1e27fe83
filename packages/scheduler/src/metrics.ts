import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { QueueSizes } from './queue/scheduling-queue.ts'

const exponential = (start: number, factor: number, count: number): number[] => Array.from({ length: count }, (_, i) => start * factor ** i)

/** The scheduler's metrics, under upstream's names. */
export class SchedulerMetrics {
  readonly registry = new Registry()
  readonly #attempts = new Counter({ name: 'scheduler_schedule_attempts_total', help: 'Number of attempts to schedule pods, by the result.', labelNames: ['result', 'profile'], registers: [this.registry] })
  readonly #attemptDuration = new Histogram({ name: 'scheduler_scheduling_attempt_duration_seconds', help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding).', labelNames: ['result', 'profile'], buckets: exponential(0.001, 2, 15), registers: [this.registry] })
  readonly #algorithmDuration = new Histogram({ name: 'scheduler_scheduling_algorithm_duration_seconds', help: 'Scheduling algorithm latency in seconds.', buckets: exponential(0.0001, 2, 15), registers: [this.registry] })
  readonly #sli = new Histogram({ name: 'scheduler_pod_scheduling_sli_duration_seconds', help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue.', labelNames: ['attempts'], buckets: exponential(0.01, 2, 20), registers: [this.registry] })
  readonly #podAttempts = new Histogram({ name: 'scheduler_pod_scheduling_attempts', help: 'Number of attempts to successfully schedule a pod.', buckets: exponential(1, 2, 5), registers: [this.registry] })

  readonly #preemptionAttempts = new Counter({ name: 'scheduler_preemption_attempts_total', help: 'Total preemption attempts in the cluster till now', registers: [this.registry] })
  readonly #preemptionVictims = new Histogram({ name: 'scheduler_preemption_victims', help: 'Number of selected preemption victims', buckets: exponential(1, 2, 7), registers: [this.registry] })

  constructor(sizes: () => QueueSizes) {
    new Gauge({
      name: 'scheduler_pending_pods', help: 'Number of pending pods, by the queue type.', labelNames: ['queue'], registers: [this.registry],
      collect() {
        for (const [queue, size] of Object.entries(sizes())) this.set({ queue }, size as number)
      },
    })
  }

  attempt(result: 'scheduled' | 'unschedulable' | 'error', profile: string, seconds: number): void {
    this.#attempts.inc({ result, profile })
    this.#attemptDuration.observe({ result, profile }, seconds)
  }

  algorithm(seconds: number): void {
    this.#algorithmDuration.observe(seconds)
  }

  /** A pod that fits nowhere looked for room; `victims` have to go for it. */
  preemption(victims: number): void {
    this.#preemptionAttempts.inc()
    if (victims > 0) this.#preemptionVictims.observe(victims)
  }

  placed(attempts: number, seconds: number): void {
    this.#podAttempts.observe(attempts)
    this.#sli.observe({ attempts: attempts >= 16 ? '16+' : String(attempts) }, seconds)
  }
}
