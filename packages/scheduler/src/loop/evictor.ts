import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, type Clock, type Logger } from '@berth/kube'
import type { SchedulerConfig } from '../config/types.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Outcomes } from './outcomes.ts'
import { refOf, timestamp } from './report.ts'

/** Lets the victims of a preemption go: each is told why (condition DisruptionTarget), deleted with its own grace period, and gets an event. */
export class Evictor {
  readonly #outcomes: Outcomes
  readonly #logger: Logger
  readonly #clock: Clock

  readonly #atATime: number

  constructor(options: { outcomes: Outcomes; logger: Logger; clock: Clock; config: Pick<SchedulerConfig, 'parallelism'> }) {
    this.#outcomes = options.outcomes
    this.#logger = options.logger
    this.#clock = options.clock
    this.#atATime = options.config.parallelism
  }

  /** Resolves when every victim is going or gone; throws the first error when some of them could not be deleted, after all were tried. */
  async evict(preemptor: PodInfo, node: string, victims: readonly PodInfo[]): Promise<void> {
    const errors: unknown[] = []
    const rest = victims.values()
    const work = async (): Promise<void> => {
      for (const victim of rest) await this.#evictOne(preemptor.pod, node, victim).catch((error: unknown) => errors.push(error))
    }
    await Promise.all(Array.from({ length: Math.min(this.#atATime, victims.length) }, work))
    if (errors.length > 0) throw errors[0]
  }

  async #evictOne(preemptor: Pod, node: string, { pod, key }: PodInfo): Promise<void> {
    const victim = refOf(pod)
    try {
      const condition = this.#newCondition(preemptor, pod)
      if (condition) await this.#outcomes.patchStatus(victim, { conditions: [condition] })
      await this.#outcomes.deletePod(victim)
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#logger.v(2).info('Victim Pod is already deleted', { preemptor: preemptor.metadata.name, victim: key, node })
      return
    }
    this.#logger.v(2).info('Preemptor Pod preempted victim Pod', { preemptor: preemptor.metadata.name, victim: key, node })
    this.#outcomes.event(victim, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid ?? ''} on node ${node}`)
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
