import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { core, rbac, scheduling } from '@berth/api'
import type { Event, Node, Pod } from '@berth/api/types/core/v1'
import { startApiServer } from '@berth/apiserver'
import { createClient, createInformers, isConflict, isNotFound, keyOf, silentLogger, type KubeClient, type Transport } from '@berth/kube'
import { schedulerConfigOf, startScheduler, type Scheduler } from '../src/index.ts'
import { schedulerRules } from '../src/rbac.ts'
import { Asked } from './asked.ts'

/** A real API server in memory, a scheduler with a scheduler's rights, and nodes whose kubelet is the few lines below. */
export interface TestCluster {
  readonly client: KubeClient
  /** To the API server, as its administrator. */
  readonly loopback: Transport
  /** While set, the kubelet lets pods that are being deleted be. */
  kubeletPaused: boolean
  /** Asked before each of the scheduler's requests is sent ('POST /api/v1/…'): it may hold it up, or throw, and the request is lost. */
  onRequest: (request: string) => Promise<void> | undefined
  /** What the scheduler has asked of the API so far. */
  readonly asked: Asked
  readonly scheduler: Scheduler
  addNode(name: string, allocatable: Record<string, string>): Promise<Node>
  /** Removes all pods and nodes. */
  clear(): Promise<void>
  createPod(name: string, cpu: string, more?: Partial<Pod['spec']>): Promise<Pod>
  pod(name: string): Promise<Pod>
  events(pod: string, reason: string): Promise<Event[]>
  stop(): Promise<void>
}

const namespace = 'default'

export async function startCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-scheduler-'))
  const server = await startApiServer({ dataDir: directory, storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, logger: silentLogger() })
  await server.whenReady()
  const client = createClient(server.loopback, { fieldManager: 'test' })
  await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace } })
  for (const [name, value] of [['low', 10], ['middle', 100], ['high', 1000]] as const) await client.create(scheduling.priorityclasses, { metadata: { name }, value })
  await client.create(scheduling.priorityclasses, { metadata: { name: 'polite' }, value: 1000, preemptionPolicy: 'Never' })
  // It has the rights that the chart gives it, and no others.
  await client.create(rbac.clusterroles, { metadata: { name: 'berth-scheduler' }, rules: [...schedulerRules] })
  await client.create(rbac.clusterrolebindings, { metadata: { name: 'berth-scheduler' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'berth-scheduler' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'berth-scheduler' }] })
  const stopping = new AbortController()
  const informers = createInformers(client)
  const stopKubelet = runKubelet(client, informers, () => cluster.kubeletPaused)
  informers.start(stopping.signal)
  await informers.whenSynced()
  let onRequest: TestCluster['onRequest'] = () => undefined
  const asked = new Asked()
  const transport = intercepted(asked.listen(server.clientFor({ name: 'berth-scheduler', groups: ['system:authenticated'] })), (request) => onRequest(request))
  const config = { ...schedulerConfigOf({}), podInitialBackoffMs: 50, podMaxBackoffMs: 200 }
  const scheduler = await startScheduler({ client: createClient(transport, { fieldManager: 'kube-scheduler' }), config, logger: silentLogger() })
  const cluster: TestCluster = {
    client, loopback: server.loopback, asked, scheduler, kubeletPaused: false,
    get onRequest() { return onRequest },
    set onRequest(value) { onRequest = value },
    async addNode(name, allocatable) {
      const node = await client.create(core.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {} })
      await client.patch(core.nodes, name, { type: 'merge', body: { status: { capacity: { pods: '110', ...allocatable }, allocatable: { pods: '110', ...allocatable } } } }, { subresource: 'status' })
      // Nodes come with the taint not-ready; nobody else would take it away here.
      return client.patch(core.nodes, node.metadata.name, { type: 'merge', body: { spec: { taints: null } } })
    },
    async clear() {
      cluster.kubeletPaused = false
      onRequest = () => undefined
      await client.deleteCollection(core.pods, { namespace, gracePeriodSeconds: 0 })
      await eventually('all pods are gone', () => client.list(core.pods, { namespace }), ({ items }) => items.length === 0)
      await client.deleteCollection(core.nodes)
      await client.deleteCollection(core.events, { namespace })
    },
    createPod: (name, cpu, more = {}) => client.create(core.pods, { metadata: { name, namespace }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more } }),
    pod: (name) => client.get(core.pods, name, { namespace }),
    events: async (pod, reason) => (await client.list(core.events, { namespace, fieldSelector: `involvedObject.name=${pod},reason=${reason}` })).items,
    async stop() {
      await scheduler.stop()
      stopKubelet()
      stopping.abort()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
  return cluster
}

/** A transport on which requests can be held up or get lost. */
function intercepted(transport: Transport, onRequest: (request: string) => Promise<void> | undefined): Transport {
  return {
    async request(request) {
      await onRequest(`${request.method} ${request.path}`)
      return transport.request(request)
    },
    close: () => transport.close(),
  }
}

/** Starts pods that have a node and finishes their deletion. */
function runKubelet(client: KubeClient, informers: ReturnType<typeof createInformers>, isPaused: () => boolean): () => void {
  const pods = informers.for(core.pods)
  const act = async (pod: Pod): Promise<void> => {
    if (!pod.spec.nodeName) return
    if (pod.metadata.deletionTimestamp) {
      if (isPaused()) throw new Error('paused')
      await client.delete(core.pods, pod.metadata.name, { namespace, gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } })
    } else if ((pod.status?.phase ?? 'Pending') === 'Pending') {
      await client.patch(core.pods, pod.metadata.name, { type: 'strategic', body: { status: { phase: 'Running', startTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z') } } }, { namespace, subresource: 'status' })
    }
  }
  const look = (pod: Pod): void => {
    act(pod).catch((error: unknown) => {
      if (isNotFound(error) || isConflict(error)) return
      setTimeout(() => {
        const now = pods.store.get(keyOf(pod))
        if (now) look(now)
      }, 20)
    })
  }
  return pods.on({ added: look, updated: (_old, now) => look(now) })
}

/** Asks again until the answer is as wanted; fails with the last answer after fifteen seconds. */
export async function eventually<T>(what: string, ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + 15_000
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (Date.now() > end) throw new Error(`waited in vain until ${what}; last seen: ${JSON.stringify(answer, (key, value: unknown) => (key === "managedFields" ? undefined : value), 1)?.slice(0, 3000)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
