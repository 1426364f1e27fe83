import type { Cache } from '../cache/cache.ts'
import { decidePlain, nominatedNode, postFilter } from '../cycle/decide.ts'
import { summarize, type Decision } from '../cycle/decision.ts'
import { runPreFilters } from '../cycle/filters.ts'
import { CycleState } from '../framework/cycle-state.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import { unresolvable } from '../framework/status.ts'
import { indexOf, type ClusterIndex } from './cluster-index.ts'
import { Cycle } from './cycle.ts'
import { Ladder } from './ladder.ts'
import { Lru } from './lru.ts'
import { ColumnMisfit } from './misfit.ts'
import { formOf, pipelineOf, type Pipeline } from './pipeline.ts'
import { ColumnStore, type Plan } from './plan.ts'
import { PodAffinity } from './pod-affinity.ts'
import { nodesToFind } from './sampling.ts'
import { Signature } from './signature.ts'
import { absent, Statuses } from './statuses.ts'
import { Sweep, type Demand } from './sweep.ts'
import { TopologySpread } from './topology-spread.ts'

/** What the kept signatures may take, in bytes; and a slot of one. */
const signatureBudget = 48 * 2 ** 20
const signatureBytes = 13
const ladderBudget = 96 * 2 ** 20
const ladderBytes = 48
const seenOnceKept = 4096
/** Among so few nodes, asking about each is faster than any column. */
const fewNodes = 16
/** More verdicts than this, and their numbers are given out anew. */
const maxStatuses = 100_000

/** How many things of so many bytes a slot are kept. */
function kept(budget: number, bytes: number, slots: number): number {
  return Math.max(8, Math.min(512, Math.floor(budget / (bytes * slots))))
}

/** What depends on the columns' capacity and is made anew when that grows. */
interface Tables {
  readonly capacity: number
  readonly statuses: Statuses
  readonly store: ColumnStore
  /** Kept because they were seen more than once. */
  readonly signatures: Lru<Signature>
  readonly ladders: Lru<Ladder>
  readonly seenOnce: Lru<true>
  /** For pods whose like was not seen before. */
  readonly passing: { signature: Signature | undefined }
  readonly spread: TopologySpread | undefined
  readonly affinity: PodAffinity | undefined
}

/** Decides for one profile on one cache: the same answers as the plain path, of which it computes what has changed. */
export class Engine {
  readonly #profile: Profile
  readonly #pipeline: Pipeline
  readonly #index: ClusterIndex
  readonly #sweep: Sweep
  #tables: Tables | undefined
  /** Where the next sample of nodes begins. */
  #start = 0

  constructor(cache: Cache, profile: Profile) {
    this.#profile = profile
    this.#pipeline = pipelineOf(profile)
    this.#index = indexOf(cache)
    this.#sweep = new Sweep(this.#index, this.#pipeline)
  }

