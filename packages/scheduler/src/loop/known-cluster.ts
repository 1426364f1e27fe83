import type { ResourceInfo } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import { podInfoOf, podKey } from '../framework/pod-info.ts'
import type { EventObjects } from '../framework/plugin.ts'
import type { SchedulerMetrics } from '../metrics.ts'
import type { ClusterEvent } from '../queue/events.ts'
import type { SchedulingQueue, WaitingPod } from '../queue/scheduling-queue.ts'
import { eventsOf } from './derive-events.ts'
import { PodGroups } from './pod-groups.ts'
import { Tap } from './tap.ts'

export interface KnownClusterOptions {
  readonly cache: Cache
  readonly queue: SchedulingQueue
  readonly metrics: SchedulerMetrics
  /** The kinds that plugins look at, by resource key. */
  readonly kinds: ReadonlyMap<string, ResourceInfo>
}

/**
 * What the loop knows: the cache, the pods without a node, who is nominated where, and which pods belong together. Every change of the cache goes
 * through here, so that a second one can follow (`tap`) and the queue hears what it may help.
 */
export class KnownCluster {
  readonly cache: Cache
  readonly groups = new PodGroups()
  readonly tap: Tap
  /** The pods without a node, as the API last had them. */
  readonly unassigned = new Map<string, Pod>()
  readonly #queue: SchedulingQueue
  readonly #metrics: SchedulerMetrics
  readonly #kinds: ReadonlyMap<string, ResourceInfo>
  #sequence = 0

  constructor({ cache, queue, metrics, kinds }: KnownClusterOptions) {
    this.cache = cache
    this.#queue = queue
    this.#metrics = metrics
    this.#kinds = kinds
    this.tap = new Tap(cache, () => this.unassigned.values())
  }

  /** The number of the last assume or forget. */
  get sequence(): number {
    return this.#sequence
  }

  /** The cluster changed, by what the API says. */
  changed(change: Change): void {
    const started = performance.now()
    const events = eventsOf(change, this.cache, this.#kinds)
    this.#apply(change)
    for (const { event, objects } of events) {
      this.event(event, objects)
      this.#metrics.handled(event, (performance.now() - started) / 1000)
    }
  }

  /** Tells the queue of something that may help pods in it. */
  event(event: ClusterEvent, objects: EventObjects): void {
    this.#queue.moveOn(event, objects)
  }

  /** From now on the pod counts as being on the node. */
  assume(info: WaitingPod['info'], node: string): void {
    this.#apply({ type: 'assume', pod: { ...info.pod, spec: { ...info.pod.spec, nodeName: node } }, node, sequence: ++this.#sequence, info })
    this.groups.assume(info.key)
  }

  /** Takes an assumption back. */
  forget(key: string): void {
    this.groups.forget(key)
    this.#apply({ type: 'forget', key, sequence: ++this.#sequence })
  }

  /** Keeps the pod's room free on the node. */
  nominate(pod: Pod, node: string): void {
    this.#apply({ type: 'nominate', pod, node })
  }

  /** Takes a nomination away, and tells nobody that there is room. */
  dropNomination(key: string): void {
    this.#apply({ type: 'nomination-gone', key })
  }

  /** What was kept free for the pod can be another's. */
  endNomination(key: string): void {
    if (this.cache.nominationOf(key) === undefined) return
    this.dropNomination(key)
    // To others it is as if a pod had gone.
    this.event('AssignedPodDeleted', {})
  }

  /** Takes over what the API says of a nomination; a change that says nothing of it leaves what was decided here and is still being written. */
  followNomination(pod: Pod, old: Pod | undefined): void {
    const written = pod.status?.nominatedNodeName ?? ''
    const node = written === (old?.status?.nominatedNodeName ?? '') ? this.cache.nominationOf(podKey(pod)) ?? '' : written
    if (node === '') this.endNomination(podKey(pod))
    else if (this.cache.nominationOf(podKey(pod)) !== node) this.nominate(pod, node)
  }

  /** A pod that has no node goes back to the queue, as the API has it now; not where it is gone, placed, or another one of its name. */
  comeBack(waiting: WaitingPod, back: (pod: WaitingPod) => void): void {
    this.#queue.arrive(waiting.key)
    const now = this.unassigned.get(waiting.key)
    if (!now || now.metadata.deletionTimestamp || this.cache.placeOf(waiting.key) !== undefined) return
    if (now.metadata.uid !== waiting.info.pod.metadata.uid) return this.#queue.update(podInfoOf(now))
    if (now !== waiting.info.pod) waiting.info = podInfoOf(now)
    back(waiting)
  }

  #apply(change: Change): void {
    this.cache.apply(change)
    this.tap.tell(change)
  }
}
