import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { apps, core, rbac, scheduling } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { PolicyRule } from '@berth/api/types/rbac/v1'
import { kubeconfig, startApiServer, type ApiServer } from '@berth/apiserver'
import { createClient, issueCertificate, silentLogger, type KubeClient } from '@berth/kube'
import { berth as run, main } from './support/run.ts'

let directory = ''
let server: ApiServer
let client: KubeClient
let scheduler: ChildProcess
const files: Record<string, string> = {}

/** A kubeconfig for somebody with a client certificate of the cluster. */
async function userFile(name: string, ...organizations: string[]): Promise<string> {
  const { authority } = server.certificates
  const issued = await issueCertificate(authority, { commonName: name, organizations, usages: ['client'], days: 1 })
  const file = path.join(directory, `${name.replaceAll(':', '-')}.kubeconfig`)
  await writeFile(file, kubeconfig({ server: `https://127.0.0.1:${server.port}`, ca: authority.certificate, user: name, client: issued }))
  return file
}

const berth = (user: string, ...args: string[]): ReturnType<typeof run> => run([...args, '--kubeconfig', files[user] ?? '', '--data-dir', path.join(directory, 'none')])
const ask = async <T>(...args: string[]): Promise<T> => {
  const { code, stdout, stderr } = await berth('admin', ...args, '-o', 'json')
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T
}
const pod = (name: string, cpu: string, more: Partial<Pod['spec']> = {}): Pod => ({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more } })
const seen = (name: string, is: (now: Pod) => boolean): Promise<void> => vi.waitFor(async () => {
  if (!is(await client.get(core.pods, name, { namespace: 'default' }))) throw new Error(`${name} is not there yet`)
}, { timeout: 20_000, interval: 100 })

