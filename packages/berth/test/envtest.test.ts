// The launchers for envtest, started as controller-runtime starts them: the same flags, files and health checks.
import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { TLSSocket } from 'node:tls'
import { createCa, issueCertificate } from '@berth/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { berth, run } from './support/run.ts'

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-envtest-'))
const assets = path.join(directory, 'assets')
const realEtcd = ['/usr/local/bin/etcd', '/usr/bin/etcd'].find((file) => fs.existsSync(file))
const children: ChildProcess[] = []

beforeAll(async () => {
  const { code, stderr } = await berth(['envtest', 'install', assets, '-o', 'json'])
  if (code !== 0) throw new Error(stderr)
})

afterAll(async () => {
  await Promise.all(children.map(stop))
  fs.rmSync(directory, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function start(program: string, args: readonly string[]): ChildProcess & { said: string } {
  const child = Object.assign(spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] }), { said: '' })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { child.said += text })
  children.push(child)
  return child
}

/** Ends a process as envtest does; gives its exit status. */
function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  child.kill('SIGTERM')
  return ended
}

interface Answer { status: number, body: string, certificate?: string }

const send = (url: string, options: { token?: string, method?: string, body?: unknown, cert?: string, key?: string } = {}): Promise<Answer> => new Promise((resolve, reject) => {
  const receive = (response: IncomingMessage): void => {
    const certificate = response.socket instanceof TLSSocket ? String(response.socket.getPeerCertificate().subject?.CN) : undefined
    let body = ''
    response.setEncoding('utf8').on('data', (text: string) => { body += text })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body, ...(certificate !== undefined && { certificate }) }))
  }
  const { method = 'GET', body, cert, key } = options
  const outgoing = url.startsWith('http:') ? get(url, receive) : request(url, { method, rejectUnauthorized: false, agent: false, ...(cert !== undefined && { cert, key }), headers: { 'content-type': 'application/json' } }, receive)
  outgoing.on('error', reject)
  outgoing.end(body === undefined ? undefined : JSON.stringify(body))
})

