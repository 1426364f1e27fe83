import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerConfig, createCriClient, type CriClient, type Init, type PodSandboxConfig } from '@berth/cri'
import { createLogger, type RunningPart, silentLogger } from '@berth/kube'
import { type CriDockerOptions, startCriDocker } from '../../src/index.ts'
import { engineMissing, importBusybox, startEngine, testCgroup, type TestEngine, until } from './engine.ts'

export const busybox = 'berth.test/busybox:1'

/** A private Engine, the shim on it, and a client. */
export interface TestShim {
  engine: TestEngine
  client: CriClient
  /** Where the kubelet would have its pod log directories. */
  logDirectory: string
  options: CriDockerOptions
  /** Ends the shim in order and starts another one, with these options changed. */
  restartShim(changed?: Partial<CriDockerOptions>): Promise<void>
  stop(): Promise<void>
}

/** Why this cannot be run here, or ''. */
export function shimMissing(): string {
  return engineMissing() || (existsSync('/usr/lib/cni/bridge') ? '' : 'needs the CNI plugins in /usr/lib/cni')
}

let networks = 0

export async function startShim(overrides: Partial<CriDockerOptions> = {}): Promise<TestShim> {
  const engine = await startEngine()
  await importBusybox(engine.docker, busybox)
  const { directory } = engine
  const cniConfDir = join(directory, 'cni')
  const bridge = `bt${process.pid}x${networks++}`.slice(-15)
  const subnet = `10.${200 + (process.pid % 50)}.${networks}.0/24`
  mkdirSync(cniConfDir, { recursive: true })
  writeFileSync(
    join(cniConfDir, '10-test.conflist'),
    JSON.stringify({ cniVersion: '1.0.0', name: 'test', plugins: [{ type: 'bridge', bridge, isGateway: true, ipam: { type: 'host-local', subnet, dataDir: join(directory, 'ipam') } }] }),
  )
  const options: CriDockerOptions = {
    dockerHost: `unix://${engine.socket}`,
    endpoint: `unix://${join(directory, 'cri.sock')}`,
    cniConfDir,
    cniBinDirs: ['/usr/lib/cni'],
    cniCacheDir: join(directory, 'cni-cache'),
    rootDir: join(directory, 'cri-docker'),
    streamingAddress: '127.0.0.1:0',
    nodeLabel: 'node-a',
    logger: process.env['BERTH_TEST_LOG'] ? createLogger({ name: 'cri-docker' }) : silentLogger(),
    ...overrides,
  }
  let shim: RunningPart = await startCriDocker(options)
  const client = createCriClient(options.endpoint)
  return {
    engine,
    client,
    logDirectory: join(directory, 'pods'),
    options,
    async restartShim(changed = {}) {
      await shim.stop()
      Object.assign(options, changed)
      shim = await startCriDocker(options)
      await until(() => client.version({}).then(() => true, () => false), 'the client has found the new shim')
    },
    async stop() {
      for (const { id } of (await client.listPodSandbox({}).catch(() => ({ items: [] }))).items) await client.removePodSandbox({ podSandboxId: id }).catch(() => {})
      client.close()
      await shim.stop()
      await engine.stop()
      try {
        execFileSync('ip', ['link', 'del', bridge], { stdio: 'ignore' })
      } catch {
        // No pod was attached.
      }
    },
  }
}

let pods = 0

/** A pod's sandbox configuration with names of its own. */
export function podConfig(shim: TestShim, fields: Init<PodSandboxConfig> = {}): Init<PodSandboxConfig> & { metadata: { name: string; uid: string; namespace: string; attempt: number } } {
  const name = `pod-${pods++}`
  return {
    hostname: name,
    logDirectory: join(shim.logDirectory, name),
    labels: { 'io.kubernetes.pod.name': name },
    annotations: { note: 'kept' },
    linux: { cgroupParent: `${testCgroup}/${name}` },
    ...fields,
    metadata: { name, uid: `uid-${name}`, namespace: 'default', attempt: 0 },
  }
}

/** Runs a sandbox and gives its id with its configuration. */
export async function runPod(shim: TestShim, fields: Init<PodSandboxConfig> = {}): Promise<{ id: string; config: ReturnType<typeof podConfig> }> {
  const config = podConfig(shim, fields)
  const { podSandboxId } = await shim.client.runPodSandbox({ config })
  return { id: podSandboxId, config }
}

/** Creates a container that runs this shell script. */
export async function createShell(shim: TestShim, pod: { id: string; config: Init<PodSandboxConfig> }, script: string, fields: Init<ContainerConfig> = {}, attempt = 0): Promise<string> {
  const config: Init<ContainerConfig> = {
    image: { image: busybox },
    command: ['sh', '-c'],
    args: [script],
    logPath: `main/${attempt}.log`,
    labels: { 'io.kubernetes.container.name': 'main' },
    ...fields,
    metadata: { name: 'main', attempt, ...fields.metadata },
  }
  const { containerId } = await shim.client.createContainer({ podSandboxId: pod.id, config, sandboxConfig: pod.config })
  return containerId
}

/** Creates and starts a container that runs this shell script. */
export async function runShell(...args: Parameters<typeof createShell>): Promise<string> {
  const containerId = await createShell(...args)
  await args[0].client.startContainer({ containerId })
  return containerId
}

/** Waits until a container has ended and gives its status. */
export async function ended(shim: TestShim, containerId: string): Promise<NonNullable<Awaited<ReturnType<CriClient['containerStatus']>>['status']>> {
  const status = async (): Promise<NonNullable<Awaited<ReturnType<CriClient['containerStatus']>>['status']>> => {
    const answer = await shim.client.containerStatus({ containerId })
    if (!answer.status) throw new Error('no status')
    return answer.status
  }
  await until(async () => (await status()).state === 'CONTAINER_EXITED', 'the container has ended')
  return status()
}

/** What a container has written, of its CRI log, without stamps. */
export function logLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\S+ /, ''))
}
