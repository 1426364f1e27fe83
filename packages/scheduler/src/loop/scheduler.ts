import type { Pod } from '@berth/api/types/core/v1'
import { isConflict, isNotFound, type Clock, type Informers, type KubeClient, type Logger, type EventRecorder, type RunningPart } from '@berth/kube'
import { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import type { SchedulerConfig } from '../config/config.ts'
import { decide, type Decision } from '../cycle/decide.ts'
import { misfitMessage, rejectingPlugins } from '../cycle/fit-error.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import { podInfoOf, podKey } from '../framework/pod-info.ts'
import { makeProfile, type Profile } from '../framework/profile.ts'
import { SchedulerMetrics } from '../metrics.ts'
import type { ClusterEvent } from '../queue/events.ts'
import { SchedulingQueue, type WaitingPod } from '../queue/scheduling-queue.ts'
import { DecisionLog } from './decision-log.ts'
import { connectFeed } from './feed.ts'
import { Reporter } from './report.ts'

/** What the loop is made of. */
export interface SchedulerOptions {
  readonly client: KubeClient
  readonly informers: Informers
  readonly config: SchedulerConfig
  readonly recorder: EventRecorder
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
}

/** How long decisions are made in one go before events are let in; milliseconds. */
const turnMs = 10
const flushMs = 1000
const maxUnschedulableMs = 5 * 60_000

/**
 * The scheduler: decides on waiting pods one after the other, without waiting for the API in between. What it has decided
 * counts at once (assume) and is taken back where binding fails (forget).
 */
export class Scheduler implements RunningPart {
  readonly name = 'scheduler'
  readonly decisions = new DecisionLog()
  readonly metrics: SchedulerMetrics
  readonly #options: SchedulerOptions
  readonly #profiles: ReadonlyMap<string, Profile>
  readonly #cache = new Cache()
  readonly #queue: SchedulingQueue
  readonly #reporter: Reporter
  readonly #abort = new AbortController()
  readonly #binding = new Set<Promise<void>>()
  #sequence = 0
  #turnPending = false
  #running = false
  #flushTimer: { cancel(): void } | undefined

  constructor(options: SchedulerOptions) {
    const { config, clock, client } = options
    this.#options = options
    this.#profiles = new Map(config.profiles.map((profile) => [profile.schedulerName, makeProfile({ ...profile, client })]))
    const [first] = this.#profiles.values()
    const sort = first?.plugins.find((plugin) => plugin.less)
    this.#queue = new SchedulingQueue({
      clock,
      less: (a, b) => sort?.less?.(a, b) ?? a.timestamp < b.timestamp,
      pluginsOf: (pod) => this.#profileOf(pod.pod)?.plugins ?? [],
      initialBackoffMs: config.podInitialBackoffMs,
      maxBackoffMs: config.podMaxBackoffMs,
      maxUnschedulableMs,
      onReady: () => this.#wake(),
    })
    this.metrics = new SchedulerMetrics(() => this.#queue.sizes)
    this.#reporter = new Reporter(options)
  }

  /** Follows the cluster and, once it is known, schedules. */
  async start(): Promise<void> {
    const { informers, clock } = this.#options
    connectFeed(informers, {
      change: (change) => this.#apply(change),
      event: (event, objects) => this.#event(event, objects),
      waiting: (pod) => this.#waiting(pod),
      settled: (key) => this.#queue.delete(key),
    })
    informers.start(this.#abort.signal)
    await informers.whenSynced(this.#abort.signal)
    this.#running = true
    const flush = (): void => {
      this.#queue.flush()
      this.#flushTimer = clock.setTimeout(flush, Math.min(flushMs, Math.max(1, (this.#queue.nextReadyAt ?? Infinity) - clock.now())))
    }
    flush()
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#abort.abort()
    this.#flushTimer?.cancel()
    await Promise.allSettled(this.#binding)
  }

  #profileOf(pod: Pod): Profile | undefined {
    return this.#profiles.get(pod.spec.schedulerName ?? 'default-scheduler')
  }

  #apply(change: Change): void {
    try {
      this.#cache.apply(change)
    } catch (error) {
      // A pod whose amounts cannot be read must not stop the scheduler; it does not count.
      this.#options.logger.error(error, 'Failed to take in a change', { type: change.type })
    }
  }

  #event(event: ClusterEvent, objects: EventObjects): void {
    this.#queue.moveOn(event, objects)
  }

  #waiting(pod: Pod): void {
    const key = podKey(pod)
    if (!this.#profileOf(pod)) return
    // What is assumed is being bound: the API will soon say so, or the binding will fail.
    if (pod.metadata.deletionTimestamp || this.#cache.isAssumed(key)) return this.#queue.delete(key)
    try {
      this.#queue.update(podInfoOf(pod))
    } catch (error) {
      this.#options.logger.error(error, 'Failed to read a pod', { pod: key })
    }
  }

  #wake(): void {
    if (!this.#running || this.#turnPending) return
    this.#turnPending = true
    setImmediate(() => {
      this.#turnPending = false
      this.#turn()
    })
  }

  #turn(): void {
    const end = performance.now() + turnMs
    while (this.#running) {
      const next = this.#queue.pop()
      if (!next) return
      this.#scheduleOne(next)
      if (performance.now() > end) return this.#wake()
    }
  }

  #scheduleOne(waiting: WaitingPod): void {
    const { info } = waiting
    const profile = this.#profileOf(info.pod)
    if (!profile || this.#cache.placeOf(info.key) !== undefined) return
    const started = performance.now()
    let decision: Decision
    try {
      decision = decide(info, profile, this.#cache, this.#options.random)
    } catch (error) {
      this.#options.logger.error(error, 'A plugin failed', { pod: info.key })
      this.metrics.attempt('error', profile.schedulerName, (performance.now() - started) / 1000)
      this.#queue.retry(waiting)
      this.#reporter.failed(info, 'SchedulerError', error instanceof Error ? error.message : String(error))
      return
    }
    this.metrics.algorithm((performance.now() - started) / 1000)
    this.decisions.add(info.key, decision, this.#options.clock.now(), this.#sequence)
    if (decision.node === undefined) {
      this.metrics.attempt('unschedulable', profile.schedulerName, (performance.now() - started) / 1000)
      this.#queue.reject(waiting, rejectingPlugins(decision.misfit))
      this.#reporter.failed(info, 'Unschedulable', misfitMessage(decision.misfit))
      return
    }
    const { node, state } = decision
    const reserved: Plugin[] = []
    for (const plugin of profile.plugins) {
      if (!plugin.reserve) continue
      reserved.unshift(plugin)
      const status = plugin.reserve(state, info, node)
      if (!status) continue
      for (const each of reserved) each.unreserve?.(state, info, node)
      this.#queue.reject(waiting, new Set([plugin.name]))
      this.#reporter.failed(info, 'Unschedulable', status.reasons.join(', '))
      return
    }
    this.#apply({ type: 'assume', pod: { ...info.pod, spec: { ...info.pod.spec, nodeName: node } }, node, sequence: ++this.#sequence })
    const binding = this.#bind(waiting, profile, node, started).catch((error: unknown) => {
      for (const each of reserved) each.unreserve?.(state, info, node)
      this.#bindingFailed(waiting, profile, error, started)
    })
    this.#binding.add(binding)
    void binding.finally(() => this.#binding.delete(binding))
  }

  async #bind(waiting: WaitingPod, profile: Profile, node: string, started: number): Promise<void> {
    const binder = profile.plugins.find((plugin) => plugin.bind)
    await binder?.bind?.(waiting.info, node)
    const now = this.#options.clock.now()
    this.metrics.attempt('scheduled', profile.schedulerName, (performance.now() - started) / 1000)
    this.metrics.placed(waiting.attempts, (now - waiting.firstSeen) / 1000)
    this.#reporter.scheduled(waiting.info, node)
    this.#options.logger.v(2).info('Successfully bound pod to node', { pod: waiting.key, node })
  }

  #bindingFailed(waiting: WaitingPod, profile: Profile, error: unknown, started: number): void {
    const { info, key } = waiting
    this.#apply({ type: 'forget', key, sequence: ++this.#sequence })
    // What was assumed is free again: that can help others.
    this.#event('AssignedPodDeleted', { old: info.pod })
    this.metrics.attempt('error', profile.schedulerName, (performance.now() - started) / 1000)
    if (this.#abort.signal.aborted || isNotFound(error)) return
    this.#options.logger.error(error, 'Failed to bind', { pod: key })
    if (isConflict(error) && this.#cache.placeOf(key) !== undefined) return
    this.#queue.retry(waiting)
    this.#reporter.failed(info, 'SchedulerError', `running Bind plugin "DefaultBinder": ${error instanceof Error ? error.message : String(error)}`)
  }
}
