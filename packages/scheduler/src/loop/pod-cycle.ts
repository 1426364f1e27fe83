import { errorText } from '@berth/kube'
import type { Decision, Found, NoNode } from '../cycle/decision.ts'
import { misfitMessage, misfitOf } from '../cycle/fit-error.ts'
import type { Extender } from '../extenders/extender.ts'
import type { PostFilterResult } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Status } from '../framework/status.ts'
import type { SchedulingQueue, WaitingPod } from '../queue/scheduling-queue.ts'
import { bindCycle } from './bind-cycle.ts'
import type { DeciderOptions } from './decider.ts'
import type { DecisionLog } from './decision-log.ts'
import type { DecisionMaker } from './decision-maker.ts'
import { Evictor } from './evictor.ts'
import type { KnownCluster } from './known-cluster.ts'
import type { Permits } from './permits.ts'
import { Placement } from './placement.ts'
import { carryOutPreemption } from './preemption.ts'
import { Reporter } from './report.ts'
import type { UnderWay } from './under-way.ts'

export interface PodCycleOptions extends DeciderOptions {
  readonly known: KnownCluster
  readonly queue: SchedulingQueue
  readonly permits: Permits
  readonly underWay: UnderWay
  readonly extenders: readonly Extender[]
  /** Who decides for a profile, by its scheduler's name. */
  readonly deciders: ReadonlyMap<string, DecisionMaker>
  readonly decisions: DecisionLog
  /** Pods on their way to their node; this cycle alone puts some in. */
  readonly placements: Map<string, Placement>
}

/** One pod's way from the queue to its node or back: decide, assume, reserve, permit; then, beside the loop, the binding (upstream: scheduleOne). */
export class PodCycle {
  readonly #options: PodCycleOptions
  readonly #reporter: Reporter
  readonly #evictor: Evictor

  constructor(options: PodCycleOptions) {
    this.#options = options
    this.#reporter = new Reporter(options)
    this.#evictor = new Evictor(options)
  }

  /** A promise is an answer that an extender is asked for; undefined where deciding failed: the pod has been given back. */
  decide(waiting: WaitingPod, profile: Profile, started: number): Decision | Promise<Decision> | undefined {
    const { deciders, random, metrics } = this.#options
    try {
      const decision = deciders.get(profile.schedulerName)?.(waiting.info, random)
      if (!(decision instanceof Promise)) metrics.algorithm((performance.now() - started) / 1000)
      return decision
    } catch (error) {
      this.failed(waiting, profile, error, started)
      return undefined
    }
  }

  /** Does what was decided. */
  carryOut(waiting: WaitingPod, profile: Profile, decision: Decision, started: number): void {
    this.note(waiting, decision)
    const placement = decision.node === undefined ? this.noNode(waiting, profile, decision, started) : this.place(waiting, profile, decision, started)
    if (placement) this.start(placement)
  }

  /** Keeps the decision, for those who ask. */
  note(waiting: WaitingPod, decision: Decision): void {
    this.#options.decisions.add(waiting.key, decision, this.#options.clock.now(), this.#options.known.sequence)
  }

  /** Something broke: the pod is tried again, and its events say why. */
  failed(waiting: WaitingPod, profile: Profile, error: unknown, started: number): void {
    const { known, queue, underWay, logger, metrics } = this.#options
    if (underWay.isOver) return
    logger.error(error, 'Error scheduling pod; retrying', { pod: waiting.key })
    metrics.attempt('error', profile.schedulerName, (performance.now() - started) / 1000)
    known.comeBack(waiting, (pod) => queue.retry(pod))
    this.#reporter.failed(waiting.info, 'SchedulerError', errorText(error))
  }

  /** The pod fits nowhere: others may have to go for it, and it waits for what may help it. */
  noNode(waiting: WaitingPod, profile: Profile, { misfit, preemption }: NoNode, started: number): undefined {
    const { known, queue, metrics } = this.#options
    metrics.attempt('unschedulable', profile.schedulerName, (performance.now() - started) / 1000)
    const pending = misfit.preFilter?.code === 'Pending' ? misfit.plugins : undefined
    // Before it is back in the queue: what it gives up is no help to itself.
    if (preemption) this.#preempt(waiting.info, preemption)
    known.comeBack(waiting, (pod) => queue.reject(pod, misfit.plugins, pending))
    this.#reporter.failed(waiting.info, 'Unschedulable', misfitMessage(misfit), preemption?.nominatedNode)
  }

