import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminToken, start, temporary } from './support/harness.ts'

const binary = [process.env['KUBEBUILDER_ASSETS'] ?? '', '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')].map((place) => join(place, 'kube-scheduler')).find((path) => existsSync(path))
if (!binary) console.log('skipped: there is no kube-scheduler')

const freePort = (): Promise<number> => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
})

describe.skipIf(!binary)('a stock kube-scheduler', () => {
  let running: Awaited<ReturnType<typeof start>>
  let directory: Awaited<ReturnType<typeof temporary>>
  let scheduler: ChildProcess | undefined
  let log = ''
  beforeAll(async () => {
    running = await start()
    directory = await temporary()
    const kubeconfig = join(directory.path, 'kubeconfig')
    await writeFile(kubeconfig, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token: adminToken } }],
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${running.server.port}`, 'insecure-skip-tls-verify': true } }],
    }))
    scheduler = spawn(binary ?? '', [
      '--kubeconfig', kubeconfig, '--authentication-kubeconfig', kubeconfig, '--authorization-kubeconfig', kubeconfig, '--cert-dir', directory.path, '--secure-port', String(await freePort()), '-v', '2',
    ], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [scheduler.stdout, scheduler.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => { log += text })
  })
  afterAll(async () => {
    if (scheduler && scheduler.exitCode === null) {
      const ended = new Promise((resolve) => scheduler?.once('exit', resolve))
      scheduler.kill()
      await ended
    }
    await running?.stop()
    await directory?.remove()
  })

  it('leads, speaks protobuf and binds a pod, with everything else at its defaults', async () => {
    const amounts = { cpu: '4', memory: '8Gi', pods: '10' }
    await running.send('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status: { capacity: amounts, allocatable: amounts } })
    await running.send('POST', '/api/v1/namespaces/default/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
    await running.send('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'i' }] } })
    await expect.poll(async () => (await running.send('GET', '/api/v1/namespaces/default/pods/p')).body['spec']?.['nodeName'], { timeout: 60_000, interval: 200 }).toBe('n')
    expect(log).toContain('contentType: application/vnd.kubernetes.protobuf')
    expect(log).not.toContain('the server could not find the requested resource')
  }, 90_000)
})
