// A stock kwok on the parts of the control plane, each a process of its own: it plays ten nodes, on which everything happens but containers.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Deployment } from '@berth/api/types/apps/v1'
import type { Job } from '@berth/api/types/batch/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main, output } from './support/run.ts'

const kwok = [process.env['KUBEBUILDER_ASSETS'] ?? '', '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')].map((place) => path.join(place, 'kwok')).find((file) => fs.existsSync(file))
const missing = kwok === undefined ? 'there is no kwok' : spawnSync('kubectl', ['version', '--client']).status !== 0 ? 'kubectl is not installed' : undefined
if (missing) console.log(`skipped: ${missing}`)

const freePort = (): Promise<number> => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resolve(port))
  })
})
const patience = { timeout: 150_000, interval: 300 }

describe.skipIf(missing)('a stock kwok (needs kwok, kubectl)', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-kwok-'))
  const kubeconfig = path.join(folder, 'kubeconfig')
  const children: ChildProcess[] = []
  const berth = [process.execPath, '--disable-warning=ExperimentalWarning', main]
  /** What the API server and kwok have printed. */
  let server = (): string => ''
  let said = (): string => ''
  const start = (argv: readonly string[]): (() => string) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: folder } })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
    children.push(child)
    return () => text
  }
  const kubectl = (args: string, input?: string): Promise<string> => output(['kubectl', ...args.split(' ')], { env: { KUBECONFIG: kubeconfig }, ...(input === undefined ? {} : { input }) })
  const get = async <T>(what: string): Promise<T> => JSON.parse(await kubectl(`get ${what} -o json`)) as T
  const pods = async (labels: string): Promise<Pod[]> => (await get<{ items: Pod[] }>(`pods -l ${labels}`)).items

  beforeAll(async () => {
    const port = await freePort()
    fs.writeFileSync(path.join(folder, 'tokens.csv'), 'admin-token,admin,1,"system:masters"\n')
    fs.writeFileSync(kubeconfig, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token: 'admin-token' } }],
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    }))
    server = start([...berth, 'apiserver', '--data-dir', path.join(folder, 'data'), '--secure-port', String(port), '--bind-address', '127.0.0.1', '--token-auth-file', path.join(folder, 'tokens.csv')])
  })
  afterAll(async () => {
    await Promise.all(children.map((child) => new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.kill()
    })))
    fs.rmSync(folder, { recursive: true, force: true })
  })

  test('its nodes become Ready and stay so by their leases', async () => {
    await expect.poll(() => kubectl('get --raw /readyz').catch((error: unknown) => `${String(error)}\n${server()}`), patience).toBe('ok')
    for (const name of ['controllers', 'scheduler']) start([...berth, name, '--kubeconfig', kubeconfig, '--secure-port', '0', '--leader-elect=false'])
    said = start([kwok ?? '', '--kubeconfig', kubeconfig, '--manage-nodes-with-label-selector', 'type=kwok', '--node-lease-duration-seconds', '40', '--config', path.join(import.meta.dirname, 'support/kwok-stages.yaml')])
    const nodes = Array.from({ length: 10 }, (_, i) => JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: `kwok-${i}`, labels: { type: 'kwok' } } }))
    await kubectl('create -f -', nodes.join('\n'))
    await expect.poll(async () => (await get<{ items: Node[] }>('nodes')).items.filter((node) => node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')).length, patience).toBe(10)
    await expect.poll(async () => (await kubectl('get leases -n kube-node-lease -o name')).match(/lease\.coordination\.k8s\.io\/kwok-\d\n/g)?.length, patience).toBe(10)
    await expect.poll(async () => (await get<{ items: Node[] }>('nodes')).items.flatMap((node) => node.spec.taints ?? []), patience).toEqual([])
  })

  test('a Deployment of 200 runs on all of them, and its Service has them all', async () => {
    await expect.poll(() => kubectl('get serviceaccount default -o name').catch(String), patience).toBe('serviceaccount/default\n')
    await kubectl('create deployment web --image=web --port=80 --replicas=2')
    await kubectl('expose deployment web --port=80')
    await kubectl('rollout status deployment/web --timeout=100s')
    await kubectl('scale deployment web --replicas=200')
    await expect.poll(async () => (await get<Deployment>('deployment web')).status?.readyReplicas, patience).toBe(200)
    const placed = await pods('app=web')
    expect(new Set(placed.map((pod) => pod.spec.nodeName)).size).toBe(10)
    expect(new Set(placed.map((pod) => pod.status?.podIP)).size).toBe(200)
    await expect.poll(async () => (await get<{ items: EndpointSlice[] }>('endpointslices -l kubernetes.io/service-name=web')).items.flatMap((slice) => (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready)).length, patience).toBe(200)
  })

  test('a Job\'s pods end, and it with them', async () => {
    await kubectl('create -f -', JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'five' }, spec: { completions: 5, parallelism: 3, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } }))
    await kubectl('wait --for=condition=Complete job/five --timeout=120s')
    expect((await get<Job>('job five')).status).toMatchObject({ succeeded: 5 })
  })

  test('pods that are deleted go, and a drained node is empty', async () => {
    await kubectl('drain kwok-0 --ignore-daemonsets --force --timeout=120s')
    expect((await pods('app=web')).filter((pod) => pod.spec.nodeName === 'kwok-0' && pod.metadata.deletionTimestamp === undefined)).toEqual([])
    await kubectl('delete deployment web --timeout=60s')
    await expect.poll(() => pods('app=web'), patience).toEqual([])
    expect(said()).not.toMatch(/"level":"ERROR"/)
  })
})
