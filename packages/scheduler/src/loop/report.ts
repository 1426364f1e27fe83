import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, type Clock, type EventRecorder, type KubeClient, type Logger } from '@berth/kube'
import type { PodInfo } from '../framework/pod-info.ts'

/** Tells the API what came of a pod: events, and the condition PodScheduled. Never throws. */
export class Reporter {
  readonly #client: KubeClient
  readonly #recorder: EventRecorder
  readonly #logger: Logger
  readonly #clock: Clock

  constructor(options: { client: KubeClient; recorder: EventRecorder; logger: Logger; clock: Clock }) {
    this.#client = options.client
    this.#recorder = options.recorder
    this.#logger = options.logger
    this.#clock = options.clock
  }

  scheduled({ pod, key }: PodInfo, node: string): void {
    this.#recorder.event(podSubject(pod), 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`)
  }

  /**
   * The pod stays without a node: `Unschedulable` where it fits nowhere, `SchedulerError` where something failed.
   * `nominatedNode` is where it will have room; '' takes that back; undefined leaves what was written.
   */
  failed({ pod, key, namespace }: PodInfo, reason: 'Unschedulable' | 'SchedulerError', message: string, nominatedNode?: string): void {
    this.#recorder.event(podSubject(pod), 'Warning', 'FailedScheduling', message)
    const before = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    const isSaid = before?.status === 'False' && before.reason === reason && before.message === message
    const isNominated = nominatedNode === undefined || nominatedNode === (pod.status?.nominatedNodeName ?? '')
    if (isSaid && isNominated) return
    const condition = {
      type: 'PodScheduled', status: 'False', reason, message, lastProbeTime: null,
      lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : timestamp(this.#clock.now()),
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    }
    this.#patchStatus({ pod, key, namespace }, { ...(isSaid ? {} : { conditions: [condition] }), ...(isNominated ? {} : { nominatedNodeName: nominatedNode || null }) })
  }

  /** A pod has its room no more: one of higher priority takes it. */
  nominationLost(info: PodInfo): void {
    if (info.pod.status?.nominatedNodeName) this.#patchStatus(info, { nominatedNodeName: null })
  }

  #patchStatus({ pod, key, namespace }: Pick<PodInfo, 'pod' | 'key' | 'namespace'>, status: Record<string, unknown>): void {
    this.#client.patch(core.pods, pod.metadata.name, { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status } }, { namespace, subresource: 'status' }).catch((error: unknown) => {
      if (!isNotFound(error)) this.#logger.error(error, 'Failed to update the pod\'s status', { pod: key })
    })
  }
}

/** A time as the API writes it, to the second. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A pod as the subject of an event. */
export function podSubject(pod: Pod): { apiVersion: string; kind: string; metadata: Pod['metadata'] } {
  return { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata }
}
