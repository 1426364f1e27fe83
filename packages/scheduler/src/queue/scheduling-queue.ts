import { isDeepStrictEqual } from 'node:util'
import type { Pod } from '@berth/api/types/core/v1'
import type { Clock } from '@berth/kube'
import type { EventObjects, Plugin, QueuedPod } from '../framework/plugin.ts'
import { extenderName } from '../extenders/name.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { ClusterEvent, Incoming } from './events.ts'
import { Heap } from './heap.ts'
import { isHelpedBy } from './hints.ts'

/** A pod that waits to be scheduled. */
export interface WaitingPod extends QueuedPod {
  readonly key: string
  info: PodInfo
  timestamp: number
  /** When it first became ready to be scheduled, the start of its SLI; 0 before. */
  firstReady: number
  attempts: number
  /** How often in all it fitted nowhere, and how often in a row something failed: back-offs grow with them. */
  rejections: number
  failures: number
  /** The plugins that rejected it last. */
  rejectedBy: ReadonlySet<string>
  /** Those among them that wait for something that is on its way: once it is there, the pod goes on without back-off. */
  pending: ReadonlySet<string>
  /** When its back-off ends. */
  readyAt: number
  /** It was tried again only because nothing had happened for so long. */
  wasFlushed?: boolean
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
  /** Whether pods in back-off are tried when nobody else is ready (upstream: SchedulerPopFromBackoffQ). */
  readonly popsFromBackoff?: boolean
  /** Called when a pod becomes ready to be popped. */
  readonly onReady: () => void
  /** A pod enters one of the queues, because of something (upstream: queue_incoming_pods_total). */
  readonly onIncoming?: (queue: 'active' | 'backoff' | 'unschedulable' | 'gated', because: Incoming) => void
}

/** How many pods wait where (upstream: scheduler_pending_pods). */
export interface QueueSizes { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number }

const nobody: ReadonlySet<string> = new Set()

/** Whether anything changed that a plugin could read. */
function isSchedulingUpdate(old: Pod, now: Pod): boolean {
  return !isDeepStrictEqual(old.spec, now.spec) || !isDeepStrictEqual(old.metadata.labels, now.metadata.labels) || !isDeepStrictEqual(old.status?.resourceClaimStatuses, now.status?.resourceClaimStatuses)
}

/**
 * The pods that wait for a node: ready ones in order, those in back-off, those that fit nowhere until an event says that
 * they might, and those that a plugin keeps out. No timers of its own: `flush` is called now and then.
 */
export class SchedulingQueue {
  readonly #options: QueueOptions
  readonly #active: Heap<WaitingPod>
  readonly #backoff = new Heap<WaitingPod>((a, b) => a.readyAt < b.readyAt)
  /** After failures: nobody pops these before their time. */
  readonly #errorBackoff = new Heap<WaitingPod>((a, b) => a.readyAt < b.readyAt)
  readonly #unschedulable = new Map<string, WaitingPod>()
  readonly #gated = new Map<string, WaitingPod>()
  readonly #held = new Set<string>()
  /** Pods that have a node and may come back; what happened since each left. */
  readonly #away = new Map<string, number>()
  #events: Array<{ event: ClusterEvent; objects: EventObjects }> = []

  constructor(options: QueueOptions) {
    this.#options = options
    this.#active = new Heap((a, b) => options.less(a, b))
  }

