import { core } from '@berth/api'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient, inClusterTransport, transportFromKubeconfig } from '../src/index.ts'
import { answer, SmallApiServer, status } from './small-api-server.ts'

let server: SmallApiServer
let directory: string

beforeEach(async () => {
  server = await SmallApiServer.start()
  directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
})
afterEach(async () => {
  await server.close()
  rmSync(directory, { recursive: true })
})

function write(user: object, cluster: object = {}): string {
  const path = join(directory, 'config')
  writeFileSync(join(directory, 'ca.crt'), server.ca)
  writeFileSync(path, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }, { name: 'lost', context: { cluster: 'nowhere', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority': 'ca.crt', ...cluster } }],
    users: [{ name: 'u', user }],
  }))
  return path
}

async function ask(path: string, context?: string): Promise<void> {
  const transport = transportFromKubeconfig(path, context === undefined ? {} : { context })
  try {
    await createClient(transport).list(core.configmaps)
  } finally {
    await transport.close()
  }
}

test('certificates are taken from data or from files beside the kubeconfig', async () => {
  const { cert, key } = server.clientCert
  await ask(write({ 'client-certificate-data': Buffer.from(cert).toString('base64'), 'client-key-data': Buffer.from(key).toString('base64') }, { 'certificate-authority-data': Buffer.from(server.ca).toString('base64') }))
  writeFileSync(join(directory, 'c.pem'), cert)
  writeFileSync(join(directory, 'k.pem'), key)
  await ask(write({ 'client-certificate': 'c.pem', 'client-key': 'k.pem' }))
  expect(server.requests.map((r) => r.peer)).toEqual(['alice', 'alice'])
})

test('a token, a token file and a name with password each authenticate', async () => {
  await ask(write({ token: 'plain' }))
  writeFileSync(join(directory, 'token'), 'from-file\n')
  await ask(write({ token: 'plain', tokenFile: 'token' }))
  await ask(write({ username: 'a', password: 'b' }))
  expect(server.requests.map((r) => r.headers.authorization)).toEqual(['Bearer plain', 'Bearer from-file', `Basic ${Buffer.from('a:b').toString('base64')}`])
})

test('an exec plugin is asked once, and again when the server refuses what it gave', async () => {
  const plugin = join(directory, 'plugin')
  writeFileSync(plugin, `#!/bin/sh
echo x >> "$COUNT"
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t%s"}}' "$(wc -l < "$COUNT" | tr -d ' ')"
`)
  chmodSync(plugin, 0o755)
  const path = write({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', args: ['get'], env: [{ name: 'COUNT', value: join(directory, 'count') }], interactiveMode: 'Never' } })
  const transport = transportFromKubeconfig(path)
  const client = createClient(transport)
  await client.list(core.configmaps)
  await client.list(core.configmaps)
  server.scripted.push((_req, res) => answer(res, 401, status(401, 'Unauthorized', 'Unauthorized')))
  await client.list(core.configmaps)
  expect(server.requests.map((r) => r.headers.authorization)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t2'])
  await transport.close()
})

test.each([
  ['a context that does not exist', {}, {}, 'two', /context "two" does not exist/],
  ['a cluster that does not exist', {}, {}, 'lost', /cluster "nowhere" of context "lost" does not exist/],
  ['a proxy', {}, { 'proxy-url': 'http://p' }, 'one', /proxy-url is not supported/],
  ['a certificate without its key', { 'client-certificate': 'c.pem' }, {}, 'one', /a client certificate needs its key/],
  ['an authority file that is not there', {}, { 'certificate-authority': 'none.crt' }, 'one', /certificate-authority: unable to read .*none\.crt/],
  ['a plugin of an unknown version', { exec: { apiVersion: 'v1', command: 'x' } }, {}, 'one', /exec plugin: invalid apiVersion "v1"/],
  ['a plugin that is not there', { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './none', installHint: 'install it' } }, {}, 'one', /none failed: .*\n\ninstall it/],
])('%s is refused with its reason', async (_name, user, cluster, context, message) => {
  await expect(ask(write(user, cluster), context)).rejects.toThrow(message)
  expect(server.requests).toEqual([])
})

test('a kubeconfig that is not there is refused at once', () => {
  expect(() => transportFromKubeconfig(join(directory, 'none'))).toThrow('no such file or directory')
})

test('in a pod, the service account speaks', async () => {
  writeFileSync(join(directory, 'ca.crt'), server.ca)
  writeFileSync(join(directory, 'token'), 'sa-token')
  const { hostname, port } = new URL(server.url)
  const transport = inClusterTransport({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, directory)
  await createClient(transport).list(core.configmaps)
  expect(server.requests[0]?.headers.authorization).toBe('Bearer sa-token')
  await transport.close()
  expect(() => inClusterTransport({}, directory)).toThrow('unable to load in-cluster configuration')
})
