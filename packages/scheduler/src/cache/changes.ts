import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import type { PodInfo } from '../framework/pod-info.ts'
import type { KubernetesObject } from '../framework/resource-key.ts'

/**
 * What changed in the cluster, one change at a time. The cache is fed by these alone, so that a second cache (for
 * explanations, on another thread) can be fed by the same stream.
 */
export type Change =
  | { readonly type: 'node-set'; readonly node: Node }
  | { readonly type: 'node-gone'; readonly name: string }
  /** A pod that has a node. */
  | { readonly type: 'pod-set'; readonly pod: Pod }
  | { readonly type: 'pod-gone'; readonly key: string }
  | { readonly type: 'namespace-set'; readonly name: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly type: 'namespace-gone'; readonly name: string }
  | { readonly type: 'service-set'; readonly service: Service }
  | { readonly type: 'service-gone'; readonly key: string }
  | { readonly type: 'owner-set'; readonly kind: string; readonly key: string; readonly selector: LabelSelector }
  | { readonly type: 'owner-gone'; readonly kind: string; readonly key: string }
  | { readonly type: 'budget-set'; readonly budget: PodDisruptionBudget }
  | { readonly type: 'budget-gone'; readonly key: string }
  /** Any watched kind that has no change of its own; `resource` is resourceKey's. */
  | { readonly type: 'object-set'; readonly resource: string; readonly object: KubernetesObject }
  | { readonly type: 'object-gone'; readonly resource: string; readonly key: string }
  /** A waiting pod has its room on a node, or has it there no more. */
  | { readonly type: 'nominate'; readonly pod: Pod; readonly node: string }
  | { readonly type: 'nomination-gone'; readonly key: string }
  /** The decision thread's own: it counts a pod as placed before the API says so, and takes that back where binding failed. */
  | { readonly type: 'assume'; readonly pod: Pod; readonly node: string; readonly sequence: number; /** What is known of the pod, where the sender has it at hand; it stays on its thread. */ readonly info?: PodInfo }
  | { readonly type: 'forget'; readonly key: string; readonly sequence: number }
