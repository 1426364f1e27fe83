import type { ClusterEvent } from '../queue/events.ts'
import type { CycleState } from './cycle-state.ts'
import type { FastForm } from './fast-form.ts'
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

/** The cycle that found no node, as postFilter reads it, and what it may try out: all of it on copies of nodes alone. */
export interface FailedCycle {
  readonly snapshot: Snapshot
  /** 0 <= random() < 1. */
  readonly random: () => number
  /** Why the node was rejected. */
  verdict(node: string): Status | undefined
  /** The nodes whose verdict is Unschedulable, in the snapshot's order, where that is known without asking about each. */
  readonly resolvable?: () => readonly NodeInfo[]
  /** Whether the pod fits on the node as it is now given, beside the pods that are nominated to it. */
  filter(node: NodeInfo): Status | undefined
  /** Puts a pod on a copy of a node and lets the plugins count it. */
  add(other: PodInfo, node: NodeInfo): void
  /** Takes a pod off a copy of a node and off the plugins' counts. What was removed is to be added again before another node is tried. */
  remove(other: PodInfo, node: NodeInfo): void
}

/** A node on which the pod would fit, and who has to go for it. */
export interface Candidate {
  readonly node: string
  /** The most important one first; at least one. */
  readonly victims: readonly PodInfo[]
  /** How many of them a PodDisruptionBudget would keep. */
  readonly violations: number
}

/** What postFilter came to. */
export interface PostFilterResult {
  /** Where the pod will have room; '' takes back what was nominated before; undefined leaves it as it is. */
  readonly nominatedNode?: string
  /** The pods that have to go for that, the most important one first. */
  readonly victims: readonly PodInfo[]
  /** Every node at which room could be made, the chosen one among them: extenders may see it differently. */
  readonly candidates?: readonly Candidate[]
  /** Why nothing can be done; it follows the reasons of the misfit. */
  readonly message?: string
}

/** What permit says: a rejection, or how long the pod has to wait for leave. */
export interface PermitResult {
  readonly status?: Status
  readonly waitMs?: number
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
 * given, keep what they compute in the cycle's state, and change nothing else; `reserve` and `unreserve` may keep books
 * of their own, and `preBind`, `bind` and `postBind` act.
 */
export interface Plugin {
  readonly name: string
  readonly dependsOn?: Dependence
  /**
   * Everything but the node (and, by `dependsOn`, the pods on it) that filter, preScore, score and normalize read of the
   * pod and the snapshot, as text: for equal texts they answer alike, so answers are kept and shared between pods.
   * `normalize` may then look at which scores there are, not at how many nodes have them or which. Undefined, or no
   * `sign` at all: the plugin is asked about every node each time (upstream: SignPlugin).
   */
  sign?(pod: PodInfo, snapshot: Snapshot): string | undefined
  /** What the engine computes over columns in place of filter and score. */
  readonly fast?: FastForm
  /** Whether `a` is to be scheduled before `b`. */
  less?(a: QueuedPod, b: QueuedPod): boolean
  /** Whether a pod may enter the active queue; a status keeps it out. */
  preEnqueue?(pod: PodInfo): Status | undefined
  /** Events after which a pod that this plugin rejected is worth another try. */
  events?(): readonly EventInterest[]
  preFilter?(state: CycleState, pod: PodInfo, snapshot: Snapshot): PreFilterResult | undefined
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined
  /** Brings what preFilter computed up to date with `other` being on `node` as well. */
  addPod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void
  /** The opposite of addPod: after both, the state is as before. */
  removePod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void
  /** Looks for a way to make room for a pod that fits nowhere; decides and does nothing. */
  postFilter?(pod: PodInfo, cycle: FailedCycle): PostFilterResult | undefined
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], snapshot: Snapshot): Status | undefined
  /** A number; after `normalize` an integer of 0 to 100. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number
  normalize?(state: CycleState, pod: PodInfo, scores: number[]): void
  /** Takes in memory what the pod needs beside the node (volumes, devices). A status rejects the pod; unreserve is called then, too. */
  reserve?(state: CycleState, pod: PodInfo, node: string): Status | undefined
  /** Gives back what reserve took; called in the opposite order of reserve, also for a plugin whose reserve never ran or failed. Must not fail. */
  unreserve?(state: CycleState, pod: PodInfo, node: string): void
  /** The last word before binding: a status rejects the pod, `waitMs` lets it wait that long until somebody allows or rejects it. */
  permit?(state: CycleState, pod: PodInfo, node: string): PermitResult | undefined
  /** Whether preBind has nothing to do for the pod (upstream: PreBindPreFlight's Skip); it has, where absent. Fast, and without effects. */
  preBindSkips?(state: CycleState, pod: PodInfo, node: string): boolean
  /** Prepares the API for the binding. Runs after the decision, beside the loop: it alone, bind and postBind may wait for the API. */
  preBind?(state: CycleState, pod: PodInfo, node: string, signal: AbortSignal): Promise<Status | undefined>
  /** Binds the pod, or leaves it to the next one (Skip). Throws where the API refuses. */
  bind?(pod: PodInfo, node: string, signal: AbortSignal): Promise<Status | undefined | void>
  /** The pod is bound. */
  postBind?(state: CycleState, pod: PodInfo, node: string): void
}
