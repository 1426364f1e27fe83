import type { ResourceInfo } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { errorText, type Clock, type KubeClient, type Logger } from '@berth/kube'
import { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import type { SchedulerConfig } from '../config/types.ts'
import type { Decision, Found, NoNode } from '../cycle/decision.ts'
import { misfitMessage, misfitOf } from '../cycle/fit-error.ts'
import type { EventObjects, PostFilterResult } from '../framework/plugin.ts'
import { makeExtenders, type Extender } from '../extenders/extender.ts'
import { ExtenderMetrics } from '../extenders/metrics.ts'
import { podInfoOf, podKey, priorityOf, type PodInfo } from '../framework/pod-info.ts'
import { makeProfile, watchedKinds, type Profile } from '../framework/profile.ts'
import { resourceKey } from '../framework/resource-key.ts'
import type { Status } from '../framework/status.ts'
import type { SchedulerMetrics } from '../metrics.ts'
import type { ClusterEvent } from '../queue/events.ts'
import { resourceMetrics } from '../resource-metrics.ts'
import { SchedulingQueue, type WaitingPod } from '../queue/scheduling-queue.ts'
import { bindCycle } from './bind-cycle.ts'
import { compactPod } from './compact.ts'
import { DecisionLog } from './decision-log.ts'
import { decisionMaker, type DecisionMaker } from './decision-maker.ts'
import { eventsOf } from './derive-events.ts'
import type { FeedItem } from './feed-item.ts'
import { Inbox } from './inbox.ts'
import type { Outcomes } from './outcomes.ts'
import { Permits } from './permits.ts'
import { Placement } from './placement.ts'
import { PodGroups } from './pod-groups.ts'
import { Evictor } from './preempt.ts'
import { Reporter, refOf } from './report.ts'
import { Tap, type TapListener } from './tap.ts'

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
  readonly #deciders: ReadonlyMap<string, DecisionMaker>
  readonly #kinds: ReadonlyMap<string, ResourceInfo>
  readonly #queue: SchedulingQueue
  readonly #reporter: Reporter
  readonly #evictor: Evictor
  readonly #permits: Permits
  readonly #groups = new PodGroups()
  readonly #tap = new Tap(this.cache, () => this.#unassigned.values())
  readonly #inbox = new Inbox<FeedItem | { readonly type: 'applied'; tell(): void }>()
  /** The pods without a node, as the API last had them. */
  readonly #unassigned = new Map<string, Pod>()
  /** Pods on their way to their node. */
  readonly #placements = new Map<string, Placement>()
  /** Bindings and evictions under way. */
  readonly #underWay = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #groupsMatter: boolean
  #sequence = 0
  #turnPending = false
  #synced = Promise.withResolvers<void>()
  #isSynced = false
  #leads = false
  /** A decision waits for an extender: until it is made, the cluster stands still. */
  #isAsking = false
  #flushTimer: { cancel(): void } | undefined

  constructor(options: DeciderOptions) {
    const { config, clock, client, outcomes, metrics, logger } = options
    this.#options = options
    this.#permits = new Permits(clock)
    this.#extenders = makeExtenders(config.extenders, new ExtenderMetrics(metrics.registry))
    const pods = { permitted: () => this.#permits.values(), activate: (keys: Iterable<string>) => this.#activate(keys), group: (namespace: string, name: string) => this.#groups.state(namespace, name) }
    this.#profiles = new Map(config.profiles.map((profile) => [profile.schedulerName, makeProfile({
      ...profile, client, clock, gates: config.gates, snapshot: () => this.cache, pods, bind: (pod, node) => outcomes.bind(refOf(pod.pod), node),
    })]))
    this.#deciders = new Map([...this.#profiles].map(([name, profile]) => [name, decisionMaker(this.cache, profile, { extenders: this.#extenders, plainPath: options.plainPath ?? false, logger })]))
    this.#kinds = new Map(watchedKinds(this.#profiles.values()).map((resource) => [resourceKey(resource), resource]))
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
    metrics.watch({
      queue: () => this.#queue.sizes,
      cache: () => ({ nodes: this.cache.nodes.length, pods: this.cache.podCount, assumed: this.#placements.size }),
      unschedulable: () => this.#queue.unschedulable(),
      profileOf: (pod) => pod.pod.spec.schedulerName ?? 'default-scheduler',
      binding: () => this.#placements.size,
    })
    this.#reporter = new Reporter(options)
    this.#evictor = new Evictor(options)
    const flush = (): void => {
      this.#queue.flush()
      if (this.#abort.signal.aborted) return
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
    return this.#tap.open(listener)
  }

  /** The loop's metrics in Prometheus' text. */
  metricsText(): Promise<string> {
    return this.#options.metrics.registry.metrics()
  }

  /** What all pods ask for, in Prometheus' text. */
  resourcesText(): string {
    const placed = this.cache.nodes.flatMap((node) => [...node.pods.values()].map(({ pod }) => pod))
    return resourceMetrics([...placed, ...[...this.#unassigned.values()].filter((pod) => this.cache.placeOf(podKey(pod)) === undefined)])
  }

  /** Ends it: nothing is decided any more, and what is under way is broken off. Resolves when it is over. */
  async stop(): Promise<void> {
    if (this.#abort.signal.aborted) return void await Promise.allSettled(this.#underWay)
    this.#leads = false
    this.#abort.abort()
    this.#flushTimer?.cancel()
    this.#tap.close()
    for (const placement of this.#placements.values()) placement.abort.abort()
    for (const waiter of this.#permits.values()) waiter.reject('', 'the scheduler stops')
    for (const extender of this.#extenders) extender.close()
    await Promise.allSettled(this.#underWay)
  }

  #profileOf(pod: Pod): Profile | undefined {
    return this.#profiles.get(pod.spec.schedulerName ?? 'default-scheduler')
  }

  #wake(): void {
    if (this.#turnPending || this.#isAsking || this.#abort.signal.aborted) return
    this.#turnPending = true
    setImmediate(() => {
      this.#turnPending = false
      this.#turn()
    })
  }

  /** Some changes, some decisions: neither waits long for the other. */
  #turn(): void {
    if (this.#abort.signal.aborted) return
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
          if (this.#groupsMatter) this.#groups.set(item.pod)
          break
        case 'pod-gone': {
          this.#groups.gone(item.key)
          this.#permits.reject(item.key, { plugin: '', message: 'the pod is gone' })
          this.#placements.get(item.key)?.abort.abort()
          this.#placements.delete(item.key)
        }
      }
      this.#change(item)
    } catch (error) {
      // A pod whose amounts cannot be read must not stop the scheduler; it does not count.
      this.#options.logger.error(error, 'Failed to take in a change', { type: item.type })
    }
  }

  /** The cluster changed, by what the API says. */
  #change(change: Change): void {
    const started = performance.now()
    const events = eventsOf(change, this.cache, this.#kinds)
    this.#apply(change)
    for (const { event, objects } of events) {
      this.#event(event, objects)
      this.#options.metrics.handled(event, (performance.now() - started) / 1000)
    }
  }

  #apply(change: Change): void {
    this.cache.apply(change)
    this.#tap.tell(change)
  }

  #event(event: ClusterEvent, objects: EventObjects): void {
    this.#queue.moveOn(event, objects)
  }

  #waiting(pod: Pod): void {
    const key = podKey(pod)
    const old = this.#unassigned.get(key)
    this.#unassigned.set(key, pod)
    this.#tap.waiting(pod)
    if (this.#groupsMatter && this.#groups.set(pod)) this.#event('UnscheduledPodAdded', { now: pod })
    if (!this.#profileOf(pod)) return
    // What is assumed is being bound: the API will soon say so, or the binding will fail.
    if (this.#placements.has(key) || this.cache.isAssumed(key)) return this.#queue.delete(key)
    if (pod.metadata.deletionTimestamp) {
      this.#queue.delete(key)
      return this.#endNomination(key)
    }
    this.#followNomination(pod, old)
    this.#queue.update(podInfoOf(pod))
  }

  /** A pod waits no longer; what was kept free for it can be another's. */
  #settled(key: string): void {
    this.#unassigned.delete(key)
    this.#tap.settled(key)
    this.#queue.delete(key)
    this.#endNomination(key)
  }

  /** Takes over what the API says of a nomination; a change that says nothing of it leaves what was decided here and is still being written. */
  #followNomination(pod: Pod, old: Pod | undefined): void {
    const written = pod.status?.nominatedNodeName ?? ''
    const node = written === (old?.status?.nominatedNodeName ?? '') ? this.cache.nominationOf(podKey(pod)) ?? '' : written
    if (node === '') this.#endNomination(podKey(pod))
    else if (this.cache.nominationOf(podKey(pod)) !== node) this.#apply({ type: 'nominate', pod, node })
  }

  #endNomination(key: string): void {
    if (this.cache.nominationOf(key) === undefined) return
    this.#apply({ type: 'nomination-gone', key })
    // To others it is as if a pod had gone.
    this.#event('AssignedPodDeleted', {})
  }

  #activate(keys: Iterable<string>): void {
    for (const key of keys) this.#queue.activate(key)
  }

  #scheduleOne(waiting: WaitingPod): void {
    const { info } = waiting
    const profile = this.#profileOf(info.pod)
    if (!profile || this.cache.placeOf(info.key) !== undefined) return
    const group = this.#groupsMatter ? this.#groups.of(info.pod) : undefined
    if (group !== undefined) return this.#scheduleGroup(waiting, group)
    const started = performance.now()
    const decision = this.#decide(waiting, profile, started)
    if (decision === undefined) return
    if (!(decision instanceof Promise)) return this.#carryOut(waiting, profile, decision, started)
    this.#isAsking = true
    this.#follow(decision.then((made) => this.#carryOut(waiting, profile, made, started), (error: unknown) => this.#failed(waiting, profile, error, started)).finally(() => {
      this.#isAsking = false
      this.#wake()
    }))
  }

  #decide(waiting: WaitingPod, profile: Profile, started: number): Decision | Promise<Decision> | undefined {
    try {
      const decision = this.#deciders.get(profile.schedulerName)?.(waiting.info, this.#options.random)
      if (!(decision instanceof Promise)) this.#options.metrics.algorithm((performance.now() - started) / 1000)
      return decision
    } catch (error) {
      this.#failed(waiting, profile, error, started)
      return undefined
    }
  }

  #failed(waiting: WaitingPod, profile: Profile, error: unknown, started: number): void {
    if (this.#abort.signal.aborted) return
    this.#options.logger.error(error, 'Error scheduling pod; retrying', { pod: waiting.key })
    this.#options.metrics.attempt('error', profile.schedulerName, (performance.now() - started) / 1000)
    this.#comeBack(waiting, (pod) => this.#queue.retry(pod))
    this.#reporter.failed(waiting.info, 'SchedulerError', errorText(error))
  }

  #carryOut(waiting: WaitingPod, profile: Profile, decision: Decision, started: number): void {
    this.decisions.add(waiting.key, decision, this.#options.clock.now(), this.#sequence)
    const placement = decision.node === undefined ? this.#noNode(waiting, profile, decision, started) : this.#place(waiting, profile, decision, started)
    if (placement) this.#start(placement)
  }

  #noNode(waiting: WaitingPod, profile: Profile, { misfit, preemption }: NoNode, started: number): undefined {
    this.#options.metrics.attempt('unschedulable', profile.schedulerName, (performance.now() - started) / 1000)
    const pending = misfit.preFilter?.code === 'Pending' ? misfit.plugins : undefined
    // Before it is back in the queue: what it gives up is no help to itself.
    if (preemption) this.#preempt(waiting.info, preemption)
    this.#comeBack(waiting, (pod) => this.#queue.reject(pod, misfit.plugins, pending))
    this.#reporter.failed(waiting.info, 'Unschedulable', misfitMessage(misfit), preemption?.nominatedNode)
  }

  /** Assume, reserve, permit: what is left is the binding. Undefined where a plugin objects: the pod has been given back. */
  #place(waiting: WaitingPod, profile: Profile, { node, state }: Found, started: number): Placement | undefined {
    const { info } = waiting
    const placement = new Placement(waiting, profile, node, state, started)
    const nominated = this.cache.nominationOf(info.key)
    this.#placements.set(info.key, placement)
    this.#apply({ type: 'assume', pod: { ...info.pod, spec: { ...info.pod.spec, nodeName: node } }, node, sequence: ++this.#sequence, info })
    if (this.#groupsMatter) this.#groups.assume(info.key)
    let refused: Status | undefined
    try {
      refused = placement.reserve(this.#options.metrics) ?? placement.permit(this.#options.metrics)
    } catch (error) {
      this.#undo(placement)
      this.#failed(waiting, profile, error, started)
      return undefined
    }
    if (refused) {
      this.#undo(placement)
      this.#refused(placement, refused)
      return undefined
    }
    if (nominated !== undefined && nominated !== node) this.#event('AssignedPodDeleted', {})
    return placement
  }

  /** What a placement took is given back. */
  #undo(placement: Placement): void {
    placement.unreserve()
    if (this.#placements.get(placement.key) !== placement) return
    this.#placements.delete(placement.key)
    this.#groups.forget(placement.key)
    this.#apply({ type: 'forget', key: placement.key, sequence: ++this.#sequence })
  }

  /** A plugin objects to the node after it had been chosen. */
  #refused({ waiting, profile, node, started, info }: Placement, status: Status): void {
    const misfit = misfitOf(1, new Map([[node, status]]))
    this.#options.metrics.attempt('unschedulable', profile.schedulerName, (performance.now() - started) / 1000)
    this.#comeBack(waiting, (pod) => this.#queue.reject(pod, misfit.plugins, status.code === 'Pending' ? misfit.plugins : undefined))
    this.#reporter.failed(info, 'Unschedulable', misfitMessage(misfit), '')
  }

  /** A pod that has no node goes back to the queue, as the API has it now; not where it is gone, placed, or another one of its name. */
  #comeBack(waiting: WaitingPod, back: (pod: WaitingPod) => void): void {
    this.#queue.arrive(waiting.key)
    const now = this.#unassigned.get(waiting.key)
    if (!now || now.metadata.deletionTimestamp || this.cache.placeOf(waiting.key) !== undefined) return
    if (now.metadata.uid !== waiting.info.pod.metadata.uid) return this.#queue.update(podInfoOf(now))
    if (now !== waiting.info.pod) waiting.info = podInfoOf(now)
    back(waiting)
  }

  /** Lets a placement be bound, beside the loop. */
  #start(placement: Placement): void {
    const { waiting, info, node } = placement
    if (placement.waits.size > 0) this.#queue.depart(waiting.key)
    this.#follow(bindCycle(placement, {
      permits: this.#permits,
      time: this.#options.metrics,
      extender: this.#extenders.find((extender) => extender.binds && extender.isInterested(info)),
      departed: () => this.#queue.arrive(waiting.key),
      expect: () => {
        if (this.#options.config.gates.enabled('NominatedNodeNameForExpectation')) this.#reporter.nominated(info, node)
      },
    }).then((refusal) => {
      if (!refusal) return this.#bound(placement)
      this.#undo(placement)
      this.#refused(placement, { code: 'Unschedulable', reasons: [refusal.message], plugin: refusal.plugin })
      this.#event('AssignedPodDeleted', { old: info.pod })
    }).catch((error: unknown) => this.#bindingFailed(placement, error)))
  }

  #bound(placement: Placement): void {
    const { waiting, profile, info, node, started, key } = placement
    if (this.#placements.get(key) === placement) this.#placements.delete(key)
    this.#options.metrics.attempt('scheduled', profile.schedulerName, (performance.now() - started) / 1000)
    this.#options.metrics.placed(waiting, (this.#options.clock.now() - waiting.firstReady) / 1000)
    this.#reporter.scheduled(info, node)
    this.#options.logger.v(2).info('Successfully bound pod to node', { pod: key, node })
    placement.postBind(this.#options.metrics)
  }

  #bindingFailed(placement: Placement, error: unknown): void {
    const { waiting, profile, info, key } = placement
    const mine = this.#placements.get(key) === placement
    this.#undo(placement)
    if (this.#abort.signal.aborted) return
    // What was assumed is free again: that can help others.
    if (mine) this.#event('AssignedPodDeleted', { old: info.pod })
    // It is gone, and with it whatever was to be said of it.
    if (!mine) return
    if (!this.#unassigned.has(key)) {
      this.#options.logger.v(2).info('Binding failed for a pod that is gone', { pod: key, reason: errorText(error) })
      return
    }
    this.#failed(waiting, profile, error, placement.started)
  }

  /** Lets `stop` wait for what goes on beside the loop. */
  #follow(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  /** Does what postFilter decided: the pod has its room on the node from now on, and the victims are told to go. */
  #preempt(info: PodInfo, { nominatedNode, victims }: PostFilterResult): void {
    const { key } = info
    this.#options.metrics.preemption(victims.length)
    if (nominatedNode === '') this.#endNomination(key)
    if (!nominatedNode) return
    // Pods of lower priority that had their room there look for another; they need not wait for the victims.
    for (const other of [...this.cache.nominatedOn(nominatedNode)?.values() ?? []]) {
      if (other.key === key || priorityOf(other) >= priorityOf(info)) continue
      this.#apply({ type: 'nomination-gone', key: other.key })
      this.#reporter.nominationLost(other)
      this.#queue.activate(other.key)
    }
    this.#apply({ type: 'nominate', pod: info.pod, node: nominatedNode })
    const leaving = victims.filter(({ pod }) => !pod.metadata.deletionTimestamp && !this.#giveWay(pod))
    if (leaving.length === 0) return
    // Until all are told, a second look would find some of them and choose others.
    this.#queue.hold(key)
    const started = performance.now()
    this.#follow(this.#evictor.evict(info, nominatedNode, leaving).then(() => {
      this.#options.metrics.evicted('success', (performance.now() - started) / 1000)
      this.#queue.release(key)
    }, (error: unknown) => {
      this.#options.metrics.evicted('error', (performance.now() - started) / 1000)
      this.#queue.release(key)
      if (this.#abort.signal.aborted) return
      this.#options.logger.error(error, 'Failed to preempt', { pod: key, node: nominatedNode })
      this.#endNomination(key)
      this.#queue.activate(key)
    }))
  }

  /** A victim that is not bound yet need not be deleted: it loses its place. */
  #giveWay(victim: Pod): boolean {
    const key = podKey(victim)
    if (this.#permits.reject(key, { plugin: 'DefaultPreemption', message: 'preempted' })) return true
    const placement = this.#placements.get(key)
    if (!placement?.isPreparing) return false
    placement.abort.abort(new Error('preempted'))
    return true
  }

  /** A pod had a place, but its group has not enough of them. */
  #rejectOfGroup({ waiting, profile, info, started }: Placement): void {
    this.#options.metrics.attempt('unschedulable', profile.schedulerName, (performance.now() - started) / 1000)
    this.#comeBack(waiting, (pod) => this.#queue.reject(pod, new Set(['GangScheduling'])))
    this.#reporter.failed(info, 'Unschedulable', 'waiting for minCount pods from a gang to be scheduled', '')
  }

  /** The group is decided on as one: all of it that waits, and either enough have a place or nobody has. */
  #scheduleGroup(first: WaitingPod, group: string): void {
    const members = [first, ...this.#groups.waiting(group, first.key).flatMap((key) => this.#queue.take(key) ?? [])]
    const placements: Placement[] = []
    const without: Array<{ readonly waiting: WaitingPod; readonly profile: Profile; readonly decision: NoNode; readonly started: number }> = []
    for (const waiting of members) {
      const profile = this.#profileOf(waiting.info.pod)
      if (!profile || this.cache.placeOf(waiting.key) !== undefined) continue
      const started = performance.now()
      const decision = this.#decide(waiting, profile, started)
      if (decision === undefined) continue
      if (decision instanceof Promise) {
        // What a group comes to is one decision; asking others in between would let the cluster change under it.
        decision.catch(() => undefined)
        this.#failed(waiting, profile, new Error('pods of pod groups cannot be decided on with extenders'), started)
        continue
      }
      this.decisions.add(waiting.key, decision, this.#options.clock.now(), this.#sequence)
      if (decision.node === undefined) without.push({ waiting, profile, decision, started })
      else {
        const placement = this.#place(waiting, profile, decision, started)
        if (placement) placements.push(placement)
      }
    }
    const { needed, placed } = this.#groups.quorum(group, this.cache)
    this.#options.metrics.groupAttempt(placed < needed ? 'unschedulable' : 'scheduled', first.info.pod.spec.schedulerName ?? 'default-scheduler')
    if (placed < needed) {
      for (const placement of placements.reverse()) {
        this.#undo(placement)
        this.#rejectOfGroup(placement)
      }
    } else {
      for (const placement of placements) {
        // Whoever came first was asked when the others had no place yet.
        const refused = placement.waits.size > 0 ? placement.permit(this.#options.metrics) : undefined
        if (!refused) this.#start(placement)
        else {
          this.#undo(placement)
          this.#refused(placement, refused)
        }
      }
    }
    // Nobody has to go for a group that would not start all the same.
    const isHopeless = placed + without.filter(({ decision }) => decision.preemption?.nominatedNode).length < needed
    for (const { waiting, profile, decision, started } of without) this.#noNode(waiting, profile, isHopeless ? { misfit: decision.misfit } : decision, started)
  }
}
