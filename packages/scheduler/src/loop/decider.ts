import type { Pod } from '@berth/api/types/core/v1'
import type { Clock, KubeClient, Logger } from '@berth/kube'
import { Cache } from '../cache/cache.ts'
import type { SchedulerConfig } from '../config/types.ts'
import { makeExtenders, type Extender } from '../extenders/extender.ts'
import { ExtenderMetrics } from '../extenders/metrics.ts'
import { podInfoOf, podKey } from '../framework/pod-info.ts'
import { makeProfile, watchedKinds, type Profile } from '../framework/profile.ts'
import { resourceKey } from '../framework/resource-key.ts'
import type { SchedulerMetrics } from '../metrics.ts'
import { resourceMetrics } from '../resource-metrics.ts'
import { SchedulingQueue, type WaitingPod } from '../queue/scheduling-queue.ts'
import { compactPod } from './compact.ts'
import { DecisionLog } from './decision-log.ts'
import { decisionMaker } from './decision-maker.ts'
import type { FeedItem } from './feed-item.ts'
import { scheduleGroup } from './group-cycle.ts'
import { Inbox } from './inbox.ts'
import { KnownCluster } from './known-cluster.ts'
import type { Outcomes } from './outcomes.ts'
import { Permits } from './permits.ts'
import type { Placement } from './placement.ts'
import { PodCycle } from './pod-cycle.ts'
import { refOf } from './report.ts'
import type { TapListener } from './tap.ts'
import { UnderWay } from './under-way.ts'

/** What the loop is made of. */
export interface DeciderOptions {
  readonly config: SchedulerConfig
  /** For plugins' preBind; what the loop itself does goes by `outcomes`. */
  readonly client: KubeClient
  readonly outcomes: Outcomes
  readonly metrics: SchedulerMetrics
  readonly clock: Clock
  readonly logger: Logger
  readonly random: () => number
  /** Computes every decision anew, without the engine: for comparison alone. */
  readonly plainPath?: boolean
}

/** In one turn of the loop changes get so long while pods are ready, decisions the rest; milliseconds. */
const changesMs = 5
const turnMs = 15
const flushMs = 1000

/**
 * The decision loop: cache, queue and cycle. It is fed with changes, decides on waiting pods one after the other without waiting for the API,
 * and lets what it decided be done. What it has decided counts at once (assume) and is taken back where binding fails (forget).
 */
export class Decider {
  readonly decisions = new DecisionLog()
  readonly cache = new Cache()
  readonly #options: DeciderOptions
  readonly #profiles: ReadonlyMap<string, Profile>
  readonly #extenders: readonly Extender[]
  readonly #queue: SchedulingQueue
  readonly #known: KnownCluster
  readonly #cycle: PodCycle
  readonly #permits: Permits
  readonly #inbox = new Inbox<FeedItem | { readonly type: 'applied'; tell(): void }>()
  /** Pods on their way to their node. */
  readonly #placements = new Map<string, Placement>()
  readonly #underWay = new UnderWay()
  readonly #groupsMatter: boolean
  #turnPending = false
  #synced = Promise.withResolvers<void>()
  #isSynced = false
  #leads = false
  /** A decision waits for an extender: until it is made, the cluster stands still. */
  #isAsking = false
  #flushTimer: { cancel(): void } | undefined

