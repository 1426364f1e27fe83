import type { ResourceInfo } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { keyOf } from '@berth/kube'
import { NodeInfo } from '../framework/node-info.ts'
import { podInfoOf, type PodInfo } from '../framework/pod-info.ts'
import { resourceKey, type KubernetesObject } from '../framework/resource-key.ts'
import type { ImageState, Snapshot } from '../framework/snapshot.ts'
import type { Change } from './changes.ts'
import { Nominations } from './nominations.ts'
import type { CacheObserver } from './observer.ts'
import { hasSameAllocatable, hasSameImages, isSameNode } from './same-node.ts'

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
  readonly #observers = new Set<CacheObserver>()
  /** Grows when a Service or an owner's selector changes: they say which pods belong together. */
  groupsVersion = 0
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

  /** The nodes that waiting pods are nominated to. */
  nominatedNodes(): Iterable<string> {
    return this.#nominations.nodes()
  }

  get hasNominations(): boolean {
    return this.#nominations.size > 0
  }

  /** Tells an observer of everything that is there, and from now on of every change. Gives what ends it. */
  observe(observer: CacheObserver): () => void {
    for (const node of this.#nodes.values()) {
      observer.nodeSet(node)
      for (const pod of node.pods.values()) observer.podAdded(pod, node)
    }
    this.#observers.add(observer)
    return () => void this.#observers.delete(observer)
  }

  isAssumed(key: string): boolean {
    return this.#assumed.has(key)
  }

  /** Where a pod is counted; undefined for one that is not. */
  placeOf(key: string): string | undefined {
    return this.#places.get(key)
  }

  /** How many pods are counted, those included whose node is not known. */
  get podCount(): number {
    return this.#places.size
  }

  /**
   * The changes that make a cache like this one. Read from the live cache while it goes on: what changes behind the
   * reader has to be told on top.
   */
  *contents(): Generator<Change> {
    for (const [name, labels] of this.#namespaces) yield { type: 'namespace-set', name, labels }
    for (const { node } of this.#nodes.values()) yield { type: 'node-set', node }
    for (const services of this.#services.values()) for (const service of services.values()) yield { type: 'service-set', service }
    for (const [key, selector] of this.#owners) {
      const [kind = '', ...rest] = key.split('/')
      yield { type: 'owner-set', kind, key: rest.join('/'), selector }
    }
    for (const budget of this.#budgets.values()) yield { type: 'budget-set', budget }
    for (const [resource, objects] of this.#objects) for (const object of objects.values()) yield { type: 'object-set', resource, object }
    for (const [key, place] of this.#places) {
      const info = this.#nodes.get(place)?.pods.get(key) ?? this.#homeless.get(place)?.get(key)
      if (!info) continue
      const pod = info.pod.spec.nodeName === place ? info.pod : { ...info.pod, spec: { ...info.pod.spec, nodeName: place } }
      yield this.#assumed.has(key) ? { type: 'assume', pod, node: place, sequence: this.sequence } : { type: 'pod-set', pod }
    }
    for (const node of this.#nominations.nodes()) for (const { pod } of this.#nominations.on(node)?.values() ?? []) yield { type: 'nominate', pod, node }
  }

  apply(change: Change): void {
    switch (change.type) {
      case 'node-set': return this.#setNode(change.node)
      case 'node-gone': return this.#removeNode(change.name)
      case 'pod-set': {
        const info = podInfoOf(change.pod)
        this.#assumed.delete(info.key)
        this.#endNomination(info.key)
        return this.#place(info, change.pod.spec.nodeName ?? '')
      }
      case 'pod-gone': {
        this.#assumed.delete(change.key)
        this.#endNomination(change.key)
        return this.#displace(change.key)
      }
      case 'assume': {
        this.sequence = change.sequence
        const info = change.info ? { ...change.info, pod: change.pod } : podInfoOf(change.pod)
        this.#assumed.add(info.key)
        this.#endNomination(info.key)
        return this.#place(info, change.node)
      }
      case 'forget': {
        this.sequence = change.sequence
        if (this.#assumed.delete(change.key)) this.#displace(change.key)
        return undefined
      }
      case 'namespace-set': return this.#setNamespace(change.name, change.labels)
      case 'namespace-gone': return this.#setNamespace(change.name, undefined)
      case 'service-set': {
        const { namespace = 'default', name } = change.service.metadata
        const services = this.#services.get(namespace) ?? new Map<string, Service>()
        services.set(name, change.service)
        this.groupsVersion++
        return void this.#services.set(namespace, services)
      }
      case 'service-gone': {
        const [namespace = '', name = ''] = change.key.split('/')
        if (this.#services.get(namespace)?.delete(name)) this.groupsVersion++
        return undefined
      }
      case 'owner-set': {
        this.#owners.set(`${change.kind}/${change.key}`, change.selector)
        this.groupsVersion++
        return undefined
      }
      case 'owner-gone': {
        if (this.#owners.delete(`${change.kind}/${change.key}`)) this.groupsVersion++
        return undefined
      }
      case 'budget-set': return void this.#budgets.set(keyOf(change.budget), change.budget)
      case 'budget-gone': return void this.#budgets.delete(change.key)
      case 'object-set': return void this.#objectsOf(change.resource).set(keyOf(change.object), change.object)
      case 'object-gone': return void this.#objectsOf(change.resource).delete(change.key)
      case 'nominate': {
        const info = podInfoOf(change.pod)
        this.#endNomination(info.key)
        this.#nominations.set(info, change.node)
        for (const observer of this.#observers) observer.nominationsChanged(change.node)
        return undefined
      }
      case 'nomination-gone': return this.#endNomination(change.key)
    }
  }

  #objectsOf(resource: string): Map<string, KubernetesObject> {
    let objects = this.#objects.get(resource)
    if (!objects) this.#objects.set(resource, objects = new Map())
    return objects
  }

  #endNomination(key: string): void {
    const node = this.#nominations.of(key)
    if (node === undefined) return
    this.#nominations.delete(key)
    for (const observer of this.#observers) observer.nominationsChanged(node)
  }

  #setNamespace(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    const before = this.namespaceLabels(name)
    if (labels) this.#namespaces.set(name, labels)
    else this.#namespaces.delete(name)
    const now = labels ?? noLabels
    if (Object.keys(before).length === Object.keys(now).length && Object.entries(now).every(([key, value]) => before[key] === value)) return
    for (const observer of this.#observers) observer.namespaceChanged(name)
  }

  #setNode(node: NodeInfo['node']): void {
    const { name } = node.metadata
    const known = this.#nodes.get(name)
    if (known) {
      if (isSameNode(known.node, node)) {
        known.replaceAlike(node)
        return
      }
      const imagesDiffer = !hasSameImages(known.node, node)
      if (imagesDiffer) this.#forgetImages(known)
      if (hasSameAllocatable(known.node, node)) known.replaceAlike(node)
      else known.node = node
      if (imagesDiffer) this.#rememberImages(node)
      for (const observer of this.#observers) observer.nodeSet(known)
      return
    }
    const info = new NodeInfo(node)
    this.#nodes.set(name, info)
    this.#list = undefined
    this.#rememberImages(node)
    for (const observer of this.#observers) observer.nodeSet(info)
    for (const pod of this.#homeless.get(name)?.values() ?? []) this.#add(pod, info)
    this.#homeless.delete(name)
  }

  /** Names count as nodes report them, and an image is as large as the first node says that has it (upstream: addNodeImageStates). */
  #rememberImages(node: NodeInfo['node']): void {
    const { name } = node.metadata
    for (const image of node.status?.images ?? []) {
      for (const key of image.names ?? []) {
        const state = this.#images.get(key) ?? { sizeBytes: image.sizeBytes ?? 0, nodes: new Set<string>() }
        state.nodes.add(name)
        this.#images.set(key, state)
      }
    }
  }

  #forgetImages(node: NodeInfo): void {
    for (const image of node.node.status?.images ?? []) {
      for (const key of image.names ?? []) {
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
    for (const observer of this.#observers) observer.nodeGone(node)
    // Its pods are still in the API until they are collected: they count again should the node come back.
    if (node.pods.size > 0) this.#homeless.set(name, new Map(node.pods))
  }

  #place(pod: PodInfo, node: string): void {
    const before = this.#places.get(pod.key)
    if (before !== undefined && before !== node) this.#displace(pod.key)
    this.#places.set(pod.key, node)
    const info = this.#nodes.get(node)
    if (info) return this.#add(pod, info)
    const waiting = this.#homeless.get(node) ?? new Map<string, PodInfo>()
    waiting.set(pod.key, pod)
    this.#homeless.set(node, waiting)
  }

  #displace(key: string): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    const node = this.#nodes.get(place)
    if (node) this.#remove(key, node)
    this.#homeless.get(place)?.delete(key)
  }

  #add(pod: PodInfo, node: NodeInfo): void {
    this.#remove(pod.key, node)
    node.addPod(pod)
    for (const observer of this.#observers) observer.podAdded(pod, node)
  }

  #remove(key: string, node: NodeInfo): void {
    const pod = node.pods.get(key)
    if (!pod) return
    node.removePod(key)
    for (const observer of this.#observers) observer.podRemoved(pod, node)
  }
}
