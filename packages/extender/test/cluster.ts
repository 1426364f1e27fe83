import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { core, rbac } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { PolicyRule } from '@berth/api/types/rbac/v1'
import { startApiServer, type ApiServer } from '@berth/apiserver'
import { createClient, parseYaml, silentLogger, type KubeClient, type Transport } from '@berth/kube'
import { extenderConfigOf, startExtender, type RunningExtender } from '../src/index.ts'

export type ConfigFile = Parameters<typeof extenderConfigOf>[0]

/** A real API server in memory, with nodes that nobody runs. */
export interface TestCluster {
  readonly server: ApiServer
  readonly client: KubeClient
  readonly directory: string
  addNode(name: string, more?: { labels?: Record<string, string>; annotations?: Record<string, string>; allocatable?: Record<string, string> }): Promise<Node>
  addPod(name: string, more?: { node?: string; cpu?: string; labels?: Record<string, string>; annotations?: Record<string, string>; spec?: Partial<Pod['spec']> }): Promise<Pod>
  pod(name: string): Promise<Pod>
  /** Removes all pods and nodes. */
  clear(): Promise<void>
  /** Starts an extender that knows the cluster; on loopback, where the file does not say otherwise. */
  extender(config: ConfigFile, wrap?: (client: KubeClient) => KubeClient): Promise<RunningExtender>
  stop(): Promise<void>
}

const namespace = 'default'

export async function startCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-extender-'))
  const server = await startApiServer({ dataDir: join(directory, 'data'), storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, logger: silentLogger() })
  await server.whenReady()
  const client = createClient(server.loopback, { fieldManager: 'test' })
  await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace } })
  // It has the rights that the chart gives it, where it binds and looks at load, and no others: nothing that it asks may be forbidden.
  const rules = await parseYaml(await readFile(new URL('../../../charts/berth/files/extender-rules.yaml', import.meta.url), 'utf8')) as PolicyRule[]
  rules.push({ apiGroups: [''], resources: ['pods/binding'], verbs: ['create'] }, { apiGroups: ['metrics.k8s.io'], resources: ['nodes'], verbs: ['list'] })
  await client.create(rbac.clusterroles, { metadata: { name: 'berth-extender' }, rules })
  await client.create(rbac.clusterrolebindings, { metadata: { name: 'berth-extender' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'berth-extender' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'berth-extender' }] })
  const forbidden: string[] = []
  const own = server.clientFor({ name: 'berth-extender', groups: ['system:authenticated'] })
  const watched: Transport = {
    async request(request) {
      const answer = await own.request(request)
      if (answer.status === 403) forbidden.push(`${request.method} ${request.path}`)
      return answer
    },
    close: () => own.close(),
  }
  const running: RunningExtender[] = []
  return {
    server, client, directory,
    async addNode(name, { labels = {}, annotations = {}, allocatable = {} } = {}) {
      await client.create(core.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels }, annotations }, spec: {} })
      const status = { cpu: '4', memory: '8Gi', pods: '110', ...allocatable }
      await client.patch(core.nodes, name, { type: 'merge', body: { status: { capacity: status, allocatable: status } } }, { subresource: 'status' })
      // Nodes come with the taint not-ready; nobody else would take it away here.
      return client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: null } } })
    },
    addPod: (name, { node, cpu = '100m', labels = {}, annotations = {}, spec = {} } = {}) => client.create(core.pods, {
      metadata: { name, namespace, labels, annotations },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...(node ? { nodeName: node } : {}), ...spec },
    }),
    pod: (name) => client.get(core.pods, name, { namespace }),
    async clear() {
      for (const each of running.splice(0)) await each.stop()
      await client.deleteCollection(core.pods, { namespace, gracePeriodSeconds: 0 })
      await client.deleteCollection(core.nodes)
      await eventually('all pods are gone', () => client.list(core.pods, { namespace }), ({ items }) => items.length === 0)
    },
    async extender(file, wrap = (own) => own) {
      const started = await startExtender({ client: wrap(createClient(watched)), config: extenderConfigOf({ serving: { address: '127.0.0.1', port: 0 }, ...file }), logger: silentLogger() })
      running.push(started)
      await started.whenSynced()
      return started
    },
    async stop() {
      for (const each of running) await each.stop()
      if (forbidden.length > 0) throw new Error(`the chart's role does not give the extender: ${forbidden.join(', ')}`)
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export interface Reply { readonly status: number; readonly text: string; readonly json: Record<string, unknown>; readonly headers: Record<string, string | string[] | undefined> }

/** Posts a verb's arguments as a scheduler does. */
export function ask(port: number, path: string, body: unknown, options: RequestOptions & { ca?: string; cert?: string; key?: string; method?: string } = {}): Promise<Reply> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const send = options.ca === undefined ? httpRequest : httpsRequest
    const request = send({ host: '127.0.0.1', port, path, method: 'POST', agent: false, ...options, headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...options.headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        let json: unknown
        try {
          json = JSON.parse(text)
        } catch {
          json = {}
        }
        resolve({ status: response.statusCode ?? 0, text, json: json as Record<string, unknown>, headers: response.headers })
      })
    })
    request.on('error', reject)
    request.end(options.method === 'GET' ? undefined : bytes)
  })
}

/** Asks again until the answer is as wanted; fails with the last answer after fifteen seconds. */
export async function eventually<T>(what: string, ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + 15_000
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (Date.now() > end) throw new Error(`waited in vain until ${what}; last seen: ${JSON.stringify(answer, null, 1)?.slice(0, 3000)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
