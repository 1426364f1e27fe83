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

interface Side {
  contender: Contender
  figures: Figures
  imageId: string
  pods: { podSandboxId: string; containerId: string }[]
}

/**
 * Makes pods until there are as many as each level says, timing every call, and measures at each level what does not make pods: commands, lists, statistics, memory, and the CPU that
 * a kubelet's asking costs. The contenders take turns at every call, so that what else the machine does hits them alike. Ends with no pods left.
 */
export async function measure(contenders: readonly Contender[], levels: readonly number[], rounds: number, log: (line: string) => void): Promise<Figures[]> {
  const sides: Side[] = []
  // Kubelets name images by their ids.
  for (const contender of contenders) sides.push({ contender, figures: new Map(), imageId: (await contender.client.imageStatus({ image: { image: contender.image } })).image?.id ?? contender.image, pods: [] })
  try {
    for (const level of levels) {
      for (let index = sides[0]?.pods.length ?? 0; index < level; index++) {
        // The first pods pay for what is made once.
        for (const { contender, figures, imageId, pods } of sides) pods.push(await startPod(index < 2 ? new Map() : figures, contender.client, imageId, index))
      }
      const at = `, ${level} ${level === 1 ? 'pod' : 'pods'}`
      log(`measuring${at}`)
      for (let round = 0; round < rounds; round++) {
        for (const { contender: { client }, figures, pods } of sides) {
          const containerId = pods[0]?.containerId ?? ''
          await timed(figures, `ExecSync true${at}`, () => client.execSync({ containerId, cmd: ['true'], timeout: 10n }))
          await timed(figures, `ListContainers${at}`, () => client.listContainers({}))
          await timed(figures, `ListPodSandbox${at}`, () => client.listPodSandbox({}))
          await timed(figures, `ContainerStatus${at}`, () => client.containerStatus({ containerId }))
        }
      }
      for (let round = 0; round < Math.min(rounds, 5); round++) for (const { contender, figures } of sides) await timed(figures, `ListContainerStats${at}`, () => contender.client.listContainerStats({}))
      for (const side of sides) await measureCost(side, at)
    }
  } finally {
    for (let index = levels.at(-1) ?? 0; index >= 0; index--) for (const { contender, figures, pods } of sides) await endPod(figures, contender.client, pods[index])
  }
  for (const { contender, figures } of sides) for (const [what, { unit, values }] of figures) log(`${contender.name}: ${what}: ${spread(values).median.toFixed(2)} ${unit}`)
  return sides.map(({ figures }) => figures)
}

/** What a kubelet without CRI events asks each second, and its probes, cost of CPU; and the memory after it. */
async function measureCost({ contender: { client, shim, engine }, figures, pods }: Side, at: string): Promise<void> {
  const before = { shim: cpuMs(shim), engine: cpuMs(engine) }
  const seconds = 5
  for (let second = 0; second < seconds; second++) {
    await Promise.all([client.listPodSandbox({}), client.listContainers({}), client.status({}), ...pods.slice(0, 3).map(({ containerId }) => client.execSync({ containerId, cmd: ['true'], timeout: 10n }))])
    await sleep(1000)
  }
  if (shim.length > 0) note(figures, `CPU of the shim, asked each second${at}`, 'ms/s', (cpuMs(shim) - before.shim) / seconds)
  note(figures, `CPU of the Engine, asked each second${at}`, 'ms/s', (cpuMs(engine) - before.engine) / seconds)
  if (shim.length > 0) note(figures, `RSS of the shim${at}`, 'MB', residentMb(shim))
  note(figures, `RSS of the Engine${at}`, 'MB', residentMb(engine))
}

async function endPod(figures: Figures, client: Contender['client'], pod: Side['pods'][number] | undefined): Promise<void> {
  if (!pod) return
  const { podSandboxId, containerId } = pod
  await timed(figures, 'StopContainer', () => client.stopContainer({ containerId, timeout: 0n }))
  await timed(figures, 'StopPodSandbox', () => client.stopPodSandbox({ podSandboxId }))
  await timed(figures, 'RemovePodSandbox', () => client.removePodSandbox({ podSandboxId }))
}

/** Of all contenders: each pod has a log directory and a cgroup of its own. */
let pods = 0

async function startPod(into: Figures, client: Contender['client'], imageId: string, index: number): Promise<{ podSandboxId: string; containerId: string }> {
  const folder = `/tmp/berth-bench-logs/${process.pid}/${pods++}`
  const config = { metadata: { name: `bench-${index}`, uid: `bench-${process.pid}-${index}`, namespace: 'bench', attempt: 0 }, hostname: `bench-${index}`, logDirectory: folder, linux: { cgroupParent: `/berth-bench-${process.pid}/pod${pods}`, securityContext: { seccomp: { profileType: 'RuntimeDefault' as const } } } }
  // The kubelet's part.
  mkdirSync(config.logDirectory, { recursive: true })
  const { podSandboxId } = await timed(into, 'RunPodSandbox with CNI', () => client.runPodSandbox({ config }))
  const container = { metadata: { name: 'main', attempt: 0 }, image: { image: imageId }, command: ['sleep', '100000'], logPath: '0.log', linux: { securityContext: { seccomp: { profileType: 'RuntimeDefault' as const } } } }
  const { containerId } = await timed(into, 'CreateContainer', () => client.createContainer({ podSandboxId, config: container, sandboxConfig: config }))
  await timed(into, 'StartContainer', () => client.startContainer({ containerId }))
  return { podSandboxId, containerId }
}