  constructor(options: DeciderOptions) {
    const { config, clock, client, outcomes, metrics, logger, plainPath = false } = options
    this.#options = options
    this.#permits = new Permits(clock)
    this.#extenders = makeExtenders(config.extenders, new ExtenderMetrics(metrics.registry))
    const pods = { permitted: () => this.#permits.values(), activate: (keys: Iterable<string>) => this.#activate(keys), group: (namespace: string, name: string) => this.#known.groups.state(namespace, name) }
    this.#profiles = new Map(config.profiles.map((profile) => [profile.schedulerName, makeProfile({
      ...profile, client, clock, gates: config.gates, snapshot: () => this.cache, pods, bind: (pod, node) => outcomes.bind(refOf(pod.pod), node),
    })]))
    this.#groupsMatter = config.gates.enabled('GenericWorkload')
    const [first] = this.#profiles.values()
    const sort = first?.points.queueSort[0]
    this.#queue = new SchedulingQueue({
      clock,
      less: (a, b) => sort?.less?.(a, b) ?? a.timestamp < b.timestamp,
      pluginsOf: (pod) => this.#profileOf(pod.pod)?.plugins ?? [],
      initialBackoffMs: config.podInitialBackoffMs,
      maxBackoffMs: config.podMaxBackoffMs,
      maxUnschedulableMs: config.maxUnschedulableMs,
      popsFromBackoff: config.gates.enabled('SchedulerPopFromBackoffQ'),
      onReady: () => this.#wake(),
      onIncoming: (queue, because) => metrics.incoming(queue, because),
    })
    this.#known = new KnownCluster({ cache: this.cache, queue: this.#queue, metrics, kinds: new Map(watchedKinds(this.#profiles.values()).map((resource) => [resourceKey(resource), resource])) })
    this.#cycle = new PodCycle({
      ...options, known: this.#known, queue: this.#queue, permits: this.#permits, underWay: this.#underWay, extenders: this.#extenders, decisions: this.decisions, placements: this.#placements,
      deciders: new Map([...this.#profiles].map(([name, profile]) => [name, decisionMaker(this.cache, profile, { extenders: this.#extenders, plainPath, logger })])),
    })
    metrics.watch({
      queue: () => this.#queue.sizes,
      cache: () => ({ nodes: this.cache.nodes.length, pods: this.cache.podCount, assumed: this.#placements.size }),
      unschedulable: () => this.#queue.unschedulable(),
      profileOf: (pod) => pod.pod.spec.schedulerName ?? 'default-scheduler',
      binding: () => this.#placements.size,
    })
    const flush = (): void => {
      this.#queue.flush()
      if (this.#underWay.isOver) return
      this.#flushTimer = clock.setTimeout(flush, Math.min(flushMs, Math.max(1, (this.#queue.nextReadyAt ?? Infinity) - clock.now())))
    }
    flush()
  }

  /** Takes in what happened; it is applied in order, a slice a turn. `applied` is called when all of it has been. */
  offer(items: readonly FeedItem[], applied?: () => void): void {
    this.#inbox.push(items)
    if (applied) this.#inbox.push([{ type: 'applied', tell: applied }])
    this.#wake()
  }

  /** How much of what was offered has not been applied. */
  get backlog(): number {
    return this.#inbox.size
  }

  /** Resolves when everything that was there at the beginning is known. */
  get whenSynced(): Promise<void> {
    return this.#synced.promise
  }

  /** From now on decisions are made (once the cluster is known). To be called only while this scheduler leads. */
  lead(): void {
    this.#leads = true
    this.#wake()
  }

  /** What is there, and from now on every change of the cache, for a second one; see {@link Tap}. Gives what ends it. */
  tap(listener: TapListener): () => void {
    return this.#known.tap.open(listener)
  }

  /** The loop's metrics in Prometheus' text. */
  metricsText(): Promise<string> {
    return this.#options.metrics.registry.metrics()
  }

  /** What all pods ask for, in Prometheus' text. */
  resourcesText(): string {
    const placed = this.cache.nodes.flatMap((node) => [...node.pods.values()].map(({ pod }) => pod))
    return resourceMetrics([...placed, ...[...this.#known.unassigned.values()].filter((pod) => this.cache.placeOf(podKey(pod)) === undefined)])
  }

  /** Ends it: nothing is decided any more, and what is under way is broken off. Resolves when it is over. */
  async stop(): Promise<void> {
    if (this.#underWay.isOver) return this.#underWay.settled()
    this.#leads = false
    this.#underWay.end()
    this.#flushTimer?.cancel()
    this.#known.tap.close()
    for (const placement of this.#placements.values()) placement.abort.abort()
    for (const waiter of this.#permits.values()) waiter.reject('', 'the scheduler stops')
    for (const extender of this.#extenders) extender.close()
    await this.#underWay.settled()
  }

  #profileOf(pod: Pod): Profile | undefined {
    return this.#profiles.get(pod.spec.schedulerName ?? 'default-scheduler')
  }

  #wake(): void {
    if (this.#turnPending || this.#isAsking || this.#underWay.isOver) return
    this.#turnPending = true
    setImmediate(() => {
      this.#turnPending = false
      this.#turn()
    })
  }

  /** Some changes, some decisions: neither waits long for the other. */
  #turn(): void {
    if (this.#underWay.isOver) return
    const decides = (): boolean => this.#leads && this.#isSynced && !this.#isAsking && this.#queue.isReady
    const started = performance.now()
    const changesUntil = started + (decides() ? changesMs : turnMs)
    for (let n = 1; this.#inbox.size > 0; n++) {
      this.#take(this.#inbox.shift()!)
      if (n % 8 === 0 && performance.now() > changesUntil) break
    }
    while (decides()) {
      const next = this.#queue.pop()
      if (!next) break
      this.#scheduleOne(next)
      if (performance.now() - started > turnMs) break
    }
    if (this.#inbox.size > 0 || decides()) this.#wake()
  }

  #take(item: FeedItem | { readonly type: 'applied'; tell(): void }): void {
    try {
      switch (item.type) {
        case 'waiting': return this.#waiting(compactPod(item.pod))
        case 'settled': return this.#settled(item.key)
        case 'applied': return item.tell()
        case 'synced':
          this.#isSynced = true
          this.#synced.resolve()
          return
        case 'pod-set':
          compactPod(item.pod)
          if (this.#groupsMatter) this.#known.groups.set(item.pod)
          break
        case 'pod-gone': {
          this.#known.groups.gone(item.key)
          this.#permits.reject(item.key, { plugin: '', message: 'the pod is gone' })
          this.#placements.get(item.key)?.abort.abort()
          this.#placements.delete(item.key)
        }
      }
      this.#known.changed(item)
    } catch (error) {
      // A pod whose amounts cannot be read must not stop the scheduler; it does not count.
      this.#options.logger.error(error, 'Failed to take in a change', { type: item.type })
    }
  }

  #waiting(pod: Pod): void {
    const key = podKey(pod)
    const old = this.#known.unassigned.get(key)
    this.#known.unassigned.set(key, pod)
    this.#known.tap.waiting(pod)
    if (this.#groupsMatter && this.#known.groups.set(pod)) this.#known.event('UnscheduledPodAdded', { now: pod })
    if (!this.#profileOf(pod)) return
    // What is assumed is being bound: the API will soon say so, or the binding will fail.
    if (this.#placements.has(key) || this.cache.isAssumed(key)) return this.#queue.delete(key)
    if (pod.metadata.deletionTimestamp) {
      this.#queue.delete(key)
      return this.#known.endNomination(key)
    }
    this.#known.followNomination(pod, old)
    this.#queue.update(podInfoOf(pod))
  }

  /** A pod waits no longer; what was kept free for it can be another's. */
  #settled(key: string): void {
    this.#known.unassigned.delete(key)
    this.#known.tap.settled(key)
    this.#queue.delete(key)
    this.#known.endNomination(key)
  }

  #activate(keys: Iterable<string>): void {
    for (const key of keys) this.#queue.activate(key)
  }

  #scheduleOne(waiting: WaitingPod): void {
    const { info } = waiting
    const profile = this.#profileOf(info.pod)
    if (!profile || this.cache.placeOf(info.key) !== undefined) return
    const group = this.#groupsMatter ? this.#known.groups.of(info.pod) : undefined
    if (group !== undefined) {
      return scheduleGroup({ known: this.#known, queue: this.#queue, cycle: this.#cycle, metrics: this.#options.metrics, profileOf: (pod) => this.#profileOf(pod.info.pod) }, waiting, group)
    }
    const started = performance.now()
    const decision = this.#cycle.decide(waiting, profile, started)
    if (decision === undefined) return
    if (!(decision instanceof Promise)) return this.#cycle.carryOut(waiting, profile, decision, started)
    this.#isAsking = true
    const done = decision.then((made) => this.#cycle.carryOut(waiting, profile, made, started), (error: unknown) => this.#cycle.failed(waiting, profile, error, started))
    this.#underWay.follow(done.finally(() => {
      this.#isAsking = false
      this.#wake()
    }))
  }
}
