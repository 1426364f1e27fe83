import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, type Clock, type Logger } from '@berth/kube'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Outcomes, PodRef } from './outcomes.ts'

const maxMessageLength = 1024

/** Tells the API what came of a pod: events, and the condition PodScheduled. Never throws. */
export class Reporter {
  readonly #outcomes: Outcomes
  readonly #logger: Logger
  readonly #clock: Clock

  constructor(options: { outcomes: Outcomes; logger: Logger; clock: Clock }) {
    this.#outcomes = options.outcomes
    this.#logger = options.logger
    this.#clock = options.clock
  }

  scheduled({ pod, key }: PodInfo, node: string): void {
    this.#outcomes.event(refOf(pod), 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`)
  }

  /**
   * The pod stays without a node: `Unschedulable` where it fits nowhere, `SchedulerError` where something failed.
   * `nominatedNode` is where it will have room; '' takes that back; undefined leaves what was written.
   */
  failed({ pod, key }: PodInfo, reason: 'Unschedulable' | 'SchedulerError', message: string, nominatedNode?: string): void {
    this.#outcomes.event(refOf(pod), 'Warning', 'FailedScheduling', message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength - 4)} ...`)
    const before = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    const isSaid = before?.status === 'False' && before.reason === reason && before.message === message
    const isNominated = nominatedNode === undefined || nominatedNode === (pod.status?.nominatedNodeName ?? '')
    if (isSaid && isNominated) return
    const condition = {
      type: 'PodScheduled', status: 'False', reason, message, lastProbeTime: null,
      lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : timestamp(this.#clock.now()),
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    }
    this.#patchStatus(pod, key, { ...(isSaid ? {} : { conditions: [condition] }), ...(isNominated ? {} : { nominatedNodeName: nominatedNode || null }) })
  }

  /** The pod will be bound there before long: the cluster's autoscaler may know (NominatedNodeNameForExpectation). */
  nominated({ pod, key }: PodInfo, node: string): void {
    if (pod.status?.nominatedNodeName !== node) this.#patchStatus(pod, key, { nominatedNodeName: node })
  }

  /** A pod has its room no more: one of higher priority takes it. */
  nominationLost({ pod, key }: PodInfo): void {
    if (pod.status?.nominatedNodeName) this.#patchStatus(pod, key, { nominatedNodeName: null })
  }

  #patchStatus(pod: Pod, key: string, status: Record<string, unknown>): void {
    this.#outcomes.patchStatus(refOf(pod), status).catch((error: unknown) => {
      if (!isNotFound(error)) this.#logger.error(error, 'Failed to update the pod\'s status', { pod: key })
    })
  }
}

/** A time as the API writes it, to the second. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A pod as outcomes name it. */
export function refOf({ metadata: { namespace = 'default', name, uid } }: Pod): PodRef {
  return { namespace, name, uid }
}
