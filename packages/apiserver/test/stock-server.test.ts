// A stock kube-apiserver and ours on one etcd: each reads what the other wrote, and may take over from it.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '@berth/kube'
import { startApiServer } from '../src/index.ts'
import type { ApiServer } from '../src/index.ts'
import { etcdMissing, freePort, startEtcd } from './support/etcd.ts'
import type { RunningEtcd } from './support/etcd.ts'
import { configMap, sender, temporary } from './support/harness.ts'
import type { Json, Send } from './support/harness.ts'
import { watching } from './support/watching.ts'

const assets = process.env['KUBEBUILDER_ASSETS'] ?? '/usr/local/kubebuilder/bin'
const binary = process.env['BERTH_KUBE_APISERVER'] ?? (existsSync(join(assets, 'kube-apiserver')) ? join(assets, 'kube-apiserver') : 'kube-apiserver')
const missing = etcdMissing ?? (spawnSync(binary, ['--version']).status === 0 ? undefined : 'no stock kube-apiserver is installed (BERTH_KUBE_APISERVER, KUBEBUILDER_ASSETS)')
if (missing !== undefined) console.log(`skipped: ${missing}`)

const namespace = '/api/v1/namespaces/default'
const crd = (plural: string, kind: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.example.com` },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural, kind },
    versions: [{
      name: 'v1', served: true, storage: true, subresources: { status: {} }, additionalPrinterColumns: [{ name: 'Tons', type: 'integer', jsonPath: '.spec.tons' }],
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { tons: { type: 'integer' } } } } } },
    }],
  },
})
const pod = (name: string) => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'busybox', env: [{ name: 'A', value: 'ä' }], resources: { requests: { cpu: '100m', memory: '1Gi' } }, livenessProbe: { httpGet: { path: '/', port: 'http' } } }], automountServiceAccountToken: false },
})
const deployment = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } } } })
const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ port: 80 }] } })

/** Resolves once a path is answered with 200. */
async function answers(send: Send, path: string): Promise<void> {
  for (const deadline = Date.now() + 150_000; ;) {
    const status = await send('GET', path).then((answer) => answer.status, () => 0)
    if (status === 200) return
    if (Date.now() > deadline) throw new Error(`${path} is not answered: ${status}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** What each side writes, under names of its own. */
async function writeAll(send: Send, who: string): Promise<void> {
  const made = async (path: string, object: unknown): Promise<void> => {
    const answer = await send('POST', path, object)
    expect([path, answer.status, answer.status === 201 ? '' : answer.text]).toEqual([path, 201, ''])
  }
  await made(`${namespace}/configmaps`, configMap(`${who}-map`, { who, umlaut: 'ä' }))
  await made(`${namespace}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${who}-secret` }, stringData: { key: who } })
  await made(`${namespace}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: who } })
  await made(`${namespace}/pods`, { ...pod(`${who}-pod`), spec: { ...pod('').spec, serviceAccountName: who } })
  await made(`${namespace}/services`, service(`${who}-service`))
  await made(`${namespace}/events`, { apiVersion: 'v1', kind: 'Event', metadata: { name: `${who}-event` }, involvedObject: { kind: 'Node', name: 'n' }, reason: 'Seen', message: who, type: 'Normal', source: { component: 'test' } })
  await made('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: `${who}-node` } })
  await made('/apis/apps/v1/namespaces/default/deployments', deployment(`${who}-deployment`))
  await made('/apis/networking.k8s.io/v1/namespaces/default/ingresses', { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: `${who}-ingress` }, spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } })
  await made('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: `${who}-hpa` }, spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, minReplicas: 1, maxReplicas: 3 } })
  await made('/apis/coordination.k8s.io/v1/namespaces/default/leases', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: `${who}-lease` }, spec: { holderIdentity: who, leaseDurationSeconds: 15, renewTime: '2026-11-21T10:00:00.123456Z' } })
  await made('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd(`${who}boats`, `${who[0]?.toUpperCase() ?? ''}${who.slice(1)}boat`))
  await answers(send, `/apis/example.com/v1/${who}boats`)
  await made(`/apis/example.com/v1/namespaces/default/${who}boats`, { apiVersion: 'example.com/v1', kind: `${who[0]?.toUpperCase() ?? ''}${who.slice(1)}boat`, metadata: { name: 'sloop' }, spec: { tons: 3 } })
}

const lists = (who: string): string[] => [
  `${namespace}/configmaps/${who}-map`, `${namespace}/secrets/${who}-secret`, `${namespace}/serviceaccounts/${who}`, `${namespace}/pods/${who}-pod`, `${namespace}/services/${who}-service`,
  `${namespace}/events/${who}-event`, `/api/v1/nodes/${who}-node`, `/apis/apps/v1/namespaces/default/deployments/${who}-deployment`, `/apis/networking.k8s.io/v1/namespaces/default/ingresses/${who}-ingress`,
  `/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/${who}-hpa`, `/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/${who}-hpa`,
  `/apis/coordination.k8s.io/v1/namespaces/default/leases/${who}-lease`, `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${who}boats.example.com`, `/apis/example.com/v1/namespaces/default/${who}boats/sloop`,
  '/api/v1/namespaces/kube-system', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin', `${namespace}/services/kubernetes`, '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes',
]

/** The same answers to both, field for field. */
async function expectSameAnswers(ours: Send, stock: Send, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const [a, b] = await Promise.all([ours('GET', path), stock('GET', path)])
    expect([path, a.status, a.body]).toEqual([path, 200, b.body])
  }
}

describe.skipIf(missing !== undefined)('a stock kube-apiserver and ours on one etcd', () => {
  let etcd: RunningEtcd
  let directory: Awaited<ReturnType<typeof temporary>>
  let server: ApiServer
  let child: ChildProcess | undefined
  let stockPort = 0
  let ours: Send
  let stock: Send
  const pki = (name: string): string => join(directory.path, 'pki', name)

  beforeAll(async () => {
    etcd = await startEtcd()
    directory = await temporary()
    server = await startApiServer({
      dataDir: join(directory.path, 'data'), certDir: join(directory.path, 'pki'), storage: 'etcd3', etcd: { servers: [etcd.server] }, securePort: 0, bindAddress: '127.0.0.1',
      tokenAuthFile: directory.tokenFile, serviceClusterIpRange: '10.96.0.0/16', logger: silentLogger(),
    })
    await server.whenReady()
    ours = sender(server.port)
    await writeAll(ours, 'ours')
    stockPort = await freePort()
    child = spawn(binary, [
      `--etcd-servers=${etcd.server}`, `--secure-port=${stockPort}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--cert-dir=${join(directory.path, 'stock')}`, `--token-auth-file=${directory.tokenFile}`,
      '--authorization-mode=Node,RBAC', '--service-cluster-ip-range=10.96.0.0/16', '--service-account-issuer=https://kubernetes.default.svc.cluster.local', `--service-account-key-file=${pki('sa.pub')}`,
      `--service-account-signing-key-file=${pki('sa.key')}`, '--endpoint-reconciler-type=none',
    ], { stdio: 'ignore' })
    stock = sender(stockPort)
    await answers(stock, '/readyz')
  })
  afterAll(async () => {
    if (child && child.exitCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    await server?.stop()
    await etcd?.stop()
    await directory?.remove()
  })

  it('the stock one serves what ours wrote', async () => {
    await expectSameAnswers(ours, stock, lists('ours'))
  })

  it('ours serves what the stock one writes', async () => {
    await writeAll(stock, 'stock')
    await expectSameAnswers(ours, stock, lists('stock'))
  })

  it('every object of every kind that both serve is the same to both', async () => {
    const groups = await Promise.all([ours, stock].map(async (send) => {
      const gvs = ['/api/v1', ...((await send('GET', '/apis')).body['groups'] as unknown as { versions: { groupVersion: string }[] }[]).flatMap((group) => group.versions.map((v) => `/apis/${v.groupVersion}`))]
      const found = await Promise.all(gvs.map(async (gv) => ((await send('GET', gv)).body['resources'] as unknown as { name: string, verbs: string[] }[]).filter((r) => r.verbs.includes('list')).map((r) => `${gv}/${r.name}`)))
      return new Set(found.flat())
    }))
    const shared = [...groups[0] ?? []].filter((path) => groups[1]?.has(path) && !/events$|leases$|componentstatuses$/.test(path))
    expect(shared.length).toBeGreaterThan(50)
    const differences: string[] = []
    for (const path of shared) {
      const [a, b] = await Promise.all([ours('GET', path), stock('GET', path)])
      const items = (body: Json): Map<string, string> => new Map((body['items'] as unknown as { metadata: { name: string, namespace?: string } }[]).map((item) => [`${item.metadata.namespace ?? ''}/${item.metadata.name}`, sortedText(item)]))
      const [mine, theirs] = [items(a.body), items(b.body)]
      for (const name of new Set([...mine.keys(), ...theirs.keys()])) if (mine.get(name) !== theirs.get(name)) differences.push(`${path} ${name}\n  ours  ${mine.get(name)}\n  stock ${theirs.get(name)}`)
    }
    expect(differences).toEqual([])
  })

  it('they change the same objects by compare-and-swap, and each tells its watchers of the other\'s writes', async () => {
    const path = `${namespace}/configmaps`
    const from = (await stock('GET', path)).body['metadata']?.['resourceVersion']
    const watches = await Promise.all([server.port, stockPort].map((port) => watching(port, `${path}?watch=true&resourceVersion=${from}`)))
    for (let n = 0; n < 10; n++) {
      const [first, second] = n % 2 === 0 ? [ours, stock] : [stock, ours]
      const { body } = await first('GET', `${path}/ours-map`)
      const put = await first('PUT', `${path}/ours-map`, { ...(body as object), data: { n: String(n) } })
      const stale = await second('PUT', `${path}/ours-map`, { ...(body as object), data: { n: 'stale' } })
      expect([put.status, stale.status]).toEqual([200, 409])
    }
    await Promise.all(watches.map((watch) => watch.until((events) => events.length >= 10)))
    const [a, b] = watches.map((watch) => watch.events.map(({ type, object }) => `${type} ${object.metadata.resourceVersion} ${object.data?.['n']}`))
    expect(a).toEqual(b)
    for (const watch of watches) watch.stop()
  })

  it('they give no cluster IP and no node port twice', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? ours : stock)('POST', `${namespace}/services`, service(`many-${i}`))))
    expect(made.map((m) => m.status)).toEqual(made.map(() => 201))
    const specs = made.map((m) => m.body['spec'] as unknown as { clusterIP: string, ports: { nodePort: number }[] })
    expect([new Set(specs.map((s) => s.clusterIP)).size, new Set(specs.flatMap((s) => s.ports.map((p) => p.nodePort))).size]).toEqual([40, 40])
    const gone = await Promise.all(made.map((m, i) => (i % 4 < 2 ? ours : stock)('DELETE', `${namespace}/services/${m.body['metadata']?.['name']}`)))
    expect(gone.map((g) => g.status)).toEqual(gone.map(() => 200))
  })
})

/** JSON with the keys in order. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (v !== null && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v))
}