  /** Assume, reserve, permit: what is left is the binding. Undefined where a plugin objects: the pod has been given back. */
  place(waiting: WaitingPod, profile: Profile, { node, state }: Found, started: number): Placement | undefined {
    const { known, placements, metrics } = this.#options
    const { info } = waiting
    const placement = new Placement(waiting, profile, node, state, started)
    const nominated = known.cache.nominationOf(info.key)
    placements.set(info.key, placement)
    known.assume(info, node)
    let refused: Status | undefined
    try {
      refused = placement.reserve(metrics) ?? placement.permit(metrics)
    } catch (error) {
      this.undo(placement)
      this.failed(waiting, profile, error, started)
      return undefined
    }
    if (refused) {
      this.undo(placement)
      this.refused(placement, refused)
      return undefined
    }
    if (nominated !== undefined && nominated !== node) known.event('AssignedPodDeleted', {})
    return placement
  }

  /** What a placement took is given back. */
  undo(placement: Placement): void {
    const { known, placements } = this.#options
    placement.unreserve()
    if (placements.get(placement.key) !== placement) return
    placements.delete(placement.key)
    known.forget(placement.key)
  }

  /** A plugin objects to the node after it had been chosen. */
  refused(placement: Placement, status: Status): void {
    const misfit = misfitOf(1, new Map([[placement.node, status]]))
    this.giveBack(placement, misfit.plugins, misfitMessage(misfit), { isPending: status.code === 'Pending', nominatedNode: '' })
  }

  /** A placement that comes to nothing: its pod waits for what may help it with these plugins. */
  giveBack({ waiting, profile, info, started }: Placement, plugins: ReadonlySet<string>, message: string, { isPending = false, nominatedNode = '' } = {}): void {
    const { known, queue, metrics } = this.#options
    metrics.attempt('unschedulable', profile.schedulerName, (performance.now() - started) / 1000)
    known.comeBack(waiting, (pod) => queue.reject(pod, plugins, isPending ? plugins : undefined))
    this.#reporter.failed(info, 'Unschedulable', message, nominatedNode)
  }

  /** Lets a placement be bound, beside the loop. */
  start(placement: Placement): void {
    const { known, queue, permits, underWay, extenders, metrics, config } = this.#options
    const { waiting, info, node } = placement
    if (placement.waits.size > 0) queue.depart(waiting.key)
    underWay.follow(bindCycle(placement, {
      permits,
      time: metrics,
      extender: extenders.find((extender) => extender.binds && extender.isInterested(info)),
      departed: () => queue.arrive(waiting.key),
      expect: () => {
        if (config.gates.enabled('NominatedNodeNameForExpectation')) this.#reporter.nominated(info, node)
      },
    }).then((refusal) => {
      if (!refusal) return this.#bound(placement)
      this.undo(placement)
      this.refused(placement, { code: 'Unschedulable', reasons: [refusal.message], plugin: refusal.plugin })
      known.event('AssignedPodDeleted', { old: info.pod })
    }).catch((error: unknown) => this.#bindingFailed(placement, error)))
  }

  #bound(placement: Placement): void {
    const { placements, metrics, clock, logger } = this.#options
    const { waiting, profile, info, node, started, key } = placement
    if (placements.get(key) === placement) placements.delete(key)
    metrics.attempt('scheduled', profile.schedulerName, (performance.now() - started) / 1000)
    metrics.placed(waiting, (clock.now() - waiting.firstReady) / 1000)
    this.#reporter.scheduled(info, node)
    logger.v(2).info('Successfully bound pod to node', { pod: key, node })
    placement.postBind(metrics)
  }

  #bindingFailed(placement: Placement, error: unknown): void {
    const { known, placements, underWay, logger } = this.#options
    const { waiting, profile, info, key } = placement
    const mine = placements.get(key) === placement
    this.undo(placement)
    if (underWay.isOver) return
    // It is gone, and with it whatever was to be said of it.
    if (!mine) return
    // What was assumed is free again: that can help others.
    known.event('AssignedPodDeleted', { old: info.pod })
    if (!known.unassigned.has(key)) {
      logger.v(2).info('Binding failed for a pod that is gone', { pod: key, reason: errorText(error) })
      return
    }
    this.failed(waiting, profile, error, placement.started)
  }

  #preempt(info: PodInfo, result: PostFilterResult): void {
    carryOutPreemption({ ...this.#options, evictor: this.#evictor, reporter: this.#reporter }, info, result)
  }
}
