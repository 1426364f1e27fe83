import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { Cache } from '../cache/cache.ts'
import { decidePlain } from '../cycle/decide.ts'
import { misfitMessage } from '../cycle/fit-error.ts'
import { ExplainError } from '../errors.ts'
import type { CycleState } from '../framework/cycle-state.ts'
import { podInfoOf, podKey, type PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Placement, ReasonGroup, Usage, WhatIfAnswer } from './answers.ts'
import { isBoundToNode } from './eviction.ts'
import { first, reasonGroups } from './reconsider.ts'
import { Scenario } from './scenario.ts'
import { totalUsage, usageOf } from './usage.ts'

/** What is to be imagined. All parts may be absent; together they happen at once, before anything is placed. */
export interface WhatIfRequest {
  /** Pods that come, with the API's defaults filled in. */
  readonly pods?: readonly Pod[]
  /** Owners of such pods whose selectors the default spread reads. */
  readonly owners?: readonly { readonly kind: string; readonly key: string; readonly selector: LabelSelector }[]
  readonly services?: readonly Service[]
  readonly addNodes?: readonly { readonly count: number; readonly like: string }[]
  readonly drain?: readonly string[]
  readonly cordon?: readonly string[]
  readonly uncordon?: readonly string[]
  /** `namespace/name`. */
  readonly removePods?: readonly string[]
}

interface Arrival { readonly pod: Pod; readonly from?: string }

const cordonTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }
const hostnameLabel = 'kubernetes.io/hostname'

function cordoned(node: Node): Node {
  const taints = (node.spec.taints ?? []).filter(({ key }) => key !== cordonTaint.key)
  return { ...node, spec: { ...node.spec, unschedulable: true, taints: [...taints, cordonTaint] } }
}

function uncordoned(node: Node): Node {
  const { unschedulable: _, ...spec } = node.spec
  return { ...node, spec: { ...spec, taints: (spec.taints ?? []).filter(({ key }) => key !== cordonTaint.key) } }
}

/** A node like another one: its own name and hostname, no pods but those that every such node has. */
function nodeLike(node: Node, name: string): Node {
  return { ...node, metadata: { name, labels: { ...node.metadata.labels, ...(node.metadata.labels?.[hostnameLabel] === undefined ? {} : { [hostnameLabel]: name }) } } }
}

/** The pod as its controller would make it again: without a node. */
function reborn(pod: Pod): Pod {
  const { nodeName: _, ...spec } = pod.spec
  return { ...pod, spec, status: {} }
}

/** One imagined future on a cache: `run` tries it out and leaves the cache as it was. */
export class WhatIf {
  readonly #cache: Cache
  readonly #profileOf: (pod: Pod) => Profile | undefined
  readonly #scenario: Scenario
  readonly #arrivals: Arrival[] = []
  readonly #placements: Placement[] = []
  readonly #pending: { pod: string; from?: string; message: string; groups: readonly ReasonGroup[] }[] = []
  readonly #preempted: { pod: string; node: string; by: string }[] = []
  readonly #lost: { pod: string; node: string }[] = []
  readonly #notes: string[] = []
  readonly #reservations: { profile: Profile; state: CycleState; info: PodInfo; node: string }[] = []

  constructor(cache: Cache, profileOf: (pod: Pod) => Profile | undefined) {
    this.#cache = cache
    this.#profileOf = profileOf
    this.#scenario = new Scenario(cache)
  }

