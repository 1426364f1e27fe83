import { podInfoOf, type Cache, type NodeInfo, type Profile, type Snapshot } from '@berth/scheduler/parts'
import { UnavailableError } from '../errors.ts'
import type { ExtenderMetrics } from '../metrics.ts'
import type { BindArgs, HostPriority, MetaVictims, PreemptArgs } from '../wire/protocol.ts'
import type { NodesRequest } from '../wire/requests.ts'
import { SentNode } from '../wire/sent-node.ts'
import type { Binder } from './binder.ts'
import { filterNodes, rateNodes, type CheckTime } from './evaluate.ts'
import { withSentNodes } from './overlay.ts'
import { reviewCandidates } from './preempt.ts'
import { prioritiesOf } from './priorities.ts'

/** What filter came to. `passed` are the numbers of the nodes in the request. */
export interface FilterAnswer {
  readonly passed: readonly number[]
  readonly failed: Readonly<Record<string, string>>
  readonly unresolvable: Readonly<Record<string, string>>
}

export interface ExtenderOptions {
  readonly cache: Cache
  readonly profile: Profile
  readonly binder?: Pick<Binder, 'bind'>
  readonly metrics?: ExtenderMetrics
  /** Whether the cache knows the cluster yet. */
  readonly synced: () => boolean
}

/** The four verbs, on a cache of its own. It decides; who calls it talks HTTP. */
export class Extender {
  readonly #options: ExtenderOptions

  constructor(options: ExtenderOptions) {
    this.#options = options
  }

  filter({ pod, nodes }: NodesRequest, checkTime: CheckTime): FilterAnswer {
    const { profile, metrics } = this.#options
    const { places, known, snapshot, unknown } = this.#nodesOf(nodes)
    const verdicts = filterNodes(podInfoOf(pod), known, profile, snapshot, checkTime)
    const passed: number[] = []
    const failed: Record<string, string> = {}
    const unresolvable: Record<string, string> = {}
    // It may come with the next event.
    for (const name of unknown) failed[name] = 'node(s) were not known to the extender yet'
    for (const [i, verdict] of verdicts.entries()) {
      if (!verdict) passed.push(places?.[i] ?? i)
      else (verdict.code === 'UnschedulableAndUnresolvable' ? unresolvable : failed)[known[i]?.name ?? ''] = verdict.reasons.join(', ')
    }
    metrics?.nodes('filter', passed.length, nodes.length - passed.length)
    return { passed, failed, unresolvable }
  }

  prioritize({ pod, nodes }: NodesRequest, checkTime: CheckTime): HostPriority[] {
    const { known, snapshot, unknown } = this.#nodesOf(nodes)
    const scores = prioritiesOf(rateNodes(podInfoOf(pod), known, this.#options.profile, snapshot, checkTime))
    this.#options.metrics?.nodes('prioritize', known.length, unknown.length)
    return [...known.map(({ name }, i) => ({ Host: name, Score: scores[i] ?? 0 })), ...unknown.map((name) => ({ Host: name, Score: 0 }))]
  }

  preempt({ pod, victims }: PreemptArgs, checkTime: CheckTime): Record<string, MetaVictims> {
    const cache = this.#cache()
    const kept = reviewCandidates(podInfoOf(pod), victims, this.#options.profile, cache, checkTime)
    const passed = Object.keys(kept).length
    this.#options.metrics?.nodes('preempt', passed, victims.size - passed)
    return kept
  }

  /** Why the pod cannot be bound; undefined where it is. */
  async bind(args: BindArgs, checkTime: CheckTime): Promise<string | undefined> {
    this.#cache()
    if (!this.#options.binder) return 'this extender binds no pods'
    return this.#options.binder.bind(args, checkTime)
  }

  #cache(): Cache {
    if (!this.#options.synced()) throw new UnavailableError('not-synced', 'the extender does not know the cluster yet')
    return this.#options.cache
  }

  /** The nodes as plugins read them, and where each stood in the request, where that is not its own number. */
  #nodesOf(nodes: readonly string[] | readonly SentNode[]): { known: NodeInfo[]; places?: number[]; unknown: string[]; snapshot: Snapshot } {
    const cache = this.#cache()
    if (nodes[0] instanceof SentNode) {
      const { nodes: known, snapshot, differing } = withSentNodes(cache, nodes as readonly SentNode[])
      this.#options.metrics?.differing(differing)
      return { known, unknown: [], snapshot }
    }
    const known: NodeInfo[] = []
    const places: number[] = []
    const unknown: string[] = []
    for (const [i, name] of (nodes as readonly string[]).entries()) {
      const node = cache.node(name)
      if (!node) unknown.push(name)
      else {
        known.push(node)
        places.push(i)
      }
    }
    return { known, places, unknown, snapshot: cache }
  }
}
