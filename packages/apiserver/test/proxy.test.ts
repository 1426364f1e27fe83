import { once } from 'node:events'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import { createServer as createTcpServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issueCertificate } from '@berth/kube'
import { remoteCommandOptions, serveAttach, serveExec, servePortForward } from '@berth/streaming'
import { findKubectl, kubectl, spawnKubectl, startTestServer, type TestServer } from './support/server.ts'

const hasKubectl = findKubectl() !== undefined
let it: TestServer
let kubelet: Server
let config = ''
const asked: { url: string, user: string }[] = []

/** A kubelet's paths with canned containers behind them: what matters here is what the API server asks for and passes on. */
async function startKubelet(): Promise<Server> {
  const identity = await issueCertificate(it.server.certificates.authority, { commonName: 'system:node:n1', organizations: ['system:nodes'], ipAddresses: ['127.0.0.1'], usages: ['server'] })
  const server = createServer({ cert: identity.certificate, key: identity.key, ca: it.server.certificates.authority.certificate, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    asked.push({ url: request.url ?? '', user: String((request.socket as TLSSocket).getPeerCertificate().subject.CN) })
    if (request.url?.includes('/waiting/')) response.writeHead(400).end('container "c" in pod "waiting" is waiting to start: ContainerCreating')
    else if (request.url?.includes('follow=true')) {
      response.write('first\n')
      const timer = setInterval(() => response.write('more\n'), 20)
      response.on('close', () => clearInterval(timer))
    } else response.end('line 1\nline 2\n')
  })
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '', 'https://kubelet')
    asked.push({ url: request.url ?? '', user: '' })
    const options = remoteCommandOptions(url.searchParams)
    if (url.pathname.startsWith('/portForward/')) void servePortForward(request, socket, head, { pod: 'p', connect: async (port) => { const s = connect(port, '127.0.0.1'); await once(s, 'connect'); return s } })
    else if (url.pathname.startsWith('/attach/')) void serveAttach(request, socket, head, { options, run: async (streams) => { streams.stdout?.write('attached\n'); return { exitCode: 0 } } })
    else void serveExec(request, socket, head, {
      options,
      async run(streams) {
        const command = url.searchParams.getAll('command')
        if (command[0] === 'false') return { exitCode: 3 }
        if (command[0] === 'cat' && streams.stdin) for await (const chunk of streams.stdin) if (!streams.stdout?.write(chunk)) await once(streams.stdout ?? process, 'drain')
        if (command[0] !== 'cat') streams.stdout?.write(`ran ${command.join('|')}\n`)
        return { exitCode: 0 }
      },
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

beforeAll(async () => {
  it = await startTestServer()
  kubelet = await startKubelet()
  config = await it.kubeconfigFor('admin', 'system:masters')
  const { port } = kubelet.address() as AddressInfo
  await it.admin('/api/v1/nodes', { body: { metadata: { name: 'n1' } } })
  await it.admin('/api/v1/nodes/n1/status', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } } } })
  await it.admin('/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } })
  for (const [name, spec] of Object.entries({ p: { nodeName: 'n1' }, waiting: { nodeName: 'n1' }, unbound: {} })) {
    await it.admin('/api/v1/namespaces/default/pods', { body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } } })
    await it.admin(`/api/v1/namespaces/default/pods/${name}/status`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { phase: 'Running' } } })
  }
})
afterAll(async () => {
  kubelet?.closeAllConnections()
  kubelet?.close()
  await it?.stop()
})

const pod = '/api/v1/namespaces/default/pods'

test('a log is read from the kubelet of the node, as the API server, with the options translated', async () => {
  const answer = await it.admin(`${pod}/p/log?container=c&tailLines=2&timestamps=true`)
  expect([answer.status, answer.text]).toEqual([200, 'line 1\nline 2\n'])
  expect(asked.at(-1)).toEqual({ url: '/containerLogs/default/p/c?timestamps=true&tailLines=2', user: 'kube-apiserver-kubelet-client' })
})

test('what cannot be read is refused in upstream words', async () => {
  const message = async (path: string, headers: Record<string, string> = {}): Promise<unknown> => ((await it.admin(path, { headers })).body as { message: string }).message
  expect(await message(`${pod}/p/log?container=x`)).toBe('container x is not valid for pod p')
  expect(await message(`${pod}/waiting/log`)).toBe('container "c" in pod "waiting" is waiting to start: ContainerCreating')
  expect((await it.admin(`${pod}/unbound/log`)).text).toBe('')
  expect(await message(`${pod}/unbound/exec?command=x&stdout=true`)).toBe('pod unbound does not have a host assigned')
  expect(await message(`${pod}/p/exec?command=x&stdout=true`)).toBe('Upgrade request required')
  expect(await message(`${pod}/none/log`)).toBe('pods "none" not found')
})

test('who may only get pods/exec does not get in by a WebSocket', async () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  await it.admin(`${rbac}/clusterroles`, { body: { metadata: { name: 'exec-get' }, rules: [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['get'] }] } })
  await it.admin(`${rbac}/clusterrolebindings`, { body: { metadata: { name: 'exec-get' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'exec-get' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }] } })
  const answer = await it.ask(`${pod}/p/exec?command=x&stdout=true`, { token: 'bob-token' })
  expect([answer.status, (answer.body as { message: string }).message]).toEqual([403, 'pods "p" is forbidden: User "bob" cannot create resource "pods/exec" in API group "" in the namespace "default"'])
})

