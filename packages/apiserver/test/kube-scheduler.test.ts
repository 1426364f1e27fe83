import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminToken, start, temporary } from './support/harness.ts'
import { findProgram, freePort, startProgram, type Program } from './support/programs.ts'

const binary = findProgram('kube-scheduler')

describe.skipIf(!binary)('a stock kube-scheduler', () => {
  let running: Awaited<ReturnType<typeof start>>
  let directory: Awaited<ReturnType<typeof temporary>>
  let scheduler: Program | undefined
  beforeAll(async () => {
    running = await start()
    directory = await temporary()
    const kubeconfig = join(directory.path, 'kubeconfig')
    await writeFile(kubeconfig, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token: adminToken } }],
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${running.server.port}`, 'insecure-skip-tls-verify': true } }],
    }))
    scheduler = startProgram(binary ?? '', [
      '--kubeconfig', kubeconfig, '--authentication-kubeconfig', kubeconfig, '--authorization-kubeconfig', kubeconfig, '--cert-dir', directory.path, '--secure-port', String(await freePort()), '-v', '2',
    ])
  })
  afterAll(async () => {
    await scheduler?.stop()
    await running?.stop()
    await directory?.remove()
  })

  it('leads, speaks protobuf and binds a pod, with everything else at its defaults', async () => {
    const amounts = { cpu: '4', memory: '8Gi', pods: '10' }
    await running.send('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status: { capacity: amounts, allocatable: amounts } })
    await running.send('POST', '/api/v1/namespaces/default/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
    await running.send('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'i' }] } })
    await expect.poll(async () => (await running.send('GET', '/api/v1/namespaces/default/pods/p')).body['spec']?.['nodeName'], { timeout: 60_000, interval: 200 }).toBe('n')
    expect(scheduler?.log()).toContain('contentType: application/vnd.kubernetes.protobuf')
    expect(scheduler?.log()).not.toContain('the server could not find the requested resource')
  }, 90_000)
})