  /** Throws ExplainError for nodes and pods that are not there. `waiting` are the cluster's pods without a node: they take part when room is made. */
  run(request: WhatIfRequest, waiting: Iterable<Pod>): Omit<WhatIfAnswer, 'kind' | 'asOf'> {
    const nodesBefore = new Map(this.#cache.nodes.map((node) => [node.name, usageOf(node)]))
    const before = totalUsage(this.#cache.nodes)
    try {
      this.#prepare(request, waiting)
      this.#place()
      const nodes: { node: string; before?: Usage; after: Usage }[] = []
      for (const node of this.#cache.nodes) {
        const was = nodesBefore.get(node.name)
        const after = usageOf(node)
        if (was && JSON.stringify(was) === JSON.stringify(after)) continue
        nodes.push({ node: node.name, ...(was ? { before: was } : {}), after })
      }
      return { placements: this.#placements, pending: this.#pending, preempted: this.#preempted, lost: this.#lost, before, after: totalUsage(this.#cache.nodes), nodes, notes: this.#notes }
    } finally {
      for (const { profile, state, info, node } of this.#reservations.toReversed()) for (const plugin of profile.plugins.toReversed()) plugin.unreserve?.(state, info, node)
      this.#scenario.undo()
    }
  }

  #prepare(request: WhatIfRequest, waiting: Iterable<Pod>): void {
    for (const { count, like } of request.addNodes ?? []) this.#addNodes(count, like)
    for (const name of request.uncordon ?? []) this.#scenario.apply({ type: 'node-set', node: uncordoned(this.#node(name).node) })
    for (const name of [...(request.cordon ?? []), ...(request.drain ?? [])]) this.#scenario.apply({ type: 'node-set', node: cordoned(this.#node(name).node) })
    for (const key of request.removePods ?? []) {
      if (this.#cache.placeOf(key) === undefined) throw new ExplainError('NotFound', `pod ${JSON.stringify(key)} is on no node`)
      this.#scenario.apply({ type: 'pod-gone', key })
    }
    for (const name of request.drain ?? []) this.#drain(name)
    for (const owner of request.owners ?? []) this.#scenario.apply({ type: 'owner-set', ...owner })
    for (const service of request.services ?? []) this.#scenario.apply({ type: 'service-set', service })
    if ((request.addNodes ?? request.uncordon ?? request.removePods ?? []).length > 0) for (const pod of waiting) this.#arrivals.push({ pod })
    for (const pod of request.pods ?? []) this.#arrivals.push({ pod })
  }

  #node(name: string): NonNullable<ReturnType<Cache['node']>> {
    const node = this.#cache.node(name)
    if (!node) throw new ExplainError('NotFound', `node ${JSON.stringify(name)} is not there`)
    return node
  }

  #addNodes(count: number, like: string): void {
    const model = this.#node(like)
    const fixed = [...model.pods.values()].filter(isBoundToNode)
    for (let i = 1; i <= count; i++) {
      let name = `${like}-whatif-${i}`
      while (this.#cache.node(name)) name += 'x'
      this.#scenario.apply({ type: 'node-set', node: uncordoned(nodeLike(model.node, name)) })
      for (const { pod } of fixed) this.#scenario.apply({ type: 'pod-set', pod: { ...pod, metadata: { ...pod.metadata, name: `${pod.metadata.name}-${name}` }, spec: { ...pod.spec, nodeName: name } } })
    }
    if (fixed.length > 0) this.#notes.push(`each new node has the ${fixed.length} pods that DaemonSets and the kubelet put on ${like}`)
  }

  #drain(name: string): void {
    let stay = 0
    for (const info of [...this.#node(name).pods.values()]) {
      if (isBoundToNode(info)) {
        stay++
        continue
      }
      this.#scenario.apply({ type: 'pod-gone', key: info.key })
      if ((info.pod.metadata.ownerReferences ?? []).some(({ controller }) => controller === true)) this.#arrivals.push({ pod: reborn(info.pod), from: name })
      else this.#lost.push({ pod: info.key, node: name })
    }
    if (stay > 0) this.#notes.push(`${stay} pods of DaemonSets and static pods stay on ${name}`)
  }

  /** Places what has arrived in the order of the queue: the highest priority first, then as it came. */
  #place(): void {
    const priority = ({ pod }: Arrival): number => pod.spec.priority ?? 0
    this.#arrivals.sort((a, b) => priority(b) - priority(a))
    for (let next = this.#arrivals.shift(); next; next = this.#arrivals.shift()) {
      for (const again of this.#placeOne(next)) {
        const index = this.#arrivals.findIndex((other) => priority(other) < priority(again))
        this.#arrivals.splice(index < 0 ? this.#arrivals.length : index, 0, again)
      }
    }
  }

  /** Gives the pods that have to be placed again because this one took their room. */
  #placeOne({ pod, from }: Arrival): Arrival[] {
    const key = podKey(pod)
    const origin = from === undefined ? {} : { from }
    const profile = this.#profileOf(pod)
    if (!profile) {
      this.#pending.push({ pod: key, ...origin, message: `its schedulerName is ${JSON.stringify(pod.spec.schedulerName)}: another scheduler's`, groups: [] })
      return []
    }
    const info = podInfoOf(pod)
    const gate = profile.plugins.map((plugin) => plugin.preEnqueue?.(info)).find((status) => status)
    if (gate) {
      this.#pending.push({ pod: key, ...origin, message: gate.reasons.join(', '), groups: [] })
      return []
    }
    const decision = decidePlain(info, profile, this.#cache, first)
    if (decision.node !== undefined) {
      const { node, state } = decision
      for (const plugin of profile.plugins) plugin.reserve?.(state, info, node)
      this.#reservations.push({ profile, state, info, node })
      this.#settle(pod, node)
      const total = decision.scores.find((score) => score.node === node)?.total
      this.#placements.push({ pod: key, node, ...origin, ...(total === undefined ? {} : { total }) })
      return []
    }
    const { misfit, preemption } = decision
    const node = preemption?.nominatedNode
    if (!preemption || !node) {
      this.#pending.push({ pod: key, ...origin, message: misfitMessage(misfit), groups: reasonGroups(misfit) })
      return []
    }
    const again: Arrival[] = []
    for (const victim of preemption.victims) {
      this.#preempted.push({ pod: victim.key, node, by: key })
      this.#scenario.apply({ type: 'pod-gone', key: victim.key })
      if ((victim.pod.metadata.ownerReferences ?? []).some(({ controller }) => controller === true) && !isBoundToNode(victim)) again.push({ pod: reborn(victim.pod), from: node })
    }
    this.#settle(pod, node)
    this.#placements.push({ pod: key, node, ...origin, preempts: preemption.victims.map((victim) => victim.key) })
    return again
  }

  #settle(pod: Pod, node: string): void {
    this.#scenario.apply({ type: 'pod-set', pod: { ...pod, spec: { ...pod.spec, nodeName: node } } })
  }
}