test('nodes/proxy passes paths, queries and refusals of the kubelet on; a redirect stays within the proxy', async () => {
  const answer = await it.admin('/api/v1/nodes/n1/proxy/stats/summary?only_cpu_and_memory=true')
  expect([answer.status, answer.text]).toEqual([200, 'line 1\nline 2\n'])
  expect(asked.at(-1)).toEqual({ url: '/stats/summary?only_cpu_and_memory=true', user: 'kube-apiserver-kubelet-client' })
  expect((await it.admin('/api/v1/nodes/n1/proxy/waiting/')).status).toBe(400)
  expect(asked.at(-1)?.url).toBe('/waiting/')
  expect((await it.admin('/api/v1/nodes/n1/proxy')).status).toBe(301)
})

test('pods and Services that nobody answers for, and addresses of the server itself, are refused', async () => {
  const refusal = async (path: string): Promise<unknown> => {
    const { status, body } = await it.admin(path)
    return [status, (body as { message: string }).message]
  }
  expect(await refusal(`${pod}/p/proxy/x`)).toEqual([400, 'address not allowed'])
  expect(await refusal(`${pod}/ftp:p:21/proxy/x`)).toEqual([400, 'invalid pod request "ftp:p:21"'])
  expect(await refusal('/api/v1/nodes/n1:80/proxy/x')).toEqual([400, 'address not allowed'])
  await it.admin('/api/v1/namespaces/default/services', { body: { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } } })
  expect(await refusal('/api/v1/namespaces/default/services/s/proxy/x')).toEqual([503, 'no endpoints available for service "s"'])
  expect(await refusal('/api/v1/namespaces/default/services/s:81/proxy/x')).toEqual([503, 'no service port "81" found for service "s"'])
})

describe.skipIf(!hasKubectl)('kubectl', () => {
  test('logs -f shows lines as they are written, and the kubelet is let go when kubectl is stopped', async () => {
    const child = spawnKubectl(config, ['logs', '-f', 'p'])
    let text = ''
    await new Promise<void>((resolve) => child.stdout?.on('data', (chunk: Buffer) => { text += String(chunk); if (text.includes('more\nmore\n')) resolve() }))
    expect(text.startsWith('first\n')).toBe(true)
    const open = await connections(kubelet)
    child.kill()
    await once(child, 'exit')
    await expect.poll(() => connections(kubelet), { timeout: 10_000 }).toBeLessThan(open + 1)
  })

  test.each([['WebSocket', 'true'], ['SPDY', 'false']])('exec over %s: output, exit code, and a megabyte through stdin and back', async (_name, flag) => {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: flag }
    expect(await kubectl(config, ['exec', 'p', '--', 'say', 'a b'], { env })).toMatchObject({ code: 0, stdout: 'ran say|a b\n' })
    expect(await kubectl(config, ['exec', 'p', '--', 'false'], { env })).toMatchObject({ code: 3, stderr: 'command terminated with exit code 3\n' })
    const input = 'x'.repeat(1024 * 1024 - 1) + '\n'
    const echoed = await kubectl(config, ['exec', '-i', 'p', '--', 'cat'], { env, input })
    expect([echoed.code, echoed.stdout.length, echoed.stdout === input]).toEqual([0, input.length, true])
  })

  test('exec and port-forward say that the kubelet cannot be reached', async () => {
    await it.admin('/api/v1/nodes', { body: { metadata: { name: 'away' } } })
    // Nothing listens at the first port.
    await it.admin('/api/v1/nodes/away/status', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } } } })
    await it.admin('/api/v1/namespaces/default/pods', { body: { metadata: { name: 'lonely' }, spec: { nodeName: 'away', containers: [{ name: 'c', image: 'i' }] } } })
    await it.admin('/api/v1/namespaces/default/pods/lonely/status', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { phase: 'Running' } } })
    const why = 'error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused'
    expect(await kubectl(config, ['exec', 'lonely', '--', 'true'])).toMatchObject({ code: 1, stderr: `Error from server: ${why}\n` })
    expect(await kubectl(config, ['port-forward', 'lonely', ':80'])).toMatchObject({ code: 1, stderr: expect.stringContaining(why) as string })
  })

  test('attach shows what the container writes', async () => {
    expect((await kubectl(config, ['attach', 'p'])).stdout).toContain('attached\n')
  })

  test.each([['WebSocket', 'true'], ['SPDY', 'false']])('port-forward over %s carries bytes both ways', async (_name, flag) => {
    const echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    process.env['KUBECTL_PORT_FORWARD_WEBSOCKETS'] = flag
    const child = spawnKubectl(config, ['port-forward', 'p', `:${(echo.address() as AddressInfo).port}`])
    try {
      const port = await new Promise<number>((resolve) => child.stdout?.on('data', (chunk: Buffer) => {
        const match = /127\.0\.0\.1:(\d+)/.exec(String(chunk))
        if (match) resolve(Number(match[1]))
      }))
      const socket = connect(port, '127.0.0.1')
      socket.write('hello')
      const [data] = await once(socket, 'data') as [Buffer]
      expect(String(data)).toBe('hello')
      socket.destroy()
    } finally {
      delete process.env['KUBECTL_PORT_FORWARD_WEBSOCKETS']
      child.kill()
      echo.close()
    }
  })
})

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))
}
