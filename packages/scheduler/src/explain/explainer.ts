import type { Pod } from '@berth/api/types/core/v1'
import type { Clock } from '@berth/kube'
import { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import { ExplainError } from '../errors.ts'
import { podInfoOf, podKey, type PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import type { AsOf, KeptDecision, ScoredNode, WhatIfAnswer, WhyAnswer, WhyNotAnswer } from './answers.ts'
import { deficitOf } from './deficit.ts'
import { evictionFor } from './eviction.ts'
import { helpfulEvents } from './helps.ts'
import { reconsider } from './reconsider.ts'
import { Scenario } from './scenario.ts'
import { inquire } from './verdicts.ts'
import { WhatIf, type WhatIfRequest } from './what-if.ts'

/** A placed pod as it was before: to the filters, its node is not chosen yet. */
function unplaced({ pod }: PodInfo): PodInfo {
  const { nodeName: _, ...spec } = pod.spec
  return podInfoOf({ ...pod, spec })
}

export interface ExplainerOptions {
  /** The profiles, made for this explainer alone: plugins keep state. They read the cluster as `snapshot` gives it. */
  readonly profiles: (snapshot: () => Snapshot) => ReadonlyMap<string, Profile>
  readonly clock: Clock
  /** What the scheduler kept of its last decision on a pod; absent where no scheduler of ours runs. */
  readonly kept?: (pod: string) => KeptDecision | undefined
}

/**
 * Answers questions about placements on a cache of its own, fed by the same changes as the scheduler's. Everything is
 * computed by the plain path: all plugins, all nodes, all reasons.
 */
export class Explainer {
  readonly #cache = new Cache()
  readonly #waiting = new Map<string, Pod>()
  readonly #options: ExplainerOptions
  readonly #profiles: ReadonlyMap<string, Profile>

  constructor(options: ExplainerOptions) {
    this.#options = options
    this.#profiles = options.profiles(() => this.#cache)
  }

  /** The cluster as this explainer knows it. */
  get snapshot(): Snapshot {
    return this.#cache
  }

  /** The cluster changed. Throws QuantityError for a pod whose amounts cannot be read; it does not count. */
  change(change: Change): void {
    this.#cache.apply(change)
  }

  /** A pod without a node is there, or has changed. */
  waiting(pod: Pod): void {
    this.#waiting.set(podKey(pod), pod)
  }

  /** A pod waits no longer: it has a node, or is gone. */
  settled(key: string): void {
    this.#waiting.delete(key)
  }

  why(key: string): WhyAnswer {
    const { pod, node } = this.#find(key)
    const profile = this.#profileOf(pod)
    const kept = this.#options.kept?.(key)
    const gate = node === undefined ? this.#gateOf(pod, profile) : undefined
    const { answer, rejectedBy } = this.#without(pod, node, () => reconsider(pod, profile, this.#cache))
    const nominated = this.#cache.nominationOf(key)
    return {
      kind: 'Why', pod: key, scheduler: profile.schedulerName, state: node !== undefined ? 'Placed' : gate ? 'Gated' : 'Pending', asOf: this.#asOf(),
      ...(node === undefined ? {} : { node }), ...(nominated === undefined ? {} : { nominatedNode: nominated }), ...(kept ? { decision: kept } : {}),
      now: answer,
      helps: node === undefined ? helpfulEvents(profile.plugins, gate?.plugin === undefined ? rejectedBy : new Set([gate.plugin])) : [],
      notes: [
        ...(gate ? [`${gate.plugin} keeps it out of the queue: ${gate.reasons.join(', ')}`] : []),
        ...(node !== undefined && !kept ? ['nothing is kept of the decision itself (it was made too long ago, by another scheduler, or before a restart); what follows speaks of now'] : []),
        ...(node !== undefined && answer.node !== undefined && answer.node !== node ? [`decided on again now, it would go to ${answer.node}`] : []),
      ],
    }
  }

  whyNot(key: string, nodeName: string): WhyNotAnswer {
    const { pod, node: place } = this.#find(key)
    if (!this.#cache.node(nodeName)) throw new ExplainError('NotFound', `node ${JSON.stringify(nodeName)} is not there`)
    const profile = this.#profileOf(pod)
    return this.#without(pod, place, () => {
      const node = this.#cache.node(nodeName)!
      const inquiry = inquire(pod, profile, this.#cache)
      const fits = inquiry.fits(node)
      const { resolvable } = inquiry.refusals(node)
      const eviction = !fits && resolvable ? evictionFor(pod, node, inquiry) : undefined
      const scores: readonly ScoredNode[] = fits ? this.#scores(pod, profile) : []
      const own = scores.find((score) => score.node === nodeName)
      const best = scores.reduce<ScoredNode | undefined>((a, b) => (a && a.total >= b.total ? a : b), undefined)
      return {
        kind: 'WhyNot', pod: key, node: nodeName, scheduler: profile.schedulerName, asOf: this.#asOf(), ...(place === undefined ? {} : { runsOn: place }),
        fits, verdicts: inquiry.verdicts(node), lacks: deficitOf(pod, node).words, ...(eviction ? { evict: eviction.pods, byPreemption: eviction.byPreemption } : {}),
        ...(own ? { score: own } : {}), ...(best ? { best } : {}),
        notes: [
          ...(place === nodeName ? [`${key} runs there`] : []),
          ...(fits && own && best && own.total === best.total && place !== nodeName ? ['no other node is better: among equals chance decides'] : []),
          ...(!fits && (this.#cache.nominatedOn(nodeName)?.size ?? 0) > 0 ? [`pods are nominated to ${nodeName}, and count there: ${[...this.#cache.nominatedOn(nodeName)!.keys()].join(', ')}`] : []),
        ],
      }
    })
  }

  whatIf(request: WhatIfRequest): WhatIfAnswer {
    const waiting = [...this.#waiting.values()].filter((pod) => this.#profiles.has(pod.spec.schedulerName ?? 'default-scheduler'))
    const answer = new WhatIf(this.#cache, (pod) => this.#profiles.get(pod.spec.schedulerName ?? 'default-scheduler')).run(request, waiting)
    return { kind: 'WhatIf', asOf: this.#asOf(), ...answer }
  }

  #asOf(): AsOf {
    return { time: new Date(this.#options.clock.now()).toISOString(), sequence: this.#cache.sequence }
  }

  #find(key: string): { pod: PodInfo; node?: string } {
    const node = this.#cache.placeOf(key)
    const placed = node === undefined ? undefined : this.#cache.node(node)?.pods.get(key)
    if (node !== undefined && placed) return { pod: unplaced(placed), node }
    if (node !== undefined) throw new ExplainError('NotFound', `pod ${JSON.stringify(key)} is on node ${JSON.stringify(node)}, which is not there`)
    const waiting = this.#waiting.get(key)
    if (!waiting) throw new ExplainError('NotFound', `pod ${JSON.stringify(key)} is not there, or has ended`)
    return { pod: podInfoOf(waiting) }
  }

  #profileOf({ pod }: PodInfo): Profile {
    const name = pod.spec.schedulerName ?? 'default-scheduler'
    const profile = this.#profiles.get(name)
    if (!profile) throw new ExplainError('Invalid', `its schedulerName is ${JSON.stringify(name)}: another scheduler decides on it; this one has ${[...this.#profiles.keys()].join(', ')}`)
    return profile
  }

  #gateOf(pod: PodInfo, profile: Profile): { plugin: string; reasons: readonly string[] } | undefined {
    for (const plugin of profile.plugins) {
      const status = plugin.preEnqueue?.(pod)
      if (status) return { plugin: plugin.name, reasons: status.reasons }
    }
    return undefined
  }

  /** Every feasible node's score, also where there is one alone. */
  #scores(pod: PodInfo, profile: Profile): readonly ScoredNode[] {
    const { decision } = reconsider(pod, profile, this.#cache)
    return decision.node === undefined ? [] : decision.scores
  }

  /** Looks at the cluster as it would be without the pod. */
  #without<T>(pod: PodInfo, node: string | undefined, look: () => T): T {
    if (node === undefined) return look()
    const scenario = new Scenario(this.#cache)
    scenario.apply({ type: 'pod-gone', key: pod.key })
    try {
      return look()
    } finally {
      scenario.undo()
    }
  }
}
