import { startApiServer, type ApiServer } from '@berth/apiserver'
import { apps, coordination } from '@berth/api'
import { createClient, runCommand, silentLogger, type KubeClient } from '@berth/kube'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { command } from '../src/index.ts'
import { eventually, writeKubeconfig } from './cluster.ts'

let server: ApiServer
let client: KubeClient
let directory: string
let kubeconfig: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-controllers-'))
  server = await startApiServer({ dataDir: join(directory, 'data'), storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, logger: silentLogger() })
  await server.whenReady()
  client = createClient(server.loopback)
  kubeconfig = await writeKubeconfig(server, directory)
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function ask(port: number, path: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }, (response) => {
      let text = ''
      response.on('data', (data) => { text += String(data) }).on('end', () => resolve([response.statusCode ?? 0, text]))
    }).on('error', reject).end()
  })
}

test('run alone, it leads by its lease, makes pods over TLS, serves its health, and gives the lease back when it ends', async () => {
  const port = await freePort()
  const ending = new AbortController()
  let log = ''
  const write = (text: string | Uint8Array): void => { log += String(text) }
  const running = runCommand(command, ['--kubeconfig', kubeconfig, '--bind-address=127.0.0.1', `--secure-port=${port}`, '--controllers=*,-node-lifecycle-controller', '-v=2'], { signal: ending.signal, stdout: { write }, stderr: { write } })
  const lease = await eventually('it leads', () => client.get(coordination.leases, 'kube-controller-manager', { namespace: 'kube-system' }), (l) => (l.spec?.holderIdentity ?? '') !== '')
  expect(lease.spec?.leaseDurationSeconds).toBe(15)
  await client.create(apps.replicasets, { metadata: { name: 'rs', namespace: 'default' }, spec: { replicas: 2, selector: { matchLabels: { app: 'rs' } }, template: { metadata: { name: '', labels: { app: 'rs' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
  await eventually('there are pods', () => client.get(apps.replicasets, 'rs', { namespace: 'default' }), (set) => set.status?.replicas === 2)
  expect(await ask(port, '/healthz')).toEqual([200, 'ok'])
  const [code, text] = await ask(port, '/metrics')
  expect([code, JSON.parse(text)]).toMatchObject([403, { message: 'forbidden: User "system:anonymous" cannot get path "/metrics"' }])
  ending.abort()
  expect(await running).toBe(0)
  expect((await client.get(coordination.leases, 'kube-controller-manager', { namespace: 'kube-system' })).spec?.holderIdentity ?? '').toBe('')
  expect(log).not.toMatch(/^E/m)
})

test('it goes on when the API server was away', async () => {
  const port = await freePort()
  const options = { dataDir: join(directory, 'durable'), certDir: join(directory, 'pki'), bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: port, logger: silentLogger() }
  let away = await startApiServer(options)
  await away.whenReady()
  const config = await writeKubeconfig(away, directory)
  const ending = new AbortController()
  const sink = { write: (): void => {} }
  const running = runCommand(command, ['--kubeconfig', config, '--secure-port=0', '--leader-elect=false'], { signal: ending.signal, stdout: sink, stderr: sink })
  const make = (name: string): Promise<unknown> => createClient(away.loopback).create(apps.replicasets, { metadata: { name, namespace: 'default' }, spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: { metadata: { name: '', labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
  const made = (name: string): Promise<unknown> => eventually(`${name} has its pods`, () => createClient(away.loopback).get(apps.replicasets, name, { namespace: 'default' }), (set) => set.status?.replicas === 2)
  await make('before')
  await made('before')
  await away.stop()
  away = await startApiServer(options)
  await away.whenReady()
  await make('after')
  await made('after')
  ending.abort()
  expect(await running).toBe(0)
  await away.stop()
})

test.each([
  [['--controllers=nope'], /"nope" is not in the list of known controllers/],
  [['--allocate-node-cidrs'], /--cluster-cidr: must be set when --allocate-node-cidrs is true/],
  [['--allocate-node-cidrs', '--cluster-cidr=many'], /invalid CIDR address: many/],
  [['--root-ca-file=/nowhere'], /--root-ca-file: .*no such file/],
  [['--kubeconfig=/nowhere'], /stat \/nowhere: no such file or directory/],
  [['--cloud-provider=x'], /unknown flag: --cloud-provider/],
])('%j is refused with its reason and status 1', async (argv, message) => {
  let log = ''
  const write = (text: string | Uint8Array): void => { log += String(text) }
  const code = await runCommand(command, ['--kubeconfig', kubeconfig, '--secure-port=0', '--leader-elect=false', ...argv], { signal: AbortSignal.timeout(10_000), stdout: { write }, stderr: { write } })
  expect([code, log]).toEqual([1, expect.stringMatching(message)])
})