describe('questions about placements, asked on the command line', () => {
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'berth-explain-'))
    server = await startApiServer({ dataDir: path.join(directory, 'api'), storage: 'memory', bindAddress: '127.0.0.1', securePort: 0, logger: silentLogger() })
    await server.whenReady()
    client = createClient(server.loopback)
    for (const [user, ...groups] of [['admin', 'system:masters'], ['system:kube-scheduler'], ['reader'], ['viewer']] as const) files[user] = await userFile(user, ...groups)
    await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'default' } })
    await client.create(scheduling.priorityclasses, { metadata: { name: 'high' }, value: 1000 })
    for (const name of ['n1', 'n2']) {
      await client.create(core.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {} })
      await client.patch(core.nodes, name, { type: 'merge', body: { status: { capacity: { pods: '10', cpu: '2', memory: '4Gi' }, allocatable: { pods: '10', cpu: '2', memory: '4Gi' } } } }, { subresource: 'status' })
      await client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: null } } })
    }
    scheduler = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'scheduler', '--kubeconfig', files['system:kube-scheduler'] ?? '', '--bind-address', '127.0.0.1', '--secure-port', String(20_000 + (process.pid % 20_000))], { stdio: 'ignore' })
    await client.create(core.pods, pod('a', '1500m'))
    await seen('a', ({ spec }) => spec.nodeName !== undefined)
    await client.create(core.pods, pod('b', '1200m'))
    await seen('b', ({ spec }) => spec.nodeName !== undefined)
    await client.create(core.pods, pod('waits', '1'))
    await seen('waits', ({ status }) => status?.conditions?.some(({ type, message }) => type === 'PodScheduled' && message?.includes('Insufficient cpu')) === true)
  }, 60_000)
  afterAll(async () => {
    const ended = new Promise((resolve) => { scheduler.once('exit', resolve) })
    scheduler.kill()
    await ended
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test('why: what was kept of the decision, with the runners-up', async () => {
    const answer = await ask<{ node: string; decision: { node: string; feasible: number; best: { node: string; byPlugin: object }[] } }>('why', 'a')
    expect(answer.decision).toMatchObject({ node: answer.node, feasible: 2 })
    expect(answer.decision.best.map(({ node }) => node).sort()).toEqual(['n1', 'n2'])
    expect(Object.keys(answer.decision.best[0]?.byPlugin ?? {})).toContain('NodeResourcesFit')
  })
  test('why, of a pod that waits: the reasons, the nearest nodes and what would help, for people to read', async () => {
    const { stdout, code } = await berth('admin', 'why', 'waits')
    expect(code).toBe(0)
    expect(stdout).toMatch(/default\/waits waits for a node/)
    expect(stdout).toMatch(/2 +Insufficient cpu +NodeResourcesFit +n1, n2/)
    expect(stdout).toMatch(/n\d lacks \d+m cpu; evicting default\/[ab] would do/)
    expect(stdout).toContain('a pod leaves a node')
  })
  test('why not: every filter\'s word on one node', async () => {
    const { node } = await ask<{ node: string }>('why', 'a')
    const other = node === 'n1' ? 'n2' : 'n1'
    expect(await ask('why-not', 'a', '--node', other)).toMatchObject({ runsOn: node, fits: false, lacks: ['700m cpu'] })
  })
  test('what if: replicas of a manifest, new nodes, and nothing in the cluster is touched', async () => {
    const file = path.join(directory, 'web.yaml')
    await writeFile(file, JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { priorityClassName: 'high', containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] } } } }))
    const alone = await ask<{ placements: { pod: string; preempts?: string[] }[]; preempted: unknown[] }>('what-if', '-f', file)
    expect(alone.placements.map(({ pod: name, preempts }) => [name, preempts?.length])).toEqual([['default/web-1', 1], ['default/web-2', undefined]])
    const grown = await ask<{ placements: { pod: string; node: string }[] }>('what-if', '-f', file, '--replicas', '1', '--add-nodes', '1', '--like', 'n1')
    expect(grown.placements).toMatchObject([{ pod: 'default/web-1', node: 'n1-whatif-1' }, { pod: 'default/waits', node: 'n1-whatif-1' }])
    expect((await client.list(core.pods, { namespace: 'default' })).items).toHaveLength(3)
    expect((await client.list(apps.deployments, { namespace: 'default' })).items).toEqual([])
  })
  test('only those may ask who may read the path; the answer of another is a refusal', async () => {
    const allow = async (name: string, users: string[], rules: PolicyRule[]): Promise<void> => {
      await client.create(rbac.clusterroles, { metadata: { name }, rules })
      await client.create(rbac.clusterrolebindings, { metadata: { name }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }, subjects: users.map((user) => ({ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' })) })
    }
    await allow('leases', ['reader', 'viewer'], [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] }])
    await allow('explain', ['viewer'], [{ nonResourceURLs: ['/explain/*'], verbs: ['post'] }])
    expect(await berth('reader', 'why', 'a')).toMatchObject({ code: 1, stderr: expect.stringContaining('forbidden: User "reader" cannot post path "/explain/why"') })
    expect(await berth('viewer', 'why', 'a')).toMatchObject({ code: 0 })
  })
  test('offline: the same without a scheduler to ask, by lists alone; without the right to list, the kind is named', async () => {
    expect(await ask('why', 'waits', '--offline')).toMatchObject({ state: 'Pending', now: { feasible: 0, groups: [{ reason: 'Insufficient cpu', count: 2 }] } })
    expect(await berth('reader', 'why', 'waits', '--offline')).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot list resource "pods"') })
  })
  test.each([
    [['why', 'nobody'], 'pod "default/nobody" is not there, or has ended'],
    [['why-not', 'a', '--node', 'n9'], 'node "n9" is not there'],
    [['what-if'], 'what if what? Give at least one of'],
    [['what-if', '--add-nodes', '2'], '--add-nodes and --like go together'],
    [['why', 'a', '--lease', 'kube-system/nobody'], 'there is no Lease kube-system/nobody'],
  ])('a question without an answer says why: %o', async (args, message) => {
    expect(await berth('admin', ...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
  })
})
