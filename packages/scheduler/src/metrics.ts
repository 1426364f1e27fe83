import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PodInfo } from './framework/pod-info.ts'
import type { Status } from './framework/status.ts'
import { eventLabel, type ClusterEvent, type Incoming } from './queue/events.ts'
import type { QueueSizes, WaitingPod } from './queue/scheduling-queue.ts'

const exponential = (start: number, factor: number, count: number): number[] => Array.from({ length: count }, (_, i) => start * factor ** i)

/** Of so many cycles one is measured plugin by plugin, as upstream does it (pluginMetricsSamplePercent). */
const sampleEvery = 10

/** What is counted only when somebody asks. */
export interface MeteredLoop {
  queue(): QueueSizes
  cache(): { readonly nodes: number; readonly pods: number; readonly assumed: number }
  unschedulable(): Iterable<WaitingPod>
  profileOf(pod: PodInfo): string
  /** How many pods are being bound. */
  binding(): number
}

/** What came of something that is timed: a status of the framework, or nothing that is one. */
function resultOf(value: unknown): string {
  const code = (value as Status | undefined)?.code
  return typeof code === 'string' ? code : 'Success'
}

/** The scheduler's metrics, under upstream's names and with its buckets (kubernetes.io/docs/reference/instrumentation/metrics). */
export class SchedulerMetrics {
  readonly registry = new Registry()
  readonly #registers = [this.registry]
  readonly #attempts = new Counter({ name: 'scheduler_schedule_attempts_total', help: 'Number of attempts to schedule pods, by the result. \'unschedulable\' means a pod could not be scheduled, while \'error\' means an internal scheduler problem.', labelNames: ['result', 'profile'], registers: this.#registers })
  readonly #attemptDuration = new Histogram({ name: 'scheduler_scheduling_attempt_duration_seconds', help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)', labelNames: ['result', 'profile'], buckets: exponential(0.001, 2, 15), registers: this.#registers })
  readonly #algorithmDuration = new Histogram({ name: 'scheduler_scheduling_algorithm_duration_seconds', help: 'Scheduling algorithm latency in seconds', buckets: exponential(0.0001, 2, 18), registers: this.#registers })
  readonly #sli = new Histogram({ name: 'scheduler_pod_scheduling_sli_duration_seconds', help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.', labelNames: ['attempts'], buckets: exponential(0.01, 2, 20), registers: this.#registers })
  readonly #podAttempts = new Histogram({ name: 'scheduler_pod_scheduling_attempts', help: 'Number of attempts to successfully schedule a pod.', buckets: exponential(1, 2, 5), registers: this.#registers })
  readonly #afterFlush = new Counter({ name: 'scheduler_pod_scheduled_after_flush_total', help: 'Number of pods that were successfully scheduled after being flushed from unschedulablePods due to timeout.', registers: this.#registers })
  readonly #preemptionAttempts = new Counter({ name: 'scheduler_preemption_attempts_total', help: 'Total preemption attempts in the cluster till now', registers: this.#registers })
  readonly #preemptionVictims = new Histogram({ name: 'scheduler_preemption_victims', help: 'Number of selected preemption victims', buckets: exponential(1, 2, 7), registers: this.#registers })
  readonly #evictions = new Counter({ name: 'scheduler_preemption_goroutines_execution_total', help: 'Number of preemptions carried out beside the loop.', labelNames: ['result'], registers: this.#registers })
  readonly #evictionDuration = new Histogram({ name: 'scheduler_preemption_goroutines_duration_seconds', help: 'Duration in seconds of carrying out preemptions beside the loop.', labelNames: ['result'], buckets: exponential(0.01, 2, 20), registers: this.#registers })
  readonly #incoming = new Counter({ name: 'scheduler_queue_incoming_pods_total', help: 'Number of pods added to scheduling queues by event and queue type.', labelNames: ['queue', 'event'], registers: this.#registers })
  readonly #handled = new Histogram({ name: 'scheduler_event_handling_duration_seconds', help: 'Event handling latency in seconds.', labelNames: ['event'], buckets: exponential(0.0001, 2, 12), registers: this.#registers })
  readonly #points = new Histogram({ name: 'scheduler_framework_extension_point_duration_seconds', help: 'Latency for running all plugins of a specific extension point.', labelNames: ['extension_point', 'status', 'profile'], buckets: exponential(0.0001, 2, 12), registers: this.#registers })
  readonly #plugins = new Histogram({ name: 'scheduler_plugin_execution_duration_seconds', help: 'Duration for running a plugin at a specific extension point.', labelNames: ['plugin', 'extension_point', 'status'], buckets: exponential(0.00001, 1.5, 20), registers: this.#registers })
  readonly #permitWait = new Histogram({ name: 'scheduler_permit_wait_duration_seconds', help: 'Duration of waiting on permit.', labelNames: ['result'], buckets: exponential(0.001, 2, 15), registers: this.#registers })
  readonly #groupAttempts = new Counter({ name: 'scheduler_podgroup_schedule_attempts_total', help: 'Number of attempts to schedule pod groups, by the result.', labelNames: ['result', 'profile'], registers: this.#registers })
  #cycles = 0

