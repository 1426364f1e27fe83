import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busybox, ended, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

describe.skipIf(missing !== '')(`a node that is a container's network${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  beforeAll(async () => {
    shim = await startShim()
    await shim.restartShim({ hostNetworkContainer: await anchor() })
  })
  afterAll(() => shim.stop())

  const anchor = async (): Promise<string> => {
    const container = await shim.engine.docker.createContainer({ Image: busybox, Cmd: ['sleep', '100000'], Hostname: 'the-node', HostConfig: { NetworkMode: 'none' } })
    await container.start()
    return container.id
  }
  const namespaces = { network: 'NODE' as const, pid: 'POD' as const, ipc: 'POD' as const }
  const run = async (cmd: string[], containerId: string): Promise<string> => Buffer.from((await shim.client.execSync({ containerId, cmd })).stdout).toString().trim()
  const engineExec = async (id: string, Cmd: string[]): Promise<string> => {
    const exec = await shim.engine.docker.getContainer(id).exec({ Cmd, AttachStdout: true, Tty: true })
    const stream = await exec.start({ Tty: true })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString().trim()
  }

  test('gives its network and host name to pods with the node’s network, and they have a resolv.conf of their own', async () => {
    const pod = await runPod(shim, { hostname: 'ignored', dnsConfig: { servers: ['10.96.0.10'] }, linux: { securityContext: { namespaceOptions: namespaces } } })
    const id = await runShell(shim, pod, 'sleep 1000', { linux: { securityContext: { namespaceOptions: namespaces } } })
    expect(await run(['readlink', '/proc/self/ns/net'], id)).toBe(await engineExec(shim.options.hostNetworkContainer ?? '', ['readlink', '/proc/self/ns/net']))
    expect(await run(['hostname'], id)).toBe('the-node')
    expect(await run(['cat', '/etc/resolv.conf'], id)).toBe('nameserver 10.96.0.10')
    expect((await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status).toMatchObject({ state: 'SANDBOX_READY', linux: { namespaces: { options: { network: 'NODE' } } } })
  })

  test('that is another one after a restart has rebooted: its pods have ended, and those that are made then run', async () => {
    const pod = await runPod(shim)
    const id = await runShell(shim, pod, 'sleep 1000')
    await shim.restartShim()
    expect((await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status?.state).toBe('SANDBOX_READY')
    await shim.restartShim({ hostNetworkContainer: await anchor() })
    expect((await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status?.state).toBe('SANDBOX_NOTREADY')
    expect(await ended(shim, id)).toMatchObject({ exitCode: 137 })
    const again = await runPod(shim, { linux: { securityContext: { namespaceOptions: namespaces } } })
    expect((await shim.client.podSandboxStatus({ podSandboxId: again.id })).status?.state).toBe('SANDBOX_READY')
  })
})
