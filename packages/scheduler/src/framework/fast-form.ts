import type { Constraint } from '../plugins/pod-topology-spread/constraints.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

interface Weighted { readonly name: string; readonly weight: number }

/**
 * What the engine computes over its columns in a plugin's place: for all nodes in one pass, from counts that it keeps.
 * The plugin's plain methods stay what defines the answer. A plugin that is wrapped or changed must leave its form out.
 */
export type FastForm =
  | {
    readonly kind: 'resource-fit'
    ignored(resource: string): boolean
    readonly resources: readonly Weighted[]
    /** The score of one resource of a node. */
    readonly strategy: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
    scoreOf(allocatable: number, used: number): number
  }
  | { readonly kind: 'balanced-allocation'; readonly resources: readonly Weighted[] }
  | {
    readonly kind: 'topology-spread'
    constraintsOf(pod: PodInfo, snapshot: Snapshot, when: 'DoNotSchedule' | 'ScheduleAnyway'): readonly Constraint[]
    /** Whether scores leave out nodes that lack one of the labels. */
    needsAllLabels(pod: PodInfo): boolean
  }
  | { readonly kind: 'pod-affinity'; readonly hardWeight: number; readonly ignorePreferredOfOthers: boolean }
