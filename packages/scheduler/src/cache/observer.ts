import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'

/** What the cache tells whoever keeps figures of its own about it (the engine's columns), right after each change. */
export interface CacheObserver {
  /** A node is there, or something of it changed that a plugin may read. Its pods are told of one by one. */
  nodeSet(node: NodeInfo): void
  /** A node and the pods on it are gone; the pods are not told of. */
  nodeGone(node: NodeInfo): void
  podAdded(pod: PodInfo, node: NodeInfo): void
  podRemoved(pod: PodInfo, node: NodeInfo): void
  /** The labels of a namespace are others now. */
  namespaceChanged(name: string): void
  /** Other pods are nominated to the node than before. */
  nominationsChanged(node: string): void
}
