import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CriClient } from '@berth/cri'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { ended, logLines, podConfig, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'
import { type ShimProcess, startShimProcess } from './support/shim-process.ts'

const missing = shimMissing()

describe.skipIf(missing !== '')(`what is killed${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let child: ShimProcess | undefined
  let client: CriClient

  beforeAll(async () => {
    shim = await startShim()
  })
  afterEach(() => kill())
  afterAll(() => shim.stop())

  /** A second node on the same Engine, in a process of its own. */
  const startProcess = async (): Promise<void> => {
    const { logger: _logger, ...options } = shim.options
    child = await startShimProcess({ ...options, nodeLabel: 'node-b', endpoint: `unix://${join(shim.engine.directory, 'b.sock')}`, rootDir: join(shim.engine.directory, 'b') })
    client = child.client
  }
  const kill = async (): Promise<void> => {
    await child?.kill()
    child = undefined
  }
  const asNodeB = (): TestShim => ({ ...shim, client })

  test('two nodes on one Engine do not see each other', async () => {
    await startProcess()
    const mine = await runPod(shim)
    const theirs = await runPod(asNodeB())
    const listed = async (of: TestShim['client']): Promise<string[]> => (await of.listPodSandbox({})).items.map(({ id }) => id)
    expect(await listed(shim.client)).not.toContain(theirs.id)
    expect(await listed(client)).toEqual([theirs.id])
    await expect(client.podSandboxStatus({ podSandboxId: mine.id })).rejects.toMatchObject({ code: 'NotFound' })
    await client.removePodSandbox({ podSandboxId: mine.id })
    expect((await shim.client.podSandboxStatus({ podSandboxId: mine.id })).status?.state).toBe('SANDBOX_READY')
    await client.removePodSandbox({ podSandboxId: theirs.id })
  })

  test('a shim that is killed finds its pods again, running on, and their logs go on where they were', async () => {
    await startProcess()
    const pod = await runPod(asNodeB())
    const id = await runShell(asNodeB(), pod, 'i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); [ $((i%20)) = 0 ] && sleep 0.02; done')
    const path = join(pod.config.logDirectory ?? '', 'main/0.log')
    for (let round = 0; round < 3; round++) {
      await until(() => existsSync(path) && readFileSync(path, 'utf8').split('\n').length > 200 * (round + 1), 'there are lines')
      await kill()
      await startProcess()
    }
    const status = (await client.podSandboxStatus({ podSandboxId: pod.id })).status
    expect(status).toMatchObject({ state: 'SANDBOX_READY', metadata: pod.config.metadata, network: { ip: expect.stringMatching(/^10\./) } })
    expect(await ended(asNodeB(), id)).toMatchObject({ exitCode: 0, metadata: { name: 'main', attempt: 0 } })
    expect(logLines(readFileSync(path, 'utf8'))).toEqual(Array.from({ length: 3000 }, (_value, index) => `stdout F ${index}`))
    await client.removePodSandbox({ podSandboxId: pod.id })
  })

  test('what a sandbox held of the network is given back where it vanished while the shim was away', async () => {
    await startProcess()
    const pod = await runPod(asNodeB())
    const ip = (await client.podSandboxStatus({ podSandboxId: pod.id })).status?.network?.ip ?? ''
    const folder = join(shim.engine.directory, 'ipam', 'test')
    expect(readdirSync(folder)).toContain(ip)
    await kill()
    await shim.engine.docker.getContainer(pod.id).remove({ force: true })
    await startProcess()
    await until(() => !readdirSync(folder).includes(ip), 'the address is free')
    expect(readdirSync(join(shim.engine.directory, 'cni-cache', 'results')).filter((name) => name.includes(pod.id))).toEqual([])
    expect(readdirSync(join(shim.engine.directory, 'b', 'sandboxes'))).toEqual([])
  })

  test('an Engine that is killed and comes back has lost no container, and no event is missed', async () => {
    const pod = await runPod(shim)
    const lasting = await runShell(shim, pod, 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done')
    const short = await runShell(shim, pod, 'sleep 1; exit 9', { metadata: { name: 'short' }, logPath: 'short/0.log' })
    const controller = new AbortController()
    const stopped = new Set<string>()
    const reading = (async () => {
      for await (const event of shim.client.getContainerEvents({}, { signal: controller.signal })) if (event.containerEventType === 'CONTAINER_STOPPED_EVENT') stopped.add(event.containerId)
    })().catch(() => {})
    const before = (await shim.client.containerStatus({ containerId: lasting })).status
    await shim.engine.killDockerd()
    await expect(shim.client.runPodSandbox({ config: podConfig(shim) })).rejects.toMatchObject({ code: 'Unavailable' })
    const conditions = (await shim.client.status({})).status?.conditions
    expect(conditions?.find(({ type }) => type === 'RuntimeReady')).toMatchObject({ status: false, reason: 'DockerDaemonNotReady' })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await shim.engine.startDockerd()
    await until(() => stopped.has(short), 'the end of the short container is told')
    expect(await ended(shim, short)).toMatchObject({ exitCode: 9 })
    expect((await shim.client.containerStatus({ containerId: lasting })).status).toMatchObject({ state: 'CONTAINER_RUNNING', startedAt: before?.startedAt })
    expect((await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status?.state).toBe('SANDBOX_READY')
    const path = join(pod.config.logDirectory ?? '', 'main/0.log')
    const count = logLines(readFileSync(path, 'utf8')).length
    await until(() => logLines(readFileSync(path, 'utf8')).length > count + 20, 'the log goes on')
    const lines = logLines(readFileSync(path, 'utf8'))
    expect(lines).toEqual(lines.map((_line, index) => `stdout F ${index}`))
    controller.abort()
    await reading
    await shim.client.removePodSandbox({ podSandboxId: pod.id })
  })
})
