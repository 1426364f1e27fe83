import type { PodInfo } from './pod-info.ts'

/** A pod that has its node and waits for leave to be bound (upstream: framework.WaitingPod). */
export interface PermitWaiter {
  readonly pod: PodInfo
  readonly node: string
  /** The plugins whose leave is still missing. */
  readonly pending: ReadonlySet<string>
  /** One plugin's leave; the pod goes on once none is missing. */
  allow(plugin: string): void
  /** Takes the pod's place back; it is tried again as one that the plugin rejected. */
  reject(plugin: string, message: string): void
}

/** The pods of a PodGroup, by key. */
export interface PodGroupState {
  readonly all: number
  /** Those that have a node, or are on their way to one. */
  readonly placed: ReadonlySet<string>
  readonly waiting: readonly string[]
}

/** What plugins can do about pods other than the one they are asked about. */
export interface WaitingPods {
  /** The pods that wait for leave. */
  permitted(): Iterable<PermitWaiter>
  /** Lets pods of the queue be tried at once, whatever rejected them. */
  activate(keys: Iterable<string>): void
  group(namespace: string, name: string): PodGroupState
}
