import { apps, core, policy, scheduling, type ResourceInfo } from '@berth/api'
import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import type { LabelSelector, ObjectMeta } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { createInformers, isInvalid, keyOf, type Informer, type KubeClient } from '@berth/kube'
import { Cache } from '../../src/cache/cache.ts'
import { namespaces } from '../../src/engine/oracle/random-pod.ts'

export const priorities = [0, 10, 100, 1000]

/** A cluster on the API server and, object for object, in a cache of our own. */
export class World {
  readonly client: KubeClient
  readonly #abort = new AbortController()
  readonly #pods: Informer<Pod>
  readonly #known = new Set<string>()
  cache = new Cache()

  constructor(client: KubeClient) {
    this.client = client
    const informers = createInformers(client)
    this.#pods = informers.for(core.pods)
    informers.start(this.#abort.signal)
  }

  /** What stays through all clusters: namespaces, accounts, priority classes. */
  async prepare(): Promise<void> {
    for (const name of namespaces) {
      if (name !== 'default') await this.client.create(core.namespaces, { metadata: { name, labels: { team: name === 'blue' ? 'x' : 'y' } }, spec: {} })
      await this.client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: name } })
    }
    for (const value of priorities) {
      await this.client.create(scheduling.priorityclasses, { metadata: { name: `p${value}` }, value })
      await this.client.create(scheduling.priorityclasses, { metadata: { name: `polite${value}` }, value, preemptionPolicy: 'Never' })
    }
  }

  /** Removes the last cluster. */
  async clear(): Promise<void> {
    for (const namespace of namespaces) {
      await this.client.deleteCollection(core.pods, { namespace, gracePeriodSeconds: 0 })
      for (const resource of [core.services, apps.replicasets, policy.poddisruptionbudgets] as const) {
        const { items } = await this.client.list<{ metadata: ObjectMeta }>(resource as ResourceInfo<{ metadata: ObjectMeta }>, { namespace })
        for (const { metadata: { name } } of items) if (name !== 'kubernetes') await this.client.delete(resource as ResourceInfo<{ metadata: ObjectMeta }>, name, { namespace, gracePeriodSeconds: 0 })
      }
    }
    await this.client.deleteCollection(core.nodes)
    await this.#until('all pods are gone', () => this.#pods.store.list().length === 0 || undefined)
    this.#known.clear()
    this.cache = new Cache()
    const { items } = await this.client.list(core.namespaces)
    for (const { metadata: { name, labels = {} } } of items) this.cache.apply({ type: 'namespace-set', name, labels })
    const kubernetes = await this.client.get(core.services, 'kubernetes', { namespace: 'default' }).catch(() => undefined)
    if (kubernetes) this.cache.apply({ type: 'service-set', service: kubernetes })
  }

  async addNode(node: Node): Promise<void> {
    const { name } = node.metadata
    // kube-scheduler takes an image to be as large everywhere as on the first node that told it: here it is.
    const images = node.status?.images?.map((image) => ({ ...image, sizeBytes: (100 + 250 * (image.names?.[0]?.length ?? 0) % 700) * 2 ** 20 }))
    await this.client.create(core.nodes, { ...node, spec: { ...node.spec } })
    // A node comes with the taint not-ready, which nobody would take away here.
    await this.client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: node.spec?.taints ?? null } } })
    const made = await this.client.patch(core.nodes, name, { type: 'merge', body: { status: { ...node.status, ...(images ? { images } : {}), capacity: node.status?.allocatable } } }, { subresource: 'status' })
    this.cache.apply({ type: 'node-set', node: made })
  }

  /** Creates a pod of a random template; undefined where the API refuses it as invalid. */
  async create(template: Pod, name: string, spec: Partial<Pod['spec']>): Promise<Pod | undefined> {
    const { priority, preemptionPolicy, volumes: _, ...rest } = template.spec
    const className = priority === undefined ? undefined : `${preemptionPolicy === 'Never' ? 'polite' : 'p'}${priority}`
    try {
      return await this.client.create(core.pods, { metadata: { ...template.metadata, name, ownerReferences: owned(template) }, spec: { ...rest, ...(className ? { priorityClassName: className } : {}), ...spec, terminationGracePeriodSeconds: 0 } }, { namespace: template.metadata.namespace ?? 'default' })
    } catch (error) {
      if (isInvalid(error)) return undefined
      throw error
    }
  }

  /** A pod that has its node already, running since a time of its own; false where the API refuses it. */
  async place(template: Pod, name: string, node: string, startTime: string): Promise<boolean> {
    const pod = await this.create(template, name, { nodeName: node })
    if (pod) await this.run(pod, startTime)
    return pod !== undefined
  }

  /** Does what a kubelet would: the pod runs since then. */
  async run({ metadata: { name, namespace = '' } }: Pod, startTime: string): Promise<void> {
    const running = await this.client.patch(core.pods, name, { type: 'merge', body: { status: { phase: 'Running', startTime } } }, { namespace, subresource: 'status' })
    this.cache.apply({ type: 'pod-set', pod: running })
  }

  async addService(service: Service): Promise<void> {
    const { name, namespace = 'default' } = service.metadata
    if (this.#known.has(`service ${namespace}/${name}`)) return
    this.#known.add(`service ${namespace}/${name}`)
    this.cache.apply({ type: 'service-set', service: await this.client.create(core.services, { ...service, spec: { ...service.spec, ports: [{ port: 80 }] } }) })
  }

  /** A ReplicaSet with this selector, that nobody acts on. */
  async addOwner(key: string, selector: LabelSelector): Promise<void> {
    const [namespace = 'default', name = ''] = key.split('/')
    if (this.#known.has(`owner ${key}`)) return
    this.#known.add(`owner ${key}`)
    const template = { metadata: { name: '', labels: selector.matchLabels ?? {} }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    await this.client.create(apps.replicasets, { metadata: { name, namespace }, spec: { replicas: 0, selector, template } })
    this.cache.apply({ type: 'owner-set', kind: 'ReplicaSet', key, selector })
  }

  /** Of the pods that had a node, those that are gone. */
  missing(placed: Iterable<string>): string[] {
    return [...placed].filter((key) => this.#pods.store.get(key) === undefined).sort()
  }

  async addBudget(budget: PodDisruptionBudget): Promise<void> {
    const { name, namespace = '' } = budget.metadata
    await this.client.create(policy.poddisruptionbudgets, budget)
    const made = await this.client.patch(policy.poddisruptionbudgets, name, { type: 'merge', body: { status: budget.status } }, { namespace, subresource: 'status' })
    this.cache.apply({ type: 'budget-set', budget: made })
  }

  /** Waits until the scheduler has placed or refused a pod; the pod as it is then. */
  decided(pod: Pod): Promise<Pod> {
    const key = keyOf(pod)
    return this.#until(`${key} is decided`, () => {
      const now = this.#pods.store.get(key)
      return now && (now.spec.nodeName || now.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.status === 'False')) ? now : undefined
    })
  }

  /** Waits until the scheduler has chosen a node for a pod, if only to have room there, and until so many pods are gone for it; the node, and who is gone. */
  async preempted(pod: Pod, count: number, among: ReadonlySet<string>): Promise<{ node: string; victims: string[] }> {
    const key = keyOf(pod)
    const node = await this.#until(`${key} has a node or is nominated to one`, () => {
      const now = this.#pods.store.get(key)
      return now?.spec.nodeName || now?.status?.nominatedNodeName || undefined
    })
    // Whoever has been preempted goes one after the other; that the pod itself comes to the node is not what is compared.
    const victims = await this.#until(`${count} pods are gone for ${key}`, () => {
      const gone = this.missing(among)
      return gone.length >= count ? gone : undefined
    })
    return { node, victims }
  }

  async remove(pod: Pod): Promise<void> {
    await this.client.delete(core.pods, pod.metadata.name, { namespace: pod.metadata.namespace ?? '', gracePeriodSeconds: 0 })
  }

  stop(): void {
    this.#abort.abort()
  }

  async #until<T>(what: string, ask: () => T | undefined): Promise<T> {
    const end = Date.now() + 20_000
    for (;;) {
      const answer = ask()
      if (answer !== undefined) return answer
      if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
      await new Promise((resolve) => { setTimeout(resolve, 2) })
    }
  }
}

function owned({ metadata: { ownerReferences } }: Pod): NonNullable<Pod['metadata']['ownerReferences']> {
  return ownerReferences ?? []
}
