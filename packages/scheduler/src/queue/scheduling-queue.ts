import { isDeepStrictEqual } from 'node:util'
import type { Pod } from '@berth/api/types/core/v1'
import type { Clock } from '@berth/kube'
import type { EventObjects, Plugin, QueuedPod } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { ClusterEvent } from './events.ts'
import { Heap } from './heap.ts'

/** A pod that waits to be scheduled. */
export interface WaitingPod extends QueuedPod {
  readonly key: string
  info: PodInfo
  timestamp: number
  /** When it was first tried to be scheduled; the start of its SLI. */
  readonly firstSeen: number
  attempts: number
  /** The plugins that rejected it last. */
  rejectedBy: ReadonlySet<string>
  /** When its back-off ends. */
  readyAt: number
}

export interface QueueOptions {
  readonly clock: Clock
  readonly less: (a: QueuedPod, b: QueuedPod) => boolean
  /** The plugins of a pod's profile: their preEnqueue and events are asked. */
  readonly pluginsOf: (pod: PodInfo) => readonly Plugin[]
  readonly initialBackoffMs: number
  readonly maxBackoffMs: number
  /** How long a pod stays unschedulable without any event before it is tried again all the same. */
  readonly maxUnschedulableMs: number
  /** Called when a pod becomes ready to be popped. */
  readonly onReady: () => void
}

/** How many pods wait where (upstream: scheduler_pending_pods). */
export interface QueueSizes { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number }

/** Whether anything changed that a plugin could read. */
function isSchedulingUpdate(old: Pod, now: Pod): boolean {
  return !isDeepStrictEqual(old.spec, now.spec) || !isDeepStrictEqual(old.metadata.labels, now.metadata.labels)
}

/**
 * The pods that wait for a node: ready ones in order, those in back-off, those that fit nowhere until an event says that
 * they might, and those that a plugin keeps out. No timers of its own: `flush` is called now and then.
 */
export class SchedulingQueue {
  readonly #options: QueueOptions
  readonly #active: Heap<WaitingPod>
  readonly #backoff: Heap<WaitingPod>
  readonly #unschedulable = new Map<string, WaitingPod>()
  readonly #gated = new Map<string, WaitingPod>()
  readonly #held = new Set<string>()

  constructor(options: QueueOptions) {
    this.#options = options
    this.#active = new Heap((a, b) => options.less(a, b))
    this.#backoff = new Heap((a, b) => a.readyAt < b.readyAt)
  }

