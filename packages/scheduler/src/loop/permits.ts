import { formatDuration, type Clock } from '@berth/kube'
import type { PodInfo } from '../framework/pod-info.ts'
import type { PermitWaiter } from '../framework/waiting-pods.ts'

/** Why a pod may not be bound. */
export interface Refusal {
  readonly plugin: string
  readonly message: string
}

/** Pods that have their node and wait for the leave of plugins (upstream: waitingPodsMap). */
export class Permits {
  readonly #clock: Clock
  readonly #waiting = new Map<string, { waiter: PermitWaiter; settle(refusal?: Refusal): void }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  values(): Iterable<PermitWaiter> {
    return [...this.#waiting.values()].map(({ waiter }) => waiter)
  }

  /** Takes back the place of a pod that waits; says whether there was one. */
  reject(key: string, refusal: Refusal): boolean {
    const found = this.#waiting.get(key)
    found?.settle(refusal)
    return found !== undefined
  }

  /** Resolves when every plugin of `waits` (plugin → milliseconds) has given its leave, or with why the pod may not be bound. */
  wait(pod: PodInfo, node: string, waits: ReadonlyMap<string, number>): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      const timers = new Map<string, { cancel(): void }>()
      const settle = (refusal?: Refusal): void => {
        for (const timer of timers.values()) timer.cancel()
        if (this.#waiting.get(pod.key)?.waiter === waiter) this.#waiting.delete(pod.key)
        resolve(refusal)
      }
      const waiter: PermitWaiter = {
        pod, node,
        get pending() { return new Set(timers.keys()) },
        allow(plugin) {
          timers.get(plugin)?.cancel()
          timers.delete(plugin)
          if (timers.size === 0) settle()
        },
        reject: (plugin, message) => settle({ plugin, message }),
      }
      for (const [plugin, ms] of waits) {
        timers.set(plugin, this.#clock.setTimeout(() => settle({ plugin, message: `rejected due to timeout after waiting ${formatDuration(ms)} at plugin ${plugin}` }), ms))
      }
      this.#waiting.set(pod.key, { waiter, settle })
    })
  }
}
