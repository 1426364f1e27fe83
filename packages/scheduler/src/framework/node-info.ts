import type { Node } from '@berth/api/types/core/v1'
import { amountsOf } from '@berth/pod-rules'
import { priorityOf, type PodInfo } from './pod-info.ts'
import { Resources } from './resources.ts'

const noLabels: Readonly<Record<string, string>> = {}

/** A node and the pods on it, summed up as plugins read it. */
export class NodeInfo {
  readonly name: string
  #node: Node
  allocatable = new Resources()
  allowedPods = 0
  readonly requested = new Resources()
  nonZeroMilliCpu = 0
  nonZeroMemory = 0
  readonly pods = new Map<string, PodInfo>()
  /** The pods on it that have any pod (anti-)affinity. */
  readonly podsWithAffinity = new Map<string, PodInfo>()
  /** Another number whenever its pods are others: what was summed up over them holds as long as this stays. */
  podsVersion = 0
  #lowestPriority: number | undefined
  /** Its number among the engine's columns; -1 for copies and where there is no engine. */
  slot = -1

  constructor(node: Node, like?: NodeInfo) {
    this.name = node.metadata.name
    this.#node = node
    if (like) {
      this.allocatable = like.allocatable
      this.allowedPods = like.allowedPods
    } else this.node = node
  }

  /** A copy to try things out on: the same node and pods, its own sums. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.#node, this)
    copy.requested.addAll(this.requested)
    copy.nonZeroMilliCpu = this.nonZeroMilliCpu
    copy.nonZeroMemory = this.nonZeroMemory
    for (const [key, pod] of this.pods) copy.pods.set(key, pod)
    for (const [key, pod] of this.podsWithAffinity) copy.podsWithAffinity.set(key, pod)
    return copy
  }

  get node(): Node {
    return this.#node
  }

  set node(node: Node) {
    this.#node = node
    const amounts = amountsOf(node.status?.allocatable)
    this.allowedPods = amounts.pods ?? 0
    this.allocatable = Resources.of(amounts)
  }

  /** Takes over a state of the node that has the same to give. */
  replaceAlike(node: Node): void {
    this.#node = node
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#node.metadata.labels ?? noLabels
  }

  /** The lowest priority of its pods; Infinity where there are none. */
  get lowestPriority(): number {
    if (this.#lowestPriority === undefined) {
      let lowest = Infinity
      for (const pod of this.pods.values()) lowest = Math.min(lowest, priorityOf(pod))
      this.#lowestPriority = lowest
    }
    return this.#lowestPriority
  }

  /** Puts a pod on the node; one of the same key is replaced. */
  addPod(pod: PodInfo): void {
    this.removePod(pod.key)
    this.pods.set(pod.key, pod)
    if (pod.hasAffinity) this.podsWithAffinity.set(pod.key, pod)
    this.#count(pod, 1)
  }

  /** Takes a pod off the node; says whether it was there. */
  removePod(key: string): boolean {
    const pod = this.pods.get(key)
    if (!pod) return false
    this.pods.delete(key)
    this.podsWithAffinity.delete(key)
    this.#count(pod, -1)
    return true
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    this.#lowestPriority = undefined
    this.podsVersion++
    this.requested.add(pod.amounts, sign)
    this.nonZeroMilliCpu += sign * pod.nonZero.milliCpu
    this.nonZeroMemory += sign * pod.nonZero.memory
  }
}
