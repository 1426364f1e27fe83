// The whole command against a real API server over TLS: election, the decision thread, the server on its port.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { request } from 'node:https'
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coordination, core, rbac } from '@berth/api'
import { createClient, parseYaml, type KubeClient } from '@berth/kube'
import { command } from '../src/index.ts'
import { eventually } from './cluster.ts'
import { startListeningServer, type ListeningServer } from './differential/stock-scheduler.ts'

let server: ListeningServer
let client: KubeClient
let port: number
let stderr = ''
const stop = new AbortController()
let exit: Promise<number>

async function freePort(): Promise<number> {
  const listener = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => { listener.once('listening', resolve) })
  const { port: free } = listener.address() as net.AddressInfo
  await new Promise((resolve) => { listener.close(resolve) })
  return free
}

function run(argv: string[], signal: AbortSignal): Promise<number> {
  return command.execute(argv, { signal, stdout: { write: () => true }, stderr: { write: (text) => { stderr += String(text) } } })
}

/** What the scheduler's own server answers. */
function ask(pathname: string, token?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: pathname, rejectUnauthorized: false, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { body += chunk }).on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.on('error', reject).end()
  })
}

beforeAll(async () => {
  server = await startListeningServer()
  client = createClient(server.server.loopback, { fieldManager: 'test' })
  await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'default' } })
  port = await freePort()
  exit = run(['--kubeconfig', server.kubeconfig, '--bind-address', '127.0.0.1', '--secure-port', String(port), '--leader-elect-retry-period', '100ms', '--feature-gates', 'AllBeta=true,SchedulerAsyncAPICalls=false'], stop.signal)
  await eventually('the scheduler leads', () => client.get(coordination.leases, 'kube-scheduler', { namespace: 'kube-system' }).catch(() => undefined), (lease) => Boolean(lease?.spec?.holderIdentity))
})

afterAll(async () => {
  stop.abort()
  await exit
  await server.stop()
})

test('pods are placed by the decision thread', async () => {
  await client.create(core.nodes, { metadata: { name: 'n', labels: { 'kubernetes.io/hostname': 'n' } }, spec: {} })
  await client.patch(core.nodes, 'n', { type: 'merge', body: { status: { capacity: { pods: '110', cpu: '8', memory: '8Gi' }, allocatable: { pods: '110', cpu: '8', memory: '8Gi' } } } }, { subresource: 'status' })
  await client.patch(core.nodes, 'n', { type: 'merge', body: { spec: { taints: null } } })
  const names = Array.from({ length: 20 }, (_, i) => `p${i}`)
  await Promise.all(names.map((name) => client.create(core.pods, { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' }, limits: { memory: '64Mi' } } }] } })))
  await eventually('all are placed', async () => (await client.list(core.pods, { namespace: 'default' })).items, (pods) => pods.length === 20 && pods.every((pod) => pod.spec.nodeName === 'n'))
  const events = await eventually('each has its event', async () => (await client.list(core.events, { namespace: 'default', fieldSelector: 'reason=Scheduled' })).items, (all) => all.length === 20)
  expect(events.find((event) => event.involvedObject.name === 'p0')?.message).toBe('Successfully assigned default/p0 to n')
})

test('its server tells health to anybody, and the rest to whom the API server lets', async () => {
  expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok' })
  expect((await ask('/metrics')).status).toBe(403)
  expect((await ask('/metrics', 'nobody')).status).toBe(401)
  await client.create(rbac.clusterroles, { metadata: { name: 'reads' }, rules: [{ nonResourceURLs: ['/metrics', '/metrics/resources', '/configz'], verbs: ['get'] }] })
  await client.create(rbac.clusterrolebindings, { metadata: { name: 'reads' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'system:kube-scheduler' }] })
  const metrics = await eventually('the role holds', () => ask('/metrics', 'stock'), ({ status }) => status === 200)
  for (const line of [
    'scheduler_schedule_attempts_total{result="scheduled",profile="default-scheduler"} 20',
    'scheduler_pending_pods{queue="active"} 0',
    'scheduler_cache_size{type="nodes"} 1',
    'leader_election_master_status{name="kube-scheduler"} 1',
    'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"} 20',
    'scheduler_queue_incoming_pods_total{queue="active",event="UnscheduledPodAdd"} 20',
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="Bind",status="Success",profile="default-scheduler"} 20',
  ]) expect(metrics.body).toContain(line)
  expect(metrics.body).toMatch(/rest_client_requests_total\{code="201",method="POST",host="127.0.0.1:\d+"\}/)
  const { body } = await ask('/metrics/resources', 'stock')
  expect(body).toContain('kube_pod_resource_request{namespace="default",pod="p0",node="n",scheduler="default-scheduler",priority="0",resource="cpu",unit="cores"} 0.1')
  expect(body).toContain('kube_pod_resource_limit{namespace="default",pod="p0",node="n",scheduler="default-scheduler",priority="0",resource="memory",unit="bytes"} 67108864')
  expect(JSON.parse((await ask('/configz', 'stock')).body)).toMatchObject({ componentconfig: { kind: 'KubeSchedulerConfiguration', podMaxBackoffSeconds: 10 } })
})

test('a second one waits for the lease, and decides nothing', async () => {
  const end = new AbortController()
  const second = run(['--kubeconfig', server.kubeconfig, '--secure-port', '0', '--leader-elect-retry-period', '100ms'], end.signal)
  await new Promise((resolve) => { setTimeout(resolve, 500) })
  end.abort()
  expect(await second).toBe(0)
  const { spec } = await client.get(coordination.leases, 'kube-scheduler', { namespace: 'kube-system' })
  expect(spec?.leaseTransitions ?? 0).toBe(0)
})

test('the configuration with all its defaults is written on request, and is one that can be read', async () => {
  const file = path.join(server.directory, 'written.yaml')
  expect(await run(['--write-config-to', file], new AbortController().signal)).toBe(0)
  expect(await parseYaml(readFileSync(file, 'utf8'))).toMatchObject({ kind: 'KubeSchedulerConfiguration', profiles: [{ schedulerName: 'default-scheduler' }] })
  expect(await run(['--config', file, '--write-config-to', `${file}.again`], new AbortController().signal)).toBe(0)
  expect(readFileSync(`${file}.again`, 'utf8')).toBe(readFileSync(file, 'utf8'))
})

test.each([
  [['--feature-gates', 'Nope=true'], 'unrecognized feature gate: Nope'],
  [['--config', '/nowhere/config.yaml'], 'failed to load config file /nowhere/config.yaml'],
  [['--no-such-flag'], 'unknown flag: --no-such-flag'],
  [['--tls-cert-file', 'a', '--kubeconfig', '/dev/null'], '--tls-cert-file and --tls-private-key-file go together'],
])('%j is refused', async (argv, message) => {
  stderr = ''
  expect(await run(argv, new AbortController().signal)).not.toBe(0)
  expect(stderr).toContain(message)
})