  get sizes(): QueueSizes {
    return { active: this.#active.size, backoff: this.#backoff.size, unschedulable: this.#unschedulable.size, gated: this.#gated.size }
  }

  /** When the next back-off ends; undefined where none runs. */
  get nextReadyAt(): number | undefined {
    return this.#backoff.peek()?.readyAt
  }

  /** A pod that is new here. */
  add(info: PodInfo): void {
    const now = this.#options.clock.now()
    this.delete(info.key)
    this.#enter({ key: info.key, info, timestamp: now, firstSeen: now, attempts: 0, rejectedBy: new Set(), readyAt: 0 })
  }

  /** A pod that waits has changed. One that a plugin rejected is tried again if that plugin says that the change helps. */
  update(info: PodInfo): void {
    const { key } = info
    const ready = this.#active.get(key) ?? this.#backoff.get(key)
    if (ready) {
      ready.info = info
      if (this.#active.remove(key)) this.#active.push(ready)
      return
    }
    const waiting = this.#unschedulable.get(key) ?? this.#gated.get(key)
    if (!waiting) {
      this.add(info)
      return
    }
    const old = waiting.info
    waiting.info = info
    // What the scheduler itself writes (conditions) must not wake the pod that it wrote about.
    if (!isSchedulingUpdate(old.pod, info.pod)) return
    const wasGated = this.#gated.delete(key)
    if (!wasGated && !this.#isHelped(waiting, 'UnscheduledPodUpdated', { old: old.pod, now: info.pod })) return
    this.#unschedulable.delete(key)
    this.#enter(waiting)
  }

  delete(key: string): void {
    this.#active.remove(key)
    this.#backoff.remove(key)
    this.#unschedulable.delete(key)
    this.#gated.delete(key)
  }

  /** Keeps a pod from becoming ready until `release`: events in between are not lost. */
  hold(key: string): void {
    this.#held.add(key)
  }

  /** Ends a hold: a pod that an event helped meanwhile goes on. */
  release(key: string): void {
    this.#held.delete(key)
    const pod = this.#gated.get(key)
    if (!pod || !this.#gated.delete(key)) return
    this.#enter(pod)
  }

  /** Lets a pod that fits nowhere be tried again, after what is left of its back-off. */
  activate(key: string): void {
    const pod = this.#unschedulable.get(key)
    if (!pod || !this.#unschedulable.delete(key)) return
    this.#enter(pod)
  }

  /** The next pod in order; undefined when none is ready. The caller gives it back by `reject` or `retry`, or is done with it. */
  pop(): WaitingPod | undefined {
    const next = this.#active.pop()
    if (next) next.attempts++
    return next
  }

  /** A pod fits nowhere: it waits for an event that concerns the plugins that rejected it. */
  reject(pod: WaitingPod, rejectedBy: ReadonlySet<string>): void {
    pod.rejectedBy = rejectedBy
    pod.timestamp = this.#options.clock.now()
    pod.readyAt = pod.timestamp + this.#backoffOf(pod)
    this.#unschedulable.set(pod.key, pod)
  }

  /** Something failed that had nothing to do with where the pod fits: it is tried again after its back-off. */
  retry(pod: WaitingPod): void {
    pod.timestamp = this.#options.clock.now()
    pod.readyAt = pod.timestamp + this.#backoffOf(pod)
    this.#backoff.push(pod)
  }

  /** An event: pods whose plugins it can help go on, at once or after what is left of their back-off. */
  moveOn(event: ClusterEvent, objects: EventObjects = {}): void {
    for (const pod of this.#unschedulable.values()) {
      if (!this.#isHelped(pod, event, objects)) continue
      this.#unschedulable.delete(pod.key)
      this.#enter(pod)
    }
  }

  /** Lets pods whose back-off is over become ready, and those that have been unschedulable for too long. */
  flush(): void {
    const now = this.#options.clock.now()
    for (let next = this.#backoff.peek(); next && next.readyAt <= now; next = this.#backoff.peek()) {
      this.#backoff.pop()
      this.#activate(next)
    }
    for (const pod of this.#unschedulable.values()) {
      if (now - pod.timestamp < this.#options.maxUnschedulableMs) continue
      this.#unschedulable.delete(pod.key)
      this.#enter(pod)
    }
  }

  #enter(pod: WaitingPod): void {
    if (this.#held.has(pod.key)) {
      this.#gated.set(pod.key, pod)
      return
    }
    for (const plugin of this.#options.pluginsOf(pod.info)) {
      if (!plugin.preEnqueue?.(pod.info)) continue
      pod.rejectedBy = new Set([plugin.name])
      this.#gated.set(pod.key, pod)
      return
    }
    if (pod.readyAt > this.#options.clock.now()) this.#backoff.push(pod)
    else this.#activate(pod)
  }

  #activate(pod: WaitingPod): void {
    this.#active.push(pod)
    this.#options.onReady()
  }

  #isHelped(pod: WaitingPod, event: ClusterEvent, objects: EventObjects): boolean {
    // Rejected by nobody in particular: anything may help.
    if (pod.rejectedBy.size === 0) return true
    return this.#options.pluginsOf(pod.info).some((plugin) => pod.rejectedBy.has(plugin.name)
      && (plugin.events?.() ?? []).some((interest) => interest.event === event && (interest.helps?.(pod.info, objects) ?? true)))
  }

  #backoffOf(pod: WaitingPod): number {
    return Math.min(this.#options.initialBackoffMs * 2 ** (pod.attempts - 1), this.#options.maxBackoffMs)
  }
}
