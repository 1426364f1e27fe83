import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { core, scheduling } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { createClient, createInformers, isAlreadyExists, transportFromKubeconfig, type Informer, type KubeClient } from '@berth/kube'
import type { Program } from '../../program.ts'
import { startApiServer } from './processes.ts'

const writers = 16

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Does something for each index, some at a time. */
async function forEach(count: number, act: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: writers }, async () => {
    while (next < count) await act(next++)
  }))
}

/** An API server with hollow nodes, and a count of the pods that have one. */
export class BenchCluster {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-bench-'))
  readonly kubeconfig = path.join(this.directory, 'kubeconfig')
  readonly #server: Program
  readonly #abort = new AbortController()
  readonly #client: KubeClient
  #pods: Informer<Pod> | undefined
  readonly #bound = new Set<string>()

  private constructor(port: number) {
    fs.writeFileSync(this.kubeconfig, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'bench' } }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }))
    this.#server = startApiServer(this.directory, port)
    this.#client = createClient(transportFromKubeconfig(this.kubeconfig), { userAgent: 'berth-bench' })
  }

  static async start(): Promise<BenchCluster> {
    const cluster = new BenchCluster(await freePort())
    for (const end = Date.now() + 30_000; ;) {
      try {
        const { status } = await cluster.#client.raw({ method: 'GET', path: '/readyz' })
        if (status === 200) break
      } catch {
        // Not yet.
      }
      if (Date.now() > end || !cluster.#server.isRunning) throw new Error(`the API server is not ready: ${fs.readFileSync(path.join(cluster.directory, 'apiserver.log'), 'utf8').slice(-2000)}`)
      await new Promise((resolve) => { setTimeout(resolve, 50) })
    }
    for (const namespace of ['sched-0', 'sched-1', 'warm']) {
      await cluster.#client.create(core.namespaces, { metadata: { name: namespace }, spec: {} })
      await cluster.#client.create(core.serviceaccounts, { metadata: { name: 'default', namespace } })
    }
    await cluster.#client.create(scheduling.priorityclasses, { metadata: { name: 'high' }, value: 10 })
    const informers = createInformers(cluster.#client)
    cluster.#pods = informers.for(core.pods, { namespace: 'sched-1', project: ({ metadata, spec }) => ({ metadata: { name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) }, spec: { containers: [], ...(spec.nodeName ? { nodeName: spec.nodeName } : {}) } }) })
    const look = ({ metadata: { name }, spec: { nodeName } }: Pod): void => {
      if (nodeName) cluster.#bound.add(name)
    }
    cluster.#pods.on({ added: look, updated: (_, pod) => look(pod), deleted: ({ metadata: { name } }) => cluster.#bound.delete(name) })
    informers.start(cluster.#abort.signal)
    await informers.whenSynced()
    return cluster
  }

  async addNodes(count: number, make: (i: number) => Node): Promise<void> {
    await forEach(count, async (i) => {
      const { status, ...node } = make(i)
      const { name } = node.metadata
      await this.#client.create(core.nodes, { ...node, spec: {} })
      await this.#client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: null } } })
      await this.#client.patch(core.nodes, name, { type: 'merge', body: { status: { ...status, capacity: status?.allocatable } } }, { subresource: 'status' })
    })
  }

  /** Creates pods as they are given, some at a time. */
  async createPods(count: number, make: (i: number) => Pod): Promise<void> {
    await forEach(count, async (i) => {
      const pod = make(i)
      const { priority, ...spec } = pod.spec
      try {
        await this.#client.create(core.pods, { ...pod, spec: { ...spec, terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, ...(priority === undefined ? {} : { priorityClassName: 'high' }) } })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
    })
  }

  /** How many of the measured pods have a node. */
  bound(): number {
    return this.#bound.size
  }

  /** Waits until so many pods have a node. */
  async whenBound(count: number, limitSeconds: number): Promise<void> {
    for (const end = Date.now() + limitSeconds * 1000; this.bound() < count;) {
      if (Date.now() > end) throw new Error(`${this.bound()} of ${count} pods have a node after ${limitSeconds} s`)
      await new Promise((resolve) => { setTimeout(resolve, 20) })
    }
  }

  /** Waits until one pod, which a scheduler has to place first, has a node. */
  async warmUp(pod: Pod): Promise<void> {
    await this.#client.create(core.pods, pod)
    const { name, namespace } = { namespace: '', ...pod.metadata }
    for (const end = Date.now() + 120_000; !(await this.#client.get(core.pods, name, { namespace })).spec.nodeName;) {
      if (Date.now() > end) throw new Error('the scheduler places nothing')
      await new Promise((resolve) => { setTimeout(resolve, 50) })
    }
    await this.#client.delete(core.pods, name, { namespace, gracePeriodSeconds: 0 })
  }

  /** Removes the measured pods. */
  async removePods(): Promise<void> {
    await this.#client.deleteCollection(core.pods, { namespace: 'sched-1', gracePeriodSeconds: 0 })
    while ((this.#pods?.store.list().length ?? 0) > 0) await new Promise((resolve) => { setTimeout(resolve, 50) })
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#server.stop()
    fs.rmSync(this.directory, { recursive: true, force: true })
  }
}
