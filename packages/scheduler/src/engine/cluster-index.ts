import type { Cache } from '../cache/cache.ts'
import type { CacheObserver } from '../cache/observer.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { NodeColumns } from './columns.ts'
import { PodIndex } from './pod-index.ts'
import { TermTable } from './term-table.ts'

/** The figures that the engines of all profiles share: nodes in columns, pods by selector, affinity terms by what they are about. */
export class ClusterIndex implements CacheObserver {
  readonly cache: Cache
  readonly columns = new NodeColumns()
  readonly pods: PodIndex
  readonly terms = new TermTable()

  constructor(cache: Cache) {
    this.cache = cache
    this.pods = new PodIndex((namespace) => cache.namespaceLabels(namespace))
    cache.observe(this)
  }

  nodeSet(node: NodeInfo): void {
    this.columns.put(node)
  }

  nodeGone(node: NodeInfo): void {
    const slot = this.columns.slotOf(node.name)
    if (slot === undefined) return
    for (const pod of node.pods.values()) this.#count(pod, slot, -1)
    this.columns.remove(node)
  }

  podAdded(pod: PodInfo, node: NodeInfo): void {
    const slot = this.columns.slotOf(node.name)
    if (slot === undefined) return
    this.#count(pod, slot, 1)
    this.columns.touch(slot)
  }

  podRemoved(pod: PodInfo, node: NodeInfo): void {
    const slot = this.columns.slotOf(node.name)
    if (slot === undefined) return
    this.#count(pod, slot, -1)
    this.columns.touch(slot)
  }

  namespaceChanged(): void {
    this.pods.namespaceChanged()
  }

  nominationsChanged(node: string): void {
    const slot = this.columns.slotOf(node)
    if (slot !== undefined) this.columns.touch(slot)
  }

  #count(pod: PodInfo, slot: number, amount: 1 | -1): void {
    this.pods.add(pod, slot, amount)
    if (pod.hasAffinity) this.terms.add(pod, slot, amount)
  }
}

const indexes = new WeakMap<Cache, ClusterIndex>()

/** The cache's index; made for whoever asks first. */
export function indexOf(cache: Cache): ClusterIndex {
  let index = indexes.get(cache)
  if (!index) indexes.set(cache, index = new ClusterIndex(cache))
  return index
}