  /** Decides on a pod that is on no node. Nothing is changed; `random` (0 <= random() < 1) chooses among equals. */
  decide(pod: PodInfo, random: () => number): Decision {
    const { cache, columns } = this.#index
    columns.refresh()
    const state = new CycleState()
    const early = columns.nodes === 0 ? undefined : runPreFilters(state, pod, this.#pipeline.early, cache)
    // What has no verdict of single nodes needs nothing of what is kept here.
    if (!early || early.status) return summarize(decidePlain(pod, this.#profile, cache, random))
    const tables = this.#currentTables()
    const cycle = new Cycle(pod, state, cache, this.#profile, tables.statuses)
    tables.spread?.prepare(pod)
    tables.affinity?.prepare(pod)
    cycle.skipsSpread = tables.spread?.filters === false
    cycle.skipsAffinity = tables.affinity?.filters === false
    const nominated = cache.hasNominations ? nominatedNode(pod, cache, early.nodes) : undefined
    if (nominated && !cycle.filters.run(nominated)) return { node: nominated.name, feasible: 1, best: [], state }
    const notChosen = early.nodes ? tables.statuses.idOf(unresolvable(`node(s) didn't satisfy plugin(s) [${[...early.choosers].sort().join(' ')}]`), early.choosers.join(',')) : 0
    if (early.nodes && early.nodes.size <= fewNodes && cycle.skipsSpread && cycle.skipsAffinity) {
      const decision = this.#amongFew(early.nodes, notChosen, cycle, random)
      if (decision) return decision
    }
    const plan = tables.store.plan(cycle)
    const demand: Demand = {
      spread: tables.spread, affinity: tables.affinity, directFilters: plan.directFilters, directScores: plan.directScores,
      allowed: early.nodes,
      notChosen,
    }
    const kept = this.#kept(plan, cycle, tables, cache.hasNominations && cache.nominationOf(pod.key) !== undefined)
    const signature = kept ?? this.#passing(cycle, tables)
    const before = signature.cursor
    const update = signature.sync(cycle)
    if (kept && !early.nodes && plan.directFilters.length + plan.directScores.length === 0 && this.#profile.percentageOfNodesToScore % 100 === 0) {
      const ladder = this.#ladder(plan, kept, tables)
      ladder?.update(update, before)
      const found = ladder?.isTooFine === false ? ladder.choose(cycle, random) : undefined
      if (found) return { node: columns.infos[found.slot]?.name ?? '', feasible: found.feasible, best: found.best, state }
    }
    return this.#swept(signature, cycle, demand, random)
  }

  #currentTables(): Tables {
    const { capacity } = this.#index.columns
    if (this.#tables?.capacity === capacity && this.#tables.statuses.size < maxStatuses) return this.#tables
    const statuses = new Statuses()
    const { spread, affinity } = this.#pipeline
    const spreadPlugin = (spread?.filter ?? spread?.score)?.plugin
    const affinityPlugin = (affinity?.filter ?? affinity?.score)?.plugin
    const spreadForm = spreadPlugin && formOf(spreadPlugin, 'topology-spread')
    const affinityForm = affinityPlugin && formOf(affinityPlugin, 'pod-affinity')
    this.#tables = {
      capacity, statuses,
      store: new ColumnStore(this.#index, this.#pipeline),
      signatures: new Lru(kept(signatureBudget, signatureBytes, capacity)),
      ladders: new Lru(kept(ladderBudget, ladderBytes, capacity)),
      seenOnce: new Lru(seenOnceKept),
      passing: { signature: undefined },
      spread: spreadPlugin && spreadForm ? new TopologySpread(spreadPlugin.name, this.#index, spreadForm, statuses) : undefined,
      affinity: affinityPlugin && affinityForm ? new PodAffinity(affinityPlugin.name, this.#index, affinityForm, statuses) : undefined,
    }
    return this.#tables
  }

  /** The pod's signature, if it is kept: from the second time on. A pod with a room of its own is like no other. */
  #kept(plan: Plan, cycle: Cycle, { signatures, seenOnce, store }: Tables, isNominated: boolean): Signature | undefined {
    if (isNominated) return undefined
    const known = signatures.get(plan.key)
    if (known) return known
    if (!seenOnce.get(plan.key)) {
      seenOnce.set(plan.key, true)
      return undefined
    }
    const made = new Signature(this.#index.columns, store.parts(cycle))
    signatures.set(plan.key, made)
    return made
  }

  /** The ladder of the pod and its like, if there is one: with rules about domains, from the second time on. */
  #ladder(plan: Plan, signature: Signature, { ladders, seenOnce, spread, affinity }: Tables): Ladder | undefined {
    // Where others have their room, verdicts that depend on domains are asked of the plugins themselves.
    if (this.#index.cache.hasNominations && (spread?.filters || affinity?.filters)) return undefined
    const [spreadText, affinityText] = [spread?.text ?? '', affinity?.text ?? '']
    const key = `${plan.key}\n\n${spreadText}\n${affinityText}`
    const known = ladders.get(key)
    if (known?.isOf(signature) && known.isCurrent()) {
      if (!known.isTooFine) return known
      if (!known.isWornOut) return undefined
    }
    if (!known && (spreadText !== '' || affinityText !== '') && !seenOnce.get(key)) {
      seenOnce.set(key, true)
      return undefined
    }
    const ladder = new Ladder(this.#index, signature, spread?.rule(this.#pipeline.spread?.score?.weight ?? 0), affinity?.rule(this.#pipeline.affinity?.score?.weight ?? 0))
    ladders.set(key, ladder)
    return ladder
  }

  #passing(cycle: Cycle, { passing, store }: Tables): Signature {
    const parts = store.parts(cycle)
    if (passing.signature) passing.signature.reset(parts)
    else passing.signature = new Signature(this.#index.columns, parts)
    return passing.signature
  }

  /** Asks about the only nodes that are left, as a DaemonSet's pod has one; undefined where several are feasible and have to be compared. */
  #amongFew(names: ReadonlySet<string>, notChosen: number, cycle: Cycle, random: () => number): Decision | undefined {
    const { columns, cache } = this.#index
    const verdicts = new Map<number, number>()
    let only: string | undefined
    for (const name of names) {
      const node = cache.node(name)
      if (!node) continue
      const status = cycle.filters.run(node)
      verdicts.set(node.slot, cycle.statuses.idOf(status, status?.plugin ?? ''))
      if (status) continue
      if (only !== undefined) return undefined
      only = name
    }
    if (only !== undefined) return { node: only, feasible: 1, best: [], state: cycle.state }
    const all = new Int32Array(columns.used)
    for (let slot = 0; slot < columns.used; slot++) all[slot] = columns.alive[slot] === 1 ? verdicts.get(slot) ?? notChosen : absent
    return this.#misfit(cycle, all, random)
  }

  #swept(signature: Signature, cycle: Cycle, demand: Demand, random: () => number): Decision {
    const verdicts = this.#sweep.verdicts(signature, cycle, demand)
    let feasible = this.#sweep.collect(verdicts)
    if (feasible === 0) return this.#misfit(cycle, verdicts, random)
    const wanted = nodesToFind(this.#profile.percentageOfNodesToScore, this.#index.columns.nodes)
    if (wanted < feasible) {
      this.#start = this.#sweep.sample(wanted, this.#start)
      feasible = wanted
    }
    if (feasible === 1) return { node: this.#sweep.first?.name ?? '', feasible: 1, best: [], state: cycle.state }
    const { slot, best } = this.#sweep.choose(signature, cycle, demand, random)
    return { node: this.#index.columns.infos[slot]?.name ?? '', feasible, best, state: cycle.state }
  }

  #misfit(cycle: Cycle, verdicts: Int32Array, random: () => number): Decision {
    const { columns, cache } = this.#index
    const preemption = postFilter(cycle.pod, this.#profile, {
      snapshot: cache, random,
      verdict: (node) => {
        const slot = columns.slotOf(node)
        return slot === undefined ? undefined : cycle.statuses.get(verdicts[slot] ?? 0)
      },
      resolvable: () => {
        const helpful: boolean[] = []
        for (let id = 0; id < cycle.statuses.size; id++) helpful.push(cycle.statuses.get(id)?.code === 'Unschedulable')
        return cache.nodes.filter(({ slot }) => helpful[verdicts[slot]!] === true)
      },
      filter: (node) => cycle.filters.run(node),
      add: (other, node) => cycle.filters.add(other, node),
      remove: (other, node) => cycle.filters.remove(other, node),
    })
    return { misfit: new ColumnMisfit(columns, verdicts, cycle.statuses, preemption?.message), ...(preemption ? { preemption } : {}) }
  }
}
