import type { ResourceInfo } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { keyOf } from '@berth/kube'
import { NodeInfo } from '../framework/node-info.ts'
import { podInfoOf, type PodInfo } from '../framework/pod-info.ts'
import { resourceKey, type KubernetesObject } from '../framework/resource-key.ts'
import type { ImageState, Snapshot } from '../framework/snapshot.ts'
import { normalizedImageName } from '../plugins/image-locality.ts'
import type { Change } from './changes.ts'
import { Nominations } from './nominations.ts'

const noLabels: Readonly<Record<string, string>> = {}

/** The cluster in memory, kept by a stream of changes. The same changes in the same order give the same cache. */
export class Cache implements Snapshot {
  readonly #nodes = new Map<string, NodeInfo>()
  #list: NodeInfo[] | undefined
  /** Pod key → node name; also of pods whose node is not known (yet). */
  readonly #places = new Map<string, string>()
  /** Pods whose node is not there: they count as soon as it comes. */
  readonly #homeless = new Map<string, Map<string, PodInfo>>()
  readonly #assumed = new Set<string>()
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>()
  readonly #images = new Map<string, { sizeBytes: number; nodes: Set<string> }>()
  readonly #services = new Map<string, Map<string, Service>>()
  readonly #owners = new Map<string, LabelSelector>()
  readonly #budgets = new Map<string, PodDisruptionBudget>()
  readonly #objects = new Map<string, Map<string, KubernetesObject>>()
  readonly #nominations = new Nominations()
  /** The number of the last assume or forget: an explanation says up to which it is true. */
  sequence = 0

  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()]
    return this.#list
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> {
    return this.#namespaces.get(name) ?? noLabels
  }

  image(name: string): ImageState | undefined {
    return this.#images.get(name)
  }

  servicesIn(namespace: string): Iterable<Service> {
    return this.#services.get(namespace)?.values() ?? []
  }

  ownerSelector(namespace: string, kind: string, name: string): LabelSelector | undefined {
    return this.#owners.get(`${kind}/${namespace}/${name}`)
  }

  get budgets(): readonly PodDisruptionBudget[] {
    return [...this.#budgets.values()]
  }

  /** The kind's objects; the cast is the feed's to answer for: it alone says what is of which kind. */
  objects<T>(resource: ResourceInfo<T>): ReadonlyMap<string, T> {
    return this.#objectsOf(resourceKey(resource)) as ReadonlyMap<string, unknown> as ReadonlyMap<string, T>
  }

  nominationOf(key: string): string | undefined {
    return this.#nominations.of(key)
  }

  nominatedOn(node: string): ReadonlyMap<string, PodInfo> | undefined {
    return this.#nominations.on(node)
  }

  isAssumed(key: string): boolean {
    return this.#assumed.has(key)
  }

  /** Where a pod is counted; undefined for one that is not. */
  placeOf(key: string): string | undefined {
    return this.#places.get(key)
  }

  apply(change: Change): void {
    switch (change.type) {
      case 'node-set': return this.#setNode(change.node)
      case 'node-gone': return this.#removeNode(change.name)
      case 'pod-set': {
        const info = podInfoOf(change.pod)
        this.#assumed.delete(info.key)
        this.#nominations.delete(info.key)
        return this.#place(info, change.pod.spec.nodeName ?? '')
      }
      case 'pod-gone': {
        this.#assumed.delete(change.key)
        this.#nominations.delete(change.key)
        return this.#displace(change.key)
      }
      case 'assume': {
        this.sequence = change.sequence
        const info = podInfoOf(change.pod)
        this.#assumed.add(info.key)
        this.#nominations.delete(info.key)
        return this.#place(info, change.node)
      }
      case 'forget': {
        this.sequence = change.sequence
        if (this.#assumed.delete(change.key)) this.#displace(change.key)
        return undefined
      }
      case 'namespace-set': return void this.#namespaces.set(change.name, change.labels)
      case 'namespace-gone': return void this.#namespaces.delete(change.name)
      case 'service-set': {
        const { namespace = 'default', name } = change.service.metadata
        const services = this.#services.get(namespace) ?? new Map<string, Service>()
        services.set(name, change.service)
        return void this.#services.set(namespace, services)
      }
      case 'service-gone': {
        const [namespace = '', name = ''] = change.key.split('/')
        return void this.#services.get(namespace)?.delete(name)
      }
      case 'owner-set': return void this.#owners.set(`${change.kind}/${change.key}`, change.selector)
      case 'owner-gone': return void this.#owners.delete(`${change.kind}/${change.key}`)
      case 'budget-set': return void this.#budgets.set(keyOf(change.budget), change.budget)
      case 'budget-gone': return void this.#budgets.delete(change.key)
      case 'object-set': return void this.#objectsOf(change.resource).set(keyOf(change.object), change.object)
      case 'object-gone': return void this.#objectsOf(change.resource).delete(change.key)
      case 'nominate': return this.#nominations.set(podInfoOf(change.pod), change.node)
      case 'nomination-gone': return this.#nominations.delete(change.key)
    }
  }

  #objectsOf(resource: string): Map<string, KubernetesObject> {
    let objects = this.#objects.get(resource)
    if (!objects) this.#objects.set(resource, objects = new Map())
    return objects
  }

  #setNode(node: NodeInfo['node']): void {
    const { name } = node.metadata
    const known = this.#nodes.get(name)
    if (known) {
      this.#forgetImages(known)
      known.node = node
    } else {
      const info = new NodeInfo(node)
      this.#nodes.set(name, info)
      this.#list = undefined
      for (const pod of this.#homeless.get(name)?.values() ?? []) info.addPod(pod)
      this.#homeless.delete(name)
    }
    for (const image of node.status?.images ?? []) {
      for (const written of image.names ?? []) {
        const key = normalizedImageName(written)
        const state = this.#images.get(key) ?? { sizeBytes: 0, nodes: new Set<string>() }
        state.sizeBytes = image.sizeBytes ?? 0
        state.nodes.add(name)
        this.#images.set(key, state)
      }
    }
  }

  #forgetImages(node: NodeInfo): void {
    for (const image of node.node.status?.images ?? []) {
      for (const written of image.names ?? []) {
        const key = normalizedImageName(written)
        const state = this.#images.get(key)
        state?.nodes.delete(node.name)
        if (state?.nodes.size === 0) this.#images.delete(key)
      }
    }
  }

  #removeNode(name: string): void {
    const node = this.#nodes.get(name)
    if (!node) return
    this.#forgetImages(node)
    this.#nodes.delete(name)
    this.#list = undefined
    // Its pods are still in the API until they are collected: they count again should the node come back.
    if (node.pods.size > 0) this.#homeless.set(name, new Map(node.pods))
  }

  #place(pod: PodInfo, node: string): void {
    const before = this.#places.get(pod.key)
    if (before !== undefined && before !== node) this.#displace(pod.key)
    this.#places.set(pod.key, node)
    const info = this.#nodes.get(node)
    if (info) {
      info.addPod(pod)
      return
    }
    const waiting = this.#homeless.get(node) ?? new Map<string, PodInfo>()
    waiting.set(pod.key, pod)
    this.#homeless.set(node, waiting)
  }

  #displace(key: string): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    this.#nodes.get(place)?.removePod(key)
    this.#homeless.get(place)?.delete(key)
  }
}