  get sizes(): QueueSizes {
    return { active: this.#active.size, backoff: this.#backoff.size + this.#errorBackoff.size, unschedulable: this.#unschedulable.size, gated: this.#gated.size }
  }

  /** When the next back-off ends; undefined where none runs. */
  get nextReadyAt(): number | undefined {
    const ends = [this.#backoff.peek(), this.#errorBackoff.peek()].flatMap((pod) => pod?.readyAt ?? [])
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  /** The pods that fit nowhere, with the plugins that say so. */
  unschedulable(): Iterable<WaitingPod> {
    return this.#unschedulable.values()
  }

  /** Whether a pod could be popped now. */
  get isReady(): boolean {
    return this.#active.size > 0 || (this.#options.popsFromBackoff === true && this.#backoff.size > 0)
  }

  /** A pod that is new here. */
  add(info: PodInfo): void {
    this.delete(info.key)
    this.#enter({ key: info.key, info, timestamp: this.#options.clock.now(), firstReady: 0, attempts: 0, rejections: 0, failures: 0, rejectedBy: nobody, pending: nobody, readyAt: 0 }, 'UnscheduledPodAdd')
  }

  /** A pod that waits has changed. One that a plugin rejected is tried again if that plugin says that the change helps. */
  update(info: PodInfo): void {
    const { key } = info
    const ready = this.#active.get(key) ?? this.#backoff.get(key) ?? this.#errorBackoff.get(key)
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
    this.#enter(waiting, 'UnscheduledPodUpdate')
  }

  delete(key: string): void {
    this.#active.remove(key)
    this.#backoff.remove(key)
    this.#errorBackoff.remove(key)
    this.#unschedulable.delete(key)
    this.#gated.delete(key)
  }

  /** Takes a pod out that is to be scheduled together with another one; undefined for one that is not here, or kept out. */
  take(key: string): WaitingPod | undefined {
    const pod = this.#active.get(key) ?? this.#backoff.get(key) ?? this.#errorBackoff.get(key) ?? this.#unschedulable.get(key)
    if (!pod) return undefined
    this.delete(key)
    pod.attempts++
    pod.firstReady ||= this.#options.clock.now()
    return pod
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
    this.#enter(pod, 'ForceActivate')
  }

  /** Lets a pod be tried again at once, whatever rejected it. */
  activate(key: string): void {
    const pod = this.#unschedulable.get(key) ?? this.#backoff.get(key)
    if (!pod) return
    this.#unschedulable.delete(key)
    this.#backoff.remove(key)
    pod.readyAt = 0
    this.#enter(pod, 'ForceActivate')
  }

  /** Asks again whether pods that are kept out may enter: what their preEnqueue looks at has changed. */
  reopen(keys: Iterable<string>, because: Incoming): void {
    for (const key of keys) {
      const pod = this.#gated.get(key)
      if (!pod || !this.#gated.delete(key)) continue
      this.#enter(pod, because)
    }
  }

  /** The next pod in order; undefined when none is ready. The caller gives it back by `reject` or `retry`, or is done with it. */
  pop(): WaitingPod | undefined {
    const next = this.#active.pop() ?? (this.#options.popsFromBackoff ? this.#backoff.pop() : undefined)
    if (!next) return undefined
    next.attempts++
    next.firstReady ||= this.#options.clock.now()
    return next
  }

  /** A popped pod has a node and may yet come back: events are kept for it until `arrive`, `reject` or `retry`. */
  depart(key: string): void {
    this.#away.set(key, this.#events.length)
  }

  /** A pod that departed will not come back. */
  arrive(key: string): void {
    if (!this.#away.delete(key)) return
    if (this.#away.size === 0) this.#events = []
  }

  /** A pod fits nowhere: it waits for an event that concerns the plugins that rejected it. */
  reject(pod: WaitingPod, rejectedBy: ReadonlySet<string>, pending: ReadonlySet<string> = nobody): void {
    pod.rejectedBy = rejectedBy
    pod.pending = pending
    pod.rejections++
    pod.failures = 0
    pod.wasFlushed = false
    pod.timestamp = this.#options.clock.now()
    pod.readyAt = pod.timestamp + this.#backoffOf(pod.rejections)
    const since = this.#away.get(pod.key)
    const missed = since === undefined ? [] : this.#events.slice(since)
    this.arrive(pod.key)
    const helped = missed.find(({ event, objects }) => this.#isHelped(pod, event, objects))
    if (helped) return this.#enter(pod, helped.event)
    this.#unschedulable.set(pod.key, pod)
    this.#options.onIncoming?.('unschedulable', 'ScheduleAttemptFailure')
  }

  /** Something failed that had nothing to do with where the pod fits: it is tried again after its back-off. */
  retry(pod: WaitingPod): void {
    pod.failures++
    pod.rejectedBy = nobody
    pod.pending = nobody
    pod.timestamp = this.#options.clock.now()
    pod.readyAt = pod.timestamp + this.#backoffOf(pod.failures)
    this.arrive(pod.key)
    this.#errorBackoff.push(pod)
    this.#options.onIncoming?.('backoff', 'ScheduleAttemptFailure')
  }

  /** An event: pods whose plugins it can help go on, at once or after what is left of their back-off. */
  moveOn(event: ClusterEvent, objects: EventObjects = {}): void {
    if (this.#away.size > 0) this.#events.push({ event, objects })
    for (const pod of this.#unschedulable.values()) {
      if (!this.#isHelped(pod, event, objects)) continue
      this.#unschedulable.delete(pod.key)
      this.#enter(pod, event)
    }
    if (this.#gated.size === 0) return
    for (const pod of [...this.#gated.values()]) {
      if (this.#held.has(pod.key) || !this.#isHelped(pod, event, objects)) continue
      this.#gated.delete(pod.key)
      this.#enter(pod, event)
    }
  }

  /** Lets pods whose back-off is over become ready, and those that have been unschedulable for too long. */
  flush(): void {
    const now = this.#options.clock.now()
    for (const backoff of [this.#backoff, this.#errorBackoff]) {
      for (let next = backoff.peek(); next && this.#isOver(next.readyAt, now); next = backoff.peek()) {
        backoff.pop()
        this.#ready(next, 'BackoffComplete')
      }
    }
    for (const pod of this.#unschedulable.values()) {
      if (now >= pod.timestamp && now - pod.timestamp < this.#options.maxUnschedulableMs) continue
      this.#unschedulable.delete(pod.key)
      pod.wasFlushed = true
      this.#enter(pod, 'UnschedulableTimeout')
    }
  }

  #enter(pod: WaitingPod, because: Incoming): void {
    if (this.#held.has(pod.key)) {
      this.#gated.set(pod.key, pod)
      return
    }
    for (const plugin of this.#options.pluginsOf(pod.info)) {
      if (!plugin.preEnqueue?.(pod.info)) continue
      pod.rejectedBy = new Set([plugin.name])
      this.#gated.set(pod.key, pod)
      this.#options.onIncoming?.('gated', because)
      return
    }
    if (this.#isOver(pod.readyAt, this.#options.clock.now())) return this.#ready(pod, because)
    this.#backoff.push(pod)
    this.#options.onIncoming?.('backoff', because)
    if (this.#options.popsFromBackoff) this.#options.onReady()
  }

  #ready(pod: WaitingPod, because: Incoming): void {
    pod.firstReady ||= this.#options.clock.now()
    this.#active.push(pod)
    this.#options.onIncoming?.('active', because)
    this.#options.onReady()
  }

  /** Whether an event is worth another try of the pod. One that a plugin had been waiting for takes its back-off away. */
  #isHelped(pod: WaitingPod, event: ClusterEvent, objects: EventObjects): boolean {
    // Rejected by nobody in particular: anything may help.
    if (pod.rejectedBy.size === 0 || pod.rejectedBy.has(extenderName)) return true
    let helped = false
    for (const plugin of this.#options.pluginsOf(pod.info)) {
      if (!pod.rejectedBy.has(plugin.name) || !isHelpedBy(plugin, pod.info, event, objects)) continue
      helped = true
      if (!pod.pending.has(plugin.name)) continue
      pod.readyAt = 0
      break
    }
    return helped
  }

  /** Whether a back-off is over. One that would last longer than any does was begun before the clock was set back: nobody waits for that. */
  #isOver(readyAt: number, now: number): boolean {
    return readyAt <= now || readyAt > now + this.#options.maxBackoffMs
  }

  #backoffOf(count: number): number {
    return Math.min(this.#options.initialBackoffMs * 2 ** (count - 1), this.#options.maxBackoffMs)
  }
}