  /** Lets what the loop holds be counted when it is asked for. To be called once. */
  watch(loop: MeteredLoop): void {
    const registers = this.#registers
    new Gauge({
      name: 'scheduler_pending_pods', help: 'Number of pending pods, by the queue type.', labelNames: ['queue'], registers,
      collect() {
        for (const [queue, size] of Object.entries(loop.queue())) this.set({ queue }, Number(size))
      },
    })
    new Gauge({
      name: 'scheduler_cache_size', help: 'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.', labelNames: ['type'], registers,
      collect() {
        const { nodes, pods, assumed } = loop.cache()
        this.set({ type: 'nodes' }, nodes)
        this.set({ type: 'pods' }, pods)
        this.set({ type: 'assumed_pods' }, assumed)
      },
    })
    new Gauge({
      name: 'scheduler_unschedulable_pods', help: 'The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all plugins that caused it to not schedule and so this metric have meaning only when broken down by plugin.', labelNames: ['plugin', 'profile'], registers,
      collect() {
        this.reset()
        for (const { info, rejectedBy } of loop.unschedulable()) for (const plugin of rejectedBy) this.inc({ plugin, profile: loop.profileOf(info) })
      },
    })
    new Gauge({
      name: 'scheduler_goroutines', help: 'Number of running goroutines split by the work they do such as binding.', labelNames: ['operation'], registers,
      collect() {
        this.set({ operation: 'binding' }, loop.binding())
      },
    })
  }

  attempt(result: 'scheduled' | 'unschedulable' | 'error', profile: string, seconds: number): void {
    this.#attempts.inc({ result, profile })
    this.#attemptDuration.observe({ result, profile }, seconds)
  }

  groupAttempt(result: 'scheduled' | 'unschedulable', profile: string): void {
    this.#groupAttempts.inc({ result, profile })
  }

  algorithm(seconds: number): void {
    this.#cycles++
    this.#algorithmDuration.observe(seconds)
  }

  /** A pod that fits nowhere looked for room; `victims` have to go for it. */
  preemption(victims: number): void {
    this.#preemptionAttempts.inc()
    if (victims > 0) this.#preemptionVictims.observe(victims)
  }

  evicted(result: 'success' | 'error', seconds: number): void {
    this.#evictions.inc({ result })
    this.#evictionDuration.observe({ result }, seconds)
  }

  placed({ attempts, wasFlushed }: Pick<WaitingPod, 'attempts' | 'wasFlushed'>, seconds: number): void {
    this.#podAttempts.observe(attempts)
    this.#sli.observe({ attempts: attempts >= 16 ? '16+' : String(attempts) }, seconds)
    if (wasFlushed) this.#afterFlush.inc()
  }

  incoming(queue: string, because: Incoming): void {
    this.#incoming.inc({ queue, event: eventLabel(because) })
  }

  handled(event: ClusterEvent, seconds: number): void {
    this.#handled.observe({ event: eventLabel(event) }, seconds)
  }

  permitWaited(result: string, seconds: number): void {
    this.#permitWait.observe({ result }, seconds)
  }

  /** Times an extension point; of one that waits, until it is over. */
  point<T>(point: string, profile: string, run: () => T): T {
    return this.#timed(run, (seconds, status) => this.#points.observe({ extension_point: point, status, profile }, seconds))
  }

  /** Times one plugin, in some cycles. */
  plugin<T>(point: string, plugin: string, run: () => T): T {
    if (this.#cycles % sampleEvery !== 0) return run()
    return this.#timed(run, (seconds, status) => this.#plugins.observe({ plugin, extension_point: point, status }, seconds))
  }

  #timed<T>(run: () => T, observe: (seconds: number, status: string) => void): T {
    const started = performance.now()
    const end = (status: string): void => observe((performance.now() - started) / 1000, status)
    try {
      const result = run()
      if (result instanceof Promise) result.then((value) => end(resultOf(value)), () => end('Error'))
      else end(resultOf(result))
      return result
    } catch (error) {
      end('Error')
      throw error
    }
  }
}
