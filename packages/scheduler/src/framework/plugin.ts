import type { ClusterEvent } from '../queue/events.ts'
import type { CycleState } from './cycle-state.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'
import type { Status } from './status.ts'

/** A pod in the queue, as QueueSort compares it. */
export interface QueuedPod {
  readonly info: PodInfo
  /** When it came into the queue; milliseconds since the epoch. */
  readonly timestamp: number
}

/** PreFilter's answer: a verdict on the pod, or the only nodes that can pass (undefined: all). */
export interface PreFilterResult {
  readonly status?: Status
  readonly nodes?: ReadonlySet<string>
}

/** An event that may make a pod schedulable that the plugin rejected. */
export interface EventInterest {
  readonly event: ClusterEvent
  /** Whether the event can help this pod; always, where absent. */
  readonly helps?: (pod: PodInfo, change: EventObjects) => boolean
}

/** The object of a cluster event before and after; a deletion has no `now`, an addition no `old`. */
export interface EventObjects {
  readonly old?: unknown
  readonly now?: unknown
}

/**
 * What a plugin's per-node verdict is computed from: the node alone, the node and the pods on it, or counters over a
 * topology domain. After a placement, only what depends on it has to be computed again.
 */
export type Dependence = 'node' | 'node-and-pods' | 'domain'

/**
 * A scheduling plugin: one file, and one line in the registry. It serves the extension points whose methods it has
 * (kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework). Methods are pure: they read what they are
 * given, keep what they compute in the cycle's state, and change nothing else; `bind` alone acts.
 */
export interface Plugin {
  readonly name: string
  readonly dependsOn?: Dependence
  /** Whether `a` is to be scheduled before `b`. */
  less?(a: QueuedPod, b: QueuedPod): boolean
  /** Whether a pod may enter the active queue; a status keeps it out. */
  preEnqueue?(pod: PodInfo): Status | undefined
  /** Events after which a pod that this plugin rejected is worth another try. */
  events?(): readonly EventInterest[]
  preFilter?(state: CycleState, pod: PodInfo, snapshot: Snapshot): PreFilterResult | undefined
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], snapshot: Snapshot): Status | undefined
  /** A number; after `normalize` an integer of 0 to 100. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number
  normalize?(state: CycleState, pod: PodInfo, scores: number[]): void
  reserve?(state: CycleState, pod: PodInfo, node: string): Status | undefined
  unreserve?(state: CycleState, pod: PodInfo, node: string): void
  bind?(pod: PodInfo, node: string): Promise<void>
}
