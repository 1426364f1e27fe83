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
    this.#recorder.event(subject(pod), 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`)
  }

  /** The pod stays without a node: `Unschedulable` where it fits nowhere, `SchedulerError` where something failed. */
  failed({ pod, key, namespace }: PodInfo, reason: 'Unschedulable' | 'SchedulerError', message: string): void {
    this.#recorder.event(subject(pod), 'Warning', 'FailedScheduling', message)
    const before = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    if (before?.status === 'False' && before.reason === reason && before.message === message) return
    const now = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const condition = {
      type: 'PodScheduled', status: 'False', reason, message, lastProbeTime: null,
      lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : now,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    }
    this.#client.patch(core.pods, pod.metadata.name, { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } } }, { namespace, subresource: 'status' }).catch((error: unknown) => {
      if (!isNotFound(error)) this.#logger.error(error, 'Failed to update the pod\'s condition', { pod: key })
    })
  }
}

function subject(pod: Pod): { apiVersion: string; kind: string; metadata: Pod['metadata'] } {
  return { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata }
}
