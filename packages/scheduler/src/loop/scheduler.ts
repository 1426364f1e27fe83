import type { Pod } from '@berth/api/types/core/v1'
import { isConflict, isNotFound, type Clock, type Informers, type KubeClient, type Logger, type EventRecorder, type RunningPart } from '@berth/kube'
import { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import type { SchedulerConfig } from '../config/config.ts'
import { decide, type Decision } from '../cycle/decide.ts'
import { misfitMessage, rejectingPlugins } from '../cycle/fit-error.ts'
import type { EventObjects, Plugin, PostFilterResult } from '../framework/plugin.ts'
import { podInfoOf, podKey, priorityOf, type PodInfo } from '../framework/pod-info.ts'
import { makeProfile, watchedKinds, type Profile } from '../framework/profile.ts'
import { SchedulerMetrics } from '../metrics.ts'
import type { ClusterEvent } from '../queue/events.ts'
import { SchedulingQueue, type WaitingPod } from '../queue/scheduling-queue.ts'
import { DecisionLog } from './decision-log.ts'
import { connectFeed, type FeedSink } from './feed.ts'
import { bindPod } from './bind.ts'
import { whenServed } from './served.ts'
import { startPolls } from './polls.ts'
import { connectKind } from './watch-kinds.ts'
import { Evictor } from './preempt.ts'
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
  readonly #evictor: Evictor
  readonly #abort = new AbortController()
  /** Bindings and evictions under way. */
  readonly #underWay = new Set<Promise<void>>()
  #sequence = 0
  #turnPending = false
  #running = false
  #flushTimer: { cancel(): void } | undefined

  constructor(options: SchedulerOptions) {
    const { config, clock, client } = options
    this.#options = options
    this.#profiles = new Map(config.profiles.map((profile) => [profile.schedulerName, makeProfile({ ...profile, client, clock, gates: config.gates, snapshot: () => this.#cache, bind: (pod, node) => bindPod(client, pod, node) })]))
    const [first] = this.#profiles.values()
    const sort = first?.plugins.find((plugin) => plugin.less)
    this.#queue = new SchedulingQueue({
      clock,
      less: (a, b) => sort?.less?.(a, b) ?? a.timestamp < b.timestamp,
      pluginsOf: (pod) => this.#profileOf(pod.pod)?.plugins ?? [],
      initialBackoffMs: config.podInitialBackoffMs,
      maxBackoffMs: config.podMaxBackoffMs,
      maxUnschedulableMs: config.maxUnschedulableMs,
      onReady: () => this.#wake(),
    })
    this.metrics = new SchedulerMetrics(() => this.#queue.sizes)
    this.#reporter = new Reporter(options)
    this.#evictor = new Evictor(options)
  }

  /** Follows the cluster and, once it is known, schedules. */
  async start(): Promise<void> {
    const { informers, clock } = this.#options
    const sink: FeedSink = {
      change: (change) => this.#apply(change),
      event: (event, objects) => this.#event(event, objects),
      waiting: (pod, old) => this.#waiting(pod, old),
      settled: (key) => this.#settled(key),
    }
    connectFeed(informers, sink)
    await whenServed(watchedKinds(this.#profiles.values()), (resource) => connectKind(informers, resource, sink), this.#options, this.#abort.signal)
    for (const { schedulerName, args } of this.#options.config.profiles) startPolls(this.#profiles.get(schedulerName)?.plugins.map(({ name }) => name) ?? [], args, sink.change, this.#options, this.#abort.signal)
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
    await Promise.allSettled(this.#underWay)
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

  #waiting(pod: Pod, old?: Pod): void {
    const key = podKey(pod)
    if (!this.#profileOf(pod)) return
    // What is assumed is being bound: the API will soon say so, or the binding will fail.
    if (this.#cache.isAssumed(key)) return this.#queue.delete(key)
    if (pod.metadata.deletionTimestamp) return this.#settled(key)
    try {
      this.#followNomination(pod, old)
      this.#queue.update(podInfoOf(pod))
    } catch (error) {
      this.#options.logger.error(error, 'Failed to read a pod', { pod: key })
    }
  }

  /** A pod waits no longer; what was kept free for it can be another's. */
  #settled(key: string): void {
    this.#queue.delete(key)
    this.#endNomination(key)
  }

  /** Takes over what the API says of a nomination; a change that says nothing of it leaves what was decided here and is still being written. */
  #followNomination(pod: Pod, old: Pod | undefined): void {
    const written = pod.status?.nominatedNodeName ?? ''
    const node = written === (old?.status?.nominatedNodeName ?? '') ? this.#cache.nominationOf(podKey(pod)) ?? '' : written
    if (node === '') this.#endNomination(podKey(pod))
    else this.#apply({ type: 'nominate', pod, node })
  }

  #endNomination(key: string): void {
    if (this.#cache.nominationOf(key) === undefined) return
    this.#apply({ type: 'nomination-gone', key })
    // To others it is as if a pod had gone.
    this.#event('AssignedPodDeleted', {})
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
      if (decision.preemption) this.#preempt(info, decision.preemption)
      this.#reporter.failed(info, 'Unschedulable', misfitMessage(decision.misfit), decision.preemption?.nominatedNode)
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
    const nominated = this.#cache.nominationOf(info.key)
    this.#apply({ type: 'assume', pod: { ...info.pod, spec: { ...info.pod.spec, nodeName: node } }, node, sequence: ++this.#sequence })
    if (nominated !== undefined && nominated !== node) this.#event('AssignedPodDeleted', {})
    this.#follow(this.#bind(waiting, profile, node, started).catch((error: unknown) => {
      for (const each of reserved) each.unreserve?.(state, info, node)
      this.#bindingFailed(waiting, profile, error, started)
    }))
  }

  /** Lets `stop` wait for what goes on beside the loop. */
  #follow(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  /** Does what postFilter decided: the pod has its room on the node from now on, and the victims are told to go. */
  #preempt(info: PodInfo, { nominatedNode, victims }: PostFilterResult): void {
    const { key } = info
    this.metrics.preemption(victims.length)
    if (nominatedNode === '') this.#endNomination(key)
    if (!nominatedNode) return
    // Pods of lower priority that had their room there look for another; they need not wait for the victims.
    for (const other of [...this.#cache.nominatedOn(nominatedNode)?.values() ?? []]) {
      if (other.key === key || priorityOf(other) >= priorityOf(info)) continue
      this.#apply({ type: 'nomination-gone', key: other.key })
      this.#reporter.nominationLost(other)
      this.#queue.activate(other.key)
    }
    this.#apply({ type: 'nominate', pod: info.pod, node: nominatedNode })
    const leaving = victims.filter(({ pod }) => !pod.metadata.deletionTimestamp)
    if (leaving.length === 0) return
    // Until all are told, a second look would find some of them and choose others.
    this.#queue.hold(key)
    this.#follow(this.#evictor.evict(info, nominatedNode, leaving).then(() => this.#queue.release(key), (error: unknown) => {
      this.#queue.release(key)
      if (this.#abort.signal.aborted) return
      this.#options.logger.error(error, 'Failed to preempt', { pod: key, node: nominatedNode })
      this.#queue.activate(key)
    }))
  }

  async #bind(waiting: WaitingPod, profile: Profile, node: string, started: number): Promise<void> {
    const binder = profile.plugins.find((plugin) => plugin.bind)
    await binder?.bind?.(waiting.info, node, this.#abort.signal)
    const now = this.#options.clock.now()
    this.metrics.attempt('scheduled', profile.schedulerName, (performance.now() - started) / 1000)
    this.metrics.placed(waiting.attempts, (now - waiting.firstSeen) / 1000)
    this.#reporter.scheduled(waiting.info, node)
    this.#options.logger.v(2).info('Successfully bound pod to node', { pod: waiting.key, node })
  }

  #bindingFailed(waiting: WaitingPod, profile: Profile, error: unknown, started: number): void {
    const { info, key } = waiting
    const nominated = this.#cache.isAssumed(key) && !isNotFound(error) ? info.pod.status?.nominatedNodeName : undefined
    this.#apply({ type: 'forget', key, sequence: ++this.#sequence })
    if (nominated) this.#apply({ type: 'nominate', pod: info.pod, node: nominated })
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
