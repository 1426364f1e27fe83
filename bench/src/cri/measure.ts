import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { spread } from '../table.ts'
import type { Contender } from './contenders.ts'

/** What is measured, with its unit; a figure each time it is taken. */
export type Figures = Map<string, { unit: string; values: number[] }>

function note(figures: Figures, what: string, unit: string, value: number): void {
  const entry = figures.get(what) ?? { unit, values: [] }
  entry.values.push(value)
  figures.set(what, entry)
}

async function timed<T>(figures: Figures, what: string, call: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const answer = await call()
  note(figures, what, 'ms', performance.now() - started)
  return answer
}

/** Resident memory of these processes, MB. */
function residentMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024, 0)
}

/** CPU that these processes have used, milliseconds (a clock tick is 10). */
function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) * 10
  }, 0)
}

/**
 * Makes pods until there are as many as each level says, timing every call, and measures at each level what does not make pods: commands, lists, statistics, memory, and the CPU that
 * a kubelet's asking costs. Ends with none left.
 */
export async function measure({ name, client, image, shim, engine }: Contender, levels: readonly number[], rounds: number, log: (line: string) => void): Promise<Figures> {
  const figures: Figures = new Map()
  // Kubelets name images by their ids.
  const imageId = (await client.imageStatus({ image: { image } })).image?.id ?? image
  const pods: { podSandboxId: string; containerId: string }[] = []
  try {
    for (const level of levels) {
      while (pods.length < level) pods.push(await startPod(figures, client, imageId, pods.length, level === 1 ? undefined : ''))
      log(`${name}: ${level} pods`)
      const at = `, ${level} ${level === 1 ? 'pod' : 'pods'}`
      const [first] = pods
      for (let round = 0; round < rounds; round++) {
        await timed(figures, `ExecSync true${at}`, () => client.execSync({ containerId: first?.containerId ?? '', cmd: ['true'], timeout: 10n }))
        await timed(figures, `ListContainers${at}`, () => client.listContainers({}))
        await timed(figures, `ListPodSandbox${at}`, () => client.listPodSandbox({}))
        await timed(figures, `ContainerStatus${at}`, () => client.containerStatus({ containerId: first?.containerId ?? '' }))
        await timed(figures, `ListContainerStats${at}`, () => client.listContainerStats({}))
      }
      const before = { shim: cpuMs(shim), engine: cpuMs(engine) }
      const seconds = 5
      for (let second = 0; second < seconds; second++) {
        // What a kubelet without CRI events asks each second, and its probes.
        await Promise.all([client.listPodSandbox({}), client.listContainers({}), client.status({}), ...pods.slice(0, 3).map(({ containerId }) => client.execSync({ containerId, cmd: ['true'], timeout: 10n }))])
        await sleep(1000)
      }
      if (shim.length > 0) note(figures, `CPU of the shim, asked each second${at}`, 'ms/s', (cpuMs(shim) - before.shim) / seconds)
      note(figures, `CPU of the Engine, asked each second${at}`, 'ms/s', (cpuMs(engine) - before.engine) / seconds)
      if (shim.length > 0) note(figures, `RSS of the shim${at}`, 'MB', residentMb(shim))
      note(figures, `RSS of the Engine${at}`, 'MB', residentMb(engine))
    }
  } finally {
    for (const { podSandboxId, containerId } of pods) {
      await timed(figures, 'StopContainer', () => client.stopContainer({ containerId, timeout: 0n }))
      await timed(figures, 'StopPodSandbox', () => client.stopPodSandbox({ podSandboxId }))
      await timed(figures, 'RemovePodSandbox', () => client.removePodSandbox({ podSandboxId }))
    }
  }
  for (const [what, { unit, values }] of figures) log(`${name}: ${what}: ${spread(values).median.toFixed(2)} ${unit}`)
  return figures
}

/** `suffix` undefined: the first pods, which pay for what is made once, are not counted. */
async function startPod(figures: Figures, client: Contender['client'], imageId: string, index: number, suffix: string | undefined): Promise<{ podSandboxId: string; containerId: string }> {
  const into: Figures = suffix === undefined ? new Map() : figures
  const config = { metadata: { name: `bench-${index}`, uid: `bench-${process.pid}-${index}`, namespace: 'bench', attempt: 0 }, hostname: `bench-${index}`, logDirectory: `/tmp/berth-bench-logs/${process.pid}/${index}`, linux: { cgroupParent: `/berth-bench-${process.pid}/pod${index}`, securityContext: { seccomp: { profileType: 'RuntimeDefault' as const } } } }
  // The kubelet's part.
  mkdirSync(config.logDirectory, { recursive: true })
  const { podSandboxId } = await timed(into, 'RunPodSandbox with CNI', () => client.runPodSandbox({ config }))
  const container = { metadata: { name: 'main', attempt: 0 }, image: { image: imageId }, command: ['sleep', '100000'], logPath: '0.log', linux: { securityContext: { seccomp: { profileType: 'RuntimeDefault' as const } } } }
  const { containerId } = await timed(into, 'CreateContainer', () => client.createContainer({ podSandboxId, config: container, sandboxConfig: config }))
  await timed(into, 'StartContainer', () => client.startContainer({ containerId }))
  return { podSandboxId, containerId }
}
