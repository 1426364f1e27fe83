import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCriClient } from '@berth/cri'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { busybox, ended, logLines, podConfig, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

/** Runs the shim as a process of its own, so that it can be killed. */
const runner = `
import { createLogger } from '@berth/kube'
import { startCriDocker } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).pathname)}
await startCriDocker({ ...JSON.parse(process.env.SHIM_OPTIONS), logger: createLogger({ name: 'shim' }) })
console.log('serving')
`

describe.skipIf(missing !== '')(`what is killed${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let child: ChildProcess | undefined
  let client: ReturnType<typeof createCriClient>

  beforeAll(async () => {
    shim = await startShim()
  })
  afterEach(async () => {
    client?.close()
    await kill()
  })
  afterAll(() => shim.stop())

  /** A second node on the same Engine, in a process of its own. */
  const startProcess = async (): Promise<void> => {
    const options = { ...shim.options, nodeLabel: 'node-b', endpoint: `unix://${join(shim.engine.directory, 'b.sock')}`, rootDir: join(shim.engine.directory, 'b'), logger: undefined }
    child = spawn(process.execPath, ['--input-type=module', '-e', runner], { env: { ...process.env, SHIM_OPTIONS: JSON.stringify(options) }, cwd: new URL('..', import.meta.url).pathname, stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise<void>((resolve, reject) => {
      child?.stdout?.once('data', () => resolve())
      child?.once('exit', () => reject(new Error('the shim ended')))
    })
    client = createCriClient(options.endpoint)
  }
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child?.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
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
      client.close()
      await startProcess()
    }
    const status = (await client.podSandboxStatus({ podSandboxId: pod.id })).status
    expect(status).toMatchObject({ state: 'SANDBOX_READY', metadata: pod.config.metadata, network: { ip: expect.stringMatching(/^10\./) } })
    expect(await ended(asNodeB(), id)).toMatchObject({ exitCode: 0, metadata: { name: 'main', attempt: 0 } })
    expect(logLines(readFileSync(path, 'utf8'))).toEqual(Array.from({ length: 3000 }, (_value, index) => `stdout F ${index}`))
    await client.removePodSandbox({ podSandboxId: pod.id })
  })

  test('a shim that is killed while it starts and stops pods leaves nothing double and nothing behind', async () => {
    await startProcess()
    const configs = Array.from({ length: 6 }, () => podConfig(shim))
    for (const [index, config] of configs.entries()) {
      void client.runPodSandbox({ config }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 40 * (index + 1)))
      await kill()
      client.close()
      await startProcess()
    }
    // As a kubelet does: what is there and not ready is removed, what is missing made anew.
    for (const config of configs) {
      const filter = { labelSelector: config.labels ?? {} }
      const { items } = await client.listPodSandbox({ filter })
      expect(items.length).toBeLessThanOrEqual(1)
      const [found] = items
      if (found) await client.removePodSandbox({ podSandboxId: found.id })
      const { podSandboxId } = await client.runPodSandbox({ config })
      expect((await client.podSandboxStatus({ podSandboxId })).status?.network?.ip).not.toBe('')
      expect((await client.listPodSandbox({ filter })).items.map(({ id }) => id)).toEqual([podSandboxId])
    }
    for (const { id } of (await client.listPodSandbox({})).items) {
      void client.removePodSandbox({ podSandboxId: id }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 60))
      await kill()
      client.close()
      await startProcess()
      await client.removePodSandbox({ podSandboxId: id })
    }
    expect((await shim.engine.docker.listContainers({ all: true, filters: { label: ['berth.dev/node=node-b'] } })).map(({ Names }) => Names)).toEqual([])
    const addresses = readdirSync(join(shim.engine.directory, 'ipam', 'test')).filter((name) => name.startsWith('10.'))
    const inUse = await Promise.all((await shim.client.listPodSandbox({ filter: { state: { state: 'SANDBOX_READY' } } })).items.map(async ({ id }) => (await shim.client.podSandboxStatus({ podSandboxId: id })).status?.network?.ip))
    expect(addresses.toSorted()).toEqual(inUse.toSorted())
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

  test('many pods made and removed leave no process, interface, mount or file', async () => {
    const count = (): Record<string, number> => ({
      mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(shim.engine.directory)).length,
      interfaces: execFileSync('ip', ['-o', 'link', 'show', 'type', 'veth']).toString().split('\n').length,
      sandboxes: readdirSync(join(shim.options.rootDir, 'sandboxes')).length,
      addresses: readdirSync(join(shim.engine.directory, 'ipam', 'test')).length,
      results: readdirSync(join(shim.engine.directory, 'cni-cache', 'results')).length,
      containers: readdirSync(join(shim.engine.directory, 'docker', 'containers')).length,
    })
    for (const { id } of (await shim.client.listPodSandbox({})).items) await shim.client.removePodSandbox({ podSandboxId: id })
    const before = count()
    for (let round = 0; round < 4; round++) {
      const pods = await Promise.all(Array.from({ length: 5 }, () => runPod(shim)))
      await Promise.all(pods.map((pod) => runShell(shim, pod, 'sleep 1000', { image: { image: busybox } })))
      await Promise.all(pods.map(({ id }) => shim.client.removePodSandbox({ podSandboxId: id })))
    }
    expect(count()).toEqual(before)
  })
})
