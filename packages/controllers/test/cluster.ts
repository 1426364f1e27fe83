import { startApiServer, type ApiServer, type ApiServerOptions } from '@berth/apiserver'
import { coordination, core } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { createClient, createInformers, isConflict, issueCertificate, isNotFound, keyOf, silentLogger, type Informers, type KubeClient, type RunningPart } from '@berth/kube'
import { requiredNodeAffinityMatches } from '@berth/pod-rules'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startControllers, type StartControllersOptions } from '../src/index.ts'

/** A real API server in memory, the controllers on it, and nodes whose kubelet is the few lines below. */
export interface TestCluster {
  readonly client: KubeClient
  readonly informers: Informers
  /** Pods of these names or prefixes are left alone by the kubelet: they never get ready. */
  readonly broken: Set<string>
  readonly server: ApiServer
  /** The path of an administrator's kubeconfig. */
  kubeconfig(): Promise<string>
  /** Ends the controllers in the middle of whatever they do, and starts them anew on informers of their own. */
  restartControllers(): Promise<void>
  addNode(name: string, labels?: Record<string, string>): Promise<Node>
  stop(): Promise<void>
}

export async function startCluster(options: Partial<StartControllersOptions> = {}, serverOptions: Partial<ApiServerOptions> = {}): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-controllers-'))
  const server = await startApiServer({ dataDir: directory, storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, logger: silentLogger(), ...serverOptions })
  await server.whenReady()
  const client = createClient(server.loopback, { fieldManager: 'test' })
  const stopping = new AbortController()
  const informers = createInformers(client)
  const managerClient = createClient(server.loopback, { fieldManager: 'kube-controller-manager' })
  const start = (shared: Informers): Promise<RunningPart> => startControllers({ client: managerClient, informers: shared, logger: silentLogger(), signal: stopping.signal, rootCa: server.certificates.servingCa, signingCa: server.certificates.authority, serviceAccountPrivateKey: server.certificates.serviceAccountSigningKey, clusterCidr: '10.244.0.0/16', ...options })
  let part = await start(createInformers(managerClient))
  const broken = new Set<string>()
  const stopKubelet = runKubelet(client, informers, broken)
  informers.start(stopping.signal)
  return {
    client, informers, broken, server,
    kubeconfig: () => writeKubeconfig(server, directory),
    async addNode(name, labels = {}) {
      await client.create(core.nodes, { metadata: { name, labels }, spec: {} })
      await client.create(coordination.leases, { metadata: { name, namespace: 'kube-node-lease' }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace('Z', '000Z') } })
      const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
      const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }]
      return client.patch(core.nodes, name, { type: 'strategic', body: { status: { conditions } } }, { subresource: 'status' })
    },
    async restartControllers() {
      await part.stop()
      part = await start(createInformers(managerClient))
    },
    async stop() {
      stopKubelet()
      await part.stop()
      stopping.abort()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Writes a kubeconfig of a member of system:masters; gives its path. */
export async function writeKubeconfig(server: ApiServer, directory: string): Promise<string> {
  const user = await issueCertificate(server.certificates.authority, { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const path = join(directory, 'config')
  await writeFile(path, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${server.port}`, 'certificate-authority-data': base64(server.certificates.servingCa) } }],
    users: [{ name: 'u', user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) } }],
  }))
  return path
}

/** Puts pods on a node, makes them ready, and finishes their deletion: what a scheduler and a kubelet would do, at once. */
function runKubelet(client: KubeClient, informers: Informers, broken: ReadonlySet<string>): () => void {
  const pods = informers.for(core.pods)
  const nodes = informers.for(core.nodes)
  let address = 1
  const act = async (pod: Pod): Promise<void> => {
    const { name, namespace } = pod.metadata
    if ([...broken].some((prefix) => name.startsWith(prefix))) return
    if (nodes.store.list().length === 0) return
    if (pod.metadata.deletionTimestamp !== undefined) {
      await client.delete(core.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } })
    } else if (pod.spec.nodeName === undefined) {
      const node = nodes.store.list().find((each) => requiredNodeAffinityMatches(pod, each))
      if (node === undefined) return
      await client.createSubresource(core.pods, name, 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target: { kind: 'Node', name: node.metadata.name } }, { namespace })
    } else if ((pod.status?.phase ?? 'Pending') === 'Pending') {
      const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
      address += 1
      const ip = `10.244.${address >> 8}.${address & 255}`
      await client.update(core.pods, { ...pod, status: { ...pod.status, phase: 'Running', startTime: now, podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }] } }, { subresource: 'status' })
    }
  }
  const look = (pod: Pod): void => {
    act(pod).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) setTimeout(() => {
        const now = pods.store.get(keyOf(pod))
        if (now !== undefined) look(now)
      }, 50)
    })
  }
  const off = [pods.on({ added: look, updated: (_old, now) => look(now) }), nodes.on({ added: () => { for (const pod of pods.store.list()) look(pod) } })]
  return () => { for (const remove of off) remove() }
}

/** Asks again until the answer is as wanted; fails with the last answer after fifteen seconds. */
export async function eventually<T>(what: string, ask: () => Promise<T> | T, wanted: (answer: T) => boolean): Promise<T> {
  const start = Date.now()
  for (;;) {
    let answer: T | undefined
    let error: unknown
    try {
      answer = await ask()
      if (wanted(answer)) return answer
    } catch (caught) {
      error = caught
    }
    if (Date.now() - start > 15_000) throw new Error(`waited in vain until ${what}; last seen: ${JSON.stringify(answer, null, 1)?.slice(0, 3000)}`, { cause: error })
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
