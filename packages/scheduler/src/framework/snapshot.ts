import type { ResourceInfo } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/** An image that nodes have. */
export interface ImageState {
  readonly sizeBytes: number
  readonly nodes: ReadonlySet<string>
}

/**
 * The cluster as plugins see it in one cycle. A cycle runs without yielding, so what stands behind this is the cache
 * itself, not a copy.
 */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  /** The labels of a namespace; empty when it is not known. */
  namespaceLabels(name: string): Readonly<Record<string, string>>
  /** By normalized name. */
  image(name: string): ImageState | undefined
  servicesIn(namespace: string): Iterable<Service>
  /** The selector of a pod's owner, where that is a workload kind the scheduler knows. */
  ownerSelector(namespace: string, kind: string, name: string): LabelSelector | undefined
  /** The node on which a waiting pod is to have room once its victims are gone. */
  nominationOf(key: string): string | undefined
  /** The waiting pods that are nominated to a node; undefined where there are none. */
  nominatedOn(node: string): ReadonlyMap<string, PodInfo> | undefined
  readonly budgets: readonly PodDisruptionBudget[]
  /** The objects of a kind that some plugin watches, by `namespace/name`; empty where nothing is known of it. */
  objects<T>(resource: ResourceInfo<T>): ReadonlyMap<string, T>
}

/** A cluster without anything in it: for plugins that are made outside of a scheduler. */
export const emptySnapshot: Snapshot = {
  nodes: [],
  node: () => undefined,
  namespaceLabels: () => ({}),
  image: () => undefined,
  servicesIn: () => [],
  ownerSelector: () => undefined,
  nominationOf: () => undefined,
  nominatedOn: () => undefined,
  budgets: [],
  objects: () => new Map(),
}
