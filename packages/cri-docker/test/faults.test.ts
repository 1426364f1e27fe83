import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerConfig, type CriClient, type Init, isCriError } from '@berth/cri'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { type EngineProxy, startEngineProxy } from './support/engine-proxy.ts'
import { busybox, podConfig, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'
import { type ShimProcess, startShimProcess } from './support/shim-process.ts'

const missing = shimMissing()

/** How many random faults are tried; more when there is time (BERTH_TEST_LONG=1). */
const rounds = process.env['BERTH_TEST_LONG'] ? 200 : 10

/** A small random number generator that gives the same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0
  return (below) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

describe.skipIf(missing !== '')(`faults${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let proxy: EngineProxy
  let child: ShimProcess | undefined

  beforeAll(async () => {
    shim = await startShim()
    proxy = await startEngineProxy(shim.engine.socket, join(shim.engine.directory, 'proxy.sock'))
  })
  afterEach(async () => {
    proxy.before = proxy.after = () => 'pass'
    proxy.release()
    await child?.kill()
    child = undefined
  })
  afterAll(async () => {
    await proxy.close()
    await shim.stop()
  })

  const startChild = async (): Promise<ShimProcess> => {
    const { engine, options } = shim
    return (child = await startShimProcess({ ...options, dockerHost: `unix://${proxy.socket}`, nodeLabel: 'node-f', endpoint: `unix://${join(engine.directory, 'f.sock')}`, rootDir: join(engine.directory, 'f'), ...{ logger: undefined } }))
  }

  /** What is there of the faulty node's pods, by kind. */
  const traces = async (): Promise<Record<string, string[]>> => {
    const { directory, docker } = shim.engine
    const entries = (path: string): string[] => readdirSync(join(directory, path)).toSorted()
    return {
      containers: (await docker.listContainers({ all: true })).map(({ Names }) => Names[0] ?? '').toSorted(),
      files: entries('f/sandboxes'),
      addresses: entries('ipam/test').filter((name) => name.startsWith('10.')),
      results: entries('cni-cache/results'),
      interfaces: execFileSync('ip', ['-o', 'link', 'show', 'type', 'veth'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes(`master ${bridgeName()}`)),
      mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(directory) && !line.includes('/plugins')).map((line) => line.split(' ')[4] ?? '').toSorted(),
    }
  }
  const bridgeName = (): string => (JSON.parse(readFileSync(join(shim.engine.directory, 'cni', '10-test.conflist'), 'utf8')) as { plugins: { bridge: string }[] }).plugins[0]?.bridge ?? ''

  type Steps = { config: ReturnType<typeof podConfig>; container: Init<ContainerConfig> }
  const stepsOf = (): Steps => {
    const config = podConfig(shim)
    return { config, container: { metadata: { name: 'main', attempt: 0 }, image: { image: busybox }, command: ['sleep', '100000'], logPath: 'main/0.log', labels: config.labels ?? {} } }
  }

  /** As a kubelet: what is there and right stays, what is wrong goes, what is missing is made. May be called again after any failure. */
  const bringUp = async (client: CriClient, { config, container }: Steps): Promise<{ podSandboxId: string; containerId: string }> => {
    const filter = { labelSelector: config.labels ?? {} }
    const { items } = await client.listPodSandbox({ filter })
    expect(items.filter(({ state }) => state === 'SANDBOX_READY').length).toBeLessThanOrEqual(1)
    let podSandboxId = items.find(({ state }) => state === 'SANDBOX_READY')?.id
    // A sandbox without an address is one whose start was cut off.
    if (podSandboxId !== undefined && (await client.podSandboxStatus({ podSandboxId })).status?.network?.ip === '') {
      await client.removePodSandbox({ podSandboxId })
      podSandboxId = undefined
    }
    for (const { id, state } of items) if (state !== 'SANDBOX_READY') await client.removePodSandbox({ podSandboxId: id })
    podSandboxId ??= (await client.runPodSandbox({ config })).podSandboxId
    const { containers } = await client.listContainers({ filter: { podSandboxId, labelSelector: {} } })
    expect(containers.length).toBeLessThanOrEqual(1)
    let containerId = containers.find(({ state }) => state !== 'CONTAINER_EXITED')?.id
    for (const { id, state } of containers) if (state === 'CONTAINER_EXITED') await client.removeContainer({ containerId: id })
    containerId ??= (await client.createContainer({ podSandboxId, config: container, sandboxConfig: config })).containerId
    await client.startContainer({ containerId })
    return { podSandboxId, containerId }
  }

  const takeDown = async (client: CriClient, { config }: Steps): Promise<void> => {
    for (const { id } of (await client.listPodSandbox({ filter: { labelSelector: config.labels ?? {} } })).items) {
      for (const container of (await client.listContainers({ filter: { podSandboxId: id } })).containers) {
        await client.stopContainer({ containerId: container.id, timeout: 0n })
        await client.removeContainer({ containerId: container.id })
      }
      await client.stopPodSandbox({ podSandboxId: id })
      await client.removePodSandbox({ podSandboxId: id })
    }
  }

  /** Does something until it goes through, with the victim started again each time it has been killed. */
  const persistently = async (work: (client: CriClient) => Promise<unknown>, revive: () => Promise<void>): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      try {
        if (child) return void (await work(child.client))
      } catch (error) {
        if (!isCriError(error) || attempt > 20) throw error
      }
      await revive()
    }
  }

  test(`the shim or the Engine is killed at any step of a pod's start and end (${rounds} times, by seed): nothing doubled, nothing left`, async () => {
    await startChild()
    // One pod undisturbed makes what is made once, and counts the steps.
    let steps = 0
    proxy.before = () => ((steps += 1), 'pass')
    const first = stepsOf()
    await bringUp(child?.client ?? shim.client, first)
    await takeDown(child?.client ?? shim.client, first)
    const before = await traces()
    for (let seed = 1; seed <= rounds; seed++) {
      const random = randomOf(seed)
      const victim = random(3) === 0 ? 'engine' : 'shim'
      const when = random(2) === 0 ? 'before' : 'after'
      let countdown = 1 + random(steps)
      let dying: Promise<void> | undefined
      const strike = async (): Promise<'pass' | 'cut'> => {
        countdown -= 1
        if (countdown !== 0) return 'pass'
        dying = victim === 'shim' ? child?.kill() : shim.engine.killDockerd()
        await dying
        return 'cut'
      }
      const events = (path: string): boolean => path.includes('/events')
      proxy.before = (_method, path) => (when === 'before' && !events(path) ? strike() : 'pass')
      proxy.after = (_method, path) => (when === 'after' && !events(path) ? strike() : 'pass')
      const revive = async (): Promise<void> => {
        if (!dying) return
        await dying
        dying = undefined
        if (victim === 'shim') await startChild()
        else {
          await shim.engine.startDockerd()
          await until(async () => (await child?.client.status({}))?.status?.conditions[0]?.status ?? false, 'the shim has found the Engine again')
        }
      }
      const what = stepsOf()
      await persistently((client) => bringUp(client, what), revive)
      await revive()
      const { containers } = (await child?.client.listContainers({ filter: { labelSelector: what.config.labels ?? {}, state: { state: 'CONTAINER_RUNNING' } } })) ?? { containers: [] }
      expect([seed, victim, when, containers.length]).toEqual([seed, victim, when, 1])
      await persistently((client) => takeDown(client, what), revive)
      await revive()
      // What helps to make containers goes behind the callers.
      await until(async () => (await traces())['containers']?.length === 0, 'no container is left')
      const now = await traces()
      expect({ seed, victim, when, ...now }).toEqual({ seed, victim, when, ...before })
    }
  })

  test('an Engine that hangs on one container: all others go on, and who waits for it has his deadline', async () => {
    await startChild()
    const client = child?.client ?? shim.client
    const as = { ...shim, client }
    const pod = await runPod(as)
    const hanging = await runShell(as, pod, 'sleep 100000')
    proxy.before = (_method, path) => (path.includes(hanging) ? 'stall' : 'pass')
    await expect(client.stopContainer({ containerId: hanging, timeout: 0n }, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'DeadlineExceeded' })
    await expect(client.execSync({ containerId: hanging, cmd: ['true'], timeout: 1n }, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'DeadlineExceeded' })
    const other = await runPod(as)
    const id = await runShell(as, other, 'sleep 100000')
    expect((await client.execSync({ containerId: id, cmd: ['echo', 'fine'] })).exitCode).toBe(0)
    expect((await client.listContainers({})).containers).toHaveLength(2)
    expect((await client.listContainerStats({})).stats).toHaveLength(2)
    await client.removePodSandbox({ podSandboxId: other.id })
    proxy.before = () => 'pass'
    proxy.release()
    await client.removePodSandbox({ podSandboxId: pod.id })
    expect((await client.listContainers({})).containers).toEqual([])
  })

  test('an Engine that hangs on one container does not keep the shim from starting', async () => {
    await startChild()
    const as = { ...shim, client: child?.client ?? shim.client }
    const [one, two] = [await runPod(as), await runPod(as)]
    const hanging = await runShell(as, one, 'sleep 100000')
    await child?.kill()
    proxy.before = (_method, path) => (path.includes(hanging) ? 'stall' : 'pass')
    await startChild()
    const client = child?.client ?? shim.client
    expect((await client.listPodSandbox({})).items.map(({ id }) => id).toSorted()).toEqual([one.id, two.id].toSorted())
    proxy.before = () => 'pass'
    proxy.release()
    await until(async () => (await client.listContainers({})).containers.some(({ id }) => id === hanging), 'the container is known once the Engine tells of it')
    for (const { id } of [one, two]) await client.removePodSandbox({ podSandboxId: id })
  })
})
