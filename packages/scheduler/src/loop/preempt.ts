import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, type Clock, type EventRecorder, type KubeClient, type Logger } from '@berth/kube'
import type { PodInfo } from '../framework/pod-info.ts'
import { podSubject, timestamp } from './report.ts'

/** Lets the victims of a preemption go: each is told why (condition DisruptionTarget), deleted with its own grace period, and gets an event. */
export class Evictor {
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

  /** Resolves when every victim is going or gone; throws the first error when some of them could not be deleted, after all were tried. */
  async evict(preemptor: PodInfo, node: string, victims: readonly PodInfo[]): Promise<void> {
    const results = await Promise.allSettled(victims.map((victim) => this.#evictOne(preemptor.pod, node, victim)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #evictOne(preemptor: Pod, node: string, { pod, key, namespace }: PodInfo): Promise<void> {
    const { name, uid } = pod.metadata
    try {
      const condition = this.#newCondition(preemptor, pod)
      if (condition) await this.#client.patch(core.pods, name, { type: 'strategic', body: { metadata: { uid }, status: { conditions: [condition] } } }, { namespace, subresource: 'status' })
      await this.#client.delete(core.pods, name, { namespace, ...(uid === undefined ? {} : { preconditions: { uid } }) })
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#logger.v(2).info('Victim Pod is already deleted', { preemptor: preemptor.metadata.name, victim: key, node })
      return
    }
    this.#logger.v(2).info('Preemptor Pod preempted victim Pod', { preemptor: preemptor.metadata.name, victim: key, node })
    this.#recorder.event(podSubject(pod), 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid ?? ''} on node ${node}`)
  }

  /** The condition that says why the victim goes; undefined where it already says so. */
  #newCondition(preemptor: Pod, victim: Pod): Record<string, unknown> | undefined {
    const type = 'DisruptionTarget'
    const reason = 'PreemptionByScheduler'
    const message = `${preemptor.spec.schedulerName ?? 'default-scheduler'}: preempting to accommodate a higher priority pod`
    const before = victim.status?.conditions?.find((c) => c.type === type)
    if (before?.status === 'True' && before.reason === reason && before.message === message) return undefined
    const { generation } = victim.metadata
    return {
      type, status: 'True', reason, message, lastProbeTime: null,
      lastTransitionTime: before?.status === 'True' ? before.lastTransitionTime : timestamp(this.#clock.now()),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }
  }
}
