import { isDeepStrictEqual } from 'node:util'
import { coordination, core } from '@berth/api'
import type { Node, Pod, PodCondition, PodStatus } from '@berth/api/types/core/v1'
import { createWorkQueue, isNotFound, keyOf, microTime, runWorkers, type Informer, type Informers, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { toTime } from '@berth/kubelet/rules'
import { AddressPool } from './addresses.ts'
import { instructionsOf } from './instructions.ts'
import { nodeObject, type HollowNode } from './node-object.ts'
import { podStep, type PodStep } from './pod-step.ts'

const leaseNamespace = 'kube-node-lease'
const leaseSeconds = 40
const heartbeatMs = 10_000

export interface HollowNodesOptions {
  /** May make nodes. */
  readonly client: KubeClient
  /** The client of a node, which may do what a kubelet may. */
  readonly clientOf: (node: string) => KubeClient
  readonly informers: Informers
  readonly nodes: readonly HollowNode[]
  readonly logger: Logger
}

/**
 * Nodes without machines: they keep their leases, and take pods through their lives without running anything. Resolves when all are Ready and have their
 * podCIDR. A node that somebody deletes stays away. `silence` ends a node's heartbeat and care for its pods, as if its machine had died.
 */
export async function startHollowNodes(options: HollowNodesOptions): Promise<RunningPart & { silence(node: string): void }> {
  const { client, informers, nodes, logger } = options
  const ending = new AbortController()
  const { signal } = ending
  const fleet = new Fleet(options)
  const known = informers.for(core.nodes)
  const pods = informers.for(core.pods)
  const queue = createWorkQueue<string>({ name: 'hollow-pods' })
  const look = (pod: Pod): void => {
    if (fleet.has(pod.spec.nodeName)) queue.add(keyOf(pod))
  }
  const offPods = pods.on({
    added: look, updated: (_old, pod) => look(pod),
    deleted: (pod) => fleet.forget(pod),
  })
  await Promise.all(nodes.map((node) => fleet.register(client, node)))
  const heart = setInterval(() => void fleet.beat().catch((error: unknown) => { if (!signal.aborted) logger.error(error, 'Hollow nodes cannot renew their leases') }), heartbeatMs)
  heart.unref()
  const working = runWorkers(queue, 8, async (key) => {
    const pod = pods.store.get(key)
    const node = known.store.get(pod?.spec.nodeName ?? '')
    if (!pod || !node || !fleet.has(node.metadata.name)) return
    // Its podCIDR comes with a change of the node, which is not followed: look again.
    if (node.spec?.podCIDR === undefined) return queue.addAfter(key, 50)
    const againMs = await fleet.care(node, pod)
    if (Number.isFinite(againMs)) queue.addAfter(key, againMs)
  }, { logger, signal })
  await allReady(known, nodes.map(({ name }) => name))
  return {
    name: 'hollow-nodes',
    silence: (node) => fleet.silence(node),
    async stop() {
      ending.abort()
      clearInterval(heart)
      offPods()
      await working
    },
  }
}

function allReady(nodes: Informer<Node>, names: readonly string[]): Promise<void> {
  const waiting = new Set(names)
  return new Promise((resolve) => {
    const look = (node: Node): void => {
      const ready = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
      const tainted = node.spec?.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/'))
      if (ready && !tainted && node.spec?.podCIDR !== undefined) waiting.delete(node.metadata.name)
      if (waiting.size > 0) return
      queueMicrotask(off)
      resolve()
    }
    if (waiting.size === 0) return resolve()
    let off: () => void = () => {}
    off = nodes.on({ added: look, updated: (_old, node) => look(node) })
  })
}

class Fleet {
  readonly #options: HollowNodesOptions
  readonly #nodes = new Map<string, { client: KubeClient, node: HollowNode, uid: string, pool: AddressPool | undefined }>()
  /** When each container began, exactly. */
  readonly #began = new Map<string, number>()

  constructor(options: HollowNodesOptions) {
    this.#options = options
  }

  has(name: string | undefined): boolean {
    return name !== undefined && this.#nodes.has(name)
  }

  async register(client: KubeClient, node: HollowNode): Promise<void> {
    const made = await client.create(core.nodes, nodeObject(node, toTime(Date.now())))
    const uid = made.metadata.uid ?? ''
    const own = this.#options.clientOf(node.name)
    this.#nodes.set(node.name, { client: own, node, uid, pool: undefined })
    await this.#renew(node.name)
  }

  silence(name: string): void {
    this.#nodes.delete(name)
  }

  /** Renews every lease. */
  async beat(): Promise<void> {
    await Promise.all([...this.#nodes.keys()].map((name) => this.#renew(name)))
  }

  async #renew(name: string): Promise<void> {
    const node = this.#nodes.get(name)
    if (!node) return
    const lease = {
      apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: leaseNamespace, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: node.uid }] },
      spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: microTime(Date.now()) },
    }
    try {
      await node.client.patch(coordination.leases, name, { type: 'merge', body: { spec: lease.spec } }, { namespace: leaseNamespace })
    } catch (error) {
      if (!isNotFound(error)) throw error
      await node.client.create(coordination.leases, lease)
    }
  }

  forget(pod: Pod): void {
    this.#nodes.get(pod.spec.nodeName ?? '')?.pool?.release(pod.metadata.uid ?? '')
    for (const { containerID } of pod.status?.containerStatuses ?? []) this.#began.delete(containerID ?? '')
  }

  /** Does what comes next for a pod; gives when to look again. */
  async care(node: Node, pod: Pod): Promise<number> {
    const own = this.#nodes.get(node.metadata.name)
    if (!own) return Infinity
    own.pool ??= new AddressPool(node.spec?.podCIDR ?? '')
    const now = Date.now()
    const podIp = pod.spec.hostNetwork === true ? own.node.address : own.pool.of(pod.metadata.uid ?? '', pod.status?.podIP)
    const step = podStep({ pod, said: instructionsOf(pod, own.node.jobs), now, began: (id) => this.#began.get(id), hostIp: own.node.address, podIp })
    this.#remember(step, now)
    try {
      await this.#write(own.client, pod, step)
    } catch (error) {
      // It is gone, or it is another one by now, which comes by itself.
      if (isNotFound(error)) return Infinity
      throw error
    }
    return step.againMs
  }

  #remember({ status }: PodStep, now: number): void {
    for (const { containerID, state } of status?.containerStatuses ?? []) {
      if (containerID === undefined) continue
      if (!state?.running) this.#began.delete(containerID)
      else if (!this.#began.has(containerID)) this.#began.set(containerID, now)
    }
  }

  async #write(client: KubeClient, pod: Pod, { status, remove }: PodStep): Promise<void> {
    const { name, namespace = '', uid = '' } = pod.metadata
    if (status && !isSame(pod.status ?? {}, status)) await client.patch(core.pods, name, { type: 'strategic', body: { metadata: { uid }, status: { ...status, conditions: status.conditions?.map(complete) } } }, { namespace, subresource: 'status' })
    if (remove) await client.delete(core.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } })
  }
}

/** Whether a status says what is there already; conditions of others are left alone. */
function isSame(before: PodStatus, next: PodStatus): boolean {
  return Object.entries(next).every(([field, value]) => {
    if (field !== 'conditions') return isDeepStrictEqual(plain(before[field as keyof PodStatus]), plain(value))
    return next.conditions?.every((condition) => {
      const old = before.conditions?.find(({ type }) => type === condition.type)
      return old !== undefined && Object.entries(complete(condition)).every(([key, each]) => (old[key as keyof PodCondition] ?? null) === each)
    })
  })
}

/** With nulls for what a patch must take away. */
function complete(condition: PodCondition): Record<string, unknown> {
  return { reason: null, message: null, ...condition }
}

/** As it comes back from the API: without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