/** Polls as envtest does. Fails with what the process said when it is over before. */
async function untilHealthy(child: ChildProcess & { said: string }, url: string): Promise<void> {
  for (const end = Date.now() + 60_000; ;) {
    if (child.exitCode !== null) throw new Error(`it ended: ${child.said}`)
    const answer = await send(url).catch(() => undefined)
    if (answer?.status === 200) return
    if (Date.now() > end) throw new Error(`${url} does not answer: ${child.said}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** What envtest makes of certificates: an authority of its own for the server, one for clients, a key for service accounts. */
async function certificates(certDir: string): Promise<{ admin: { cert: string, key: string } }> {
  fs.mkdirSync(certDir, { recursive: true })
  const serving = await issueCertificate(await createCa('envtest-environment'), { commonName: 'made-by-the-test', ipAddresses: ['127.0.0.1'], usages: ['server'] })
  const [clients, signer] = [await createCa('clients'), await createCa('service-accounts')]
  const admin = await issueCertificate(clients, { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] })
  const files = { 'apiserver.crt': serving.certificate, 'apiserver.key': serving.key, 'client-cert-auth-ca.crt': clients.certificate }
  for (const [name, text] of Object.entries({ ...files, 'sa-signer.key': signer.key, 'sa-signer.crt': signer.certificate })) fs.writeFileSync(path.join(certDir, name), text)
  return { admin: { cert: admin.certificate, key: admin.key } }
}

const flagsOf = (certDir: string, port: number, etcd: string): string[] => [
  '--allow-privileged=true', '--authorization-mode=RBAC', '--bind-address=127.0.0.1', `--cert-dir=${certDir}`, `--client-ca-file=${certDir}/client-cert-auth-ca.crt`, '--disable-admission-plugins=ServiceAccount',
  `--etcd-servers=${etcd}`, `--secure-port=${port}`, `--service-account-issuer=https://127.0.0.1:${port}/`, `--service-account-key-file=${certDir}/sa-signer.crt`,
  `--service-account-signing-key-file=${certDir}/sa-signer.key`, '--service-cluster-ip-range=10.0.0.0/24',
]

test('install says how to use what it has written, and may be run again', async () => {
  const again = await berth(['envtest', 'install', assets])
  expect(again.code).toBe(0)
  expect(again.stdout).toBe(`export KUBEBUILDER_ASSETS='${assets}'\n`)
  fs.writeFileSync(path.join(directory, 'etcd'), 'somebody else\'s')
  const refused = await berth(['envtest', 'install', directory])
  expect([refused.code, refused.stderr]).toEqual([1, `Error: ${path.join(directory, 'etcd')} is there already, and was not made by this command: choose another directory, or give --force\n`])
  expect(fs.existsSync(path.join(directory, 'kube-apiserver'))).toBe(false)
})

describe.each([
  { etcd: 'the stand-in', program: () => path.join(assets, 'etcd'), missing: undefined },
  { etcd: 'a real etcd', program: () => realEtcd ?? '', missing: realEtcd === undefined ? 'there is no etcd on this machine' : undefined },
])('with $etcd', ({ program, missing }) => {
  if (missing !== undefined) console.log(`skipped: ${missing}`)

  test.skipIf(missing !== undefined)('a server is healthy, shows the certificate of --cert-dir, knows clients by their authority, and keeps its objects', async () => {
    const work = fs.mkdtempSync(path.join(directory, 'run-'))
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
    const etcdUrl = `http://127.0.0.1:${etcdPort}`
    const etcd = start(program(), [`--advertise-client-urls=${etcdUrl}`, `--listen-client-urls=${etcdUrl}`, `--listen-peer-urls=http://127.0.0.1:${peerPort}`, `--data-dir=${work}/etcd`])
    await untilHealthy(etcd, `${etcdUrl}/health`)
    const certDir = path.join(work, 'pki')
    const { admin } = await certificates(certDir)
    const before = fs.readdirSync(certDir)
    const url = `https://127.0.0.1:${port}`
    const begin = async (): Promise<ChildProcess> => {
      const server = start(path.join(assets, 'kube-apiserver'), [...flagsOf(certDir, port, etcdUrl), '--profiling=false'])
      await untilHealthy(server, `${url}/healthz`)
      expect(server.said).toContain('A flag has no effect here" flag="profiling"')
      return server
    }
    const first = await begin()
    expect((await send(`${url}/readyz`)).certificate).toBe('made-by-the-test')
    const made = await send(`${url}/api/v1/namespaces/default/configmaps`, { ...admin, method: 'POST', body: { metadata: { name: 'kept' } } })
    expect([made.status, made.body]).toEqual([201, expect.stringContaining('"kept"')])
    expect((await send(`${url}/api/v1/namespaces`)).status).toBe(403)
    expect(await stop(first)).toBe(0)
    const second = await begin()
    expect((await send(`${url}/api/v1/namespaces/default/configmaps/kept`, admin)).status).toBe(200)
    expect(await stop(second)).toBe(0)
    // envtest's directory is as it was.
    expect(fs.readdirSync(certDir)).toEqual(before)
    await stop(etcd)
  })
})

test.each([
  ['--audit-policy-file=x', 'Error: --audit-policy-file is not supported: no audit log is written\n'],
  ['--nonsense', 'Error: unknown flag: --nonsense\nSee \'kube-apiserver --help\' for usage.\n'],
])('%s is refused', async (flag, said) => {
  const { code, stderr } = await run([path.join(assets, 'kube-apiserver'), '--secure-port=0', flag])
  expect([code, stderr]).toEqual([1, said])
})

test('what stands in for etcd does not pretend to be one', async () => {
  const port = await freePort()
  const etcd = start(path.join(assets, 'etcd'), [`--listen-client-urls=http://127.0.0.1:${port}`, `--data-dir=${directory}/alone`])
  await untilHealthy(etcd, `http://127.0.0.1:${port}/health`)
  expect(JSON.parse((await send(`http://127.0.0.1:${port}/health`)).body)).toEqual({ health: 'true', reason: '' })
  expect(await send(`http://127.0.0.1:${port}/v3/kv/range`)).toMatchObject({ status: 404, body: 'this is no etcd: it stands in for one, and keeps nothing\n' })
  expect(await stop(etcd)).toBe(0)
})
