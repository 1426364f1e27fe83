// The Summary out of what the runtime and the machine tell. Pure but for the memory of CPU counters that is handed in.
import type { Pod } from '@berth/api/types/core/v1'
import type { Container, ContainerStats, CpuUsage, FilesystemUsage, MemoryUsage, NetworkUsage, PodSandboxStats, SwapUsage } from '@berth/cri'
import type { Usage } from '../node/machine.ts'
import { toTime } from '../pods/time.ts'
import { labels } from '../runtime/records.ts'
import type { NodeUsage } from './node-usage.ts'
import type { CpuRates } from './rates.ts'
import type { ContainerSummary, CpuStats, FsStats, MemoryStats, NetworkStats, NodeSummary, PodSummary, Summary, SwapStats } from './types.ts'

/** What a Summary is made of. Times are ms since 1970. */
export interface SummaryInput {
  readonly now: number
  readonly nodeName: string
  readonly startedAt: number
  /** Bytes that the node may use. */
  readonly memoryCapacity: number
  readonly node: NodeUsage
  readonly machine: Usage
  readonly imageFs: readonly FilesystemUsage[]
  readonly pods: readonly Pod[]
  /** Those that run. */
  readonly containers: readonly Container[]
  readonly containerStats: readonly ContainerStats[]
  readonly sandboxStats: readonly PodSandboxStats[]
}

type Wrapped = { readonly value: bigint } | undefined

/** Rates are of instants: whole seconds are for those who read the Summary as JSON. */
const instant = (ms: number): string => new Date(ms).toISOString()
const number = (value: Wrapped): number | undefined => (value === undefined ? undefined : Number(value.value))
const milliseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n)
/** An object without the fields that are unknown. */
const known = <T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T

/** Makes the Summary. */
export function summaryOf(input: SummaryInput, rates: CpuRates): Summary {
  const statsById = new Map(input.containerStats.map((stats) => [stats.attributes?.id ?? '', stats]))
  const pods = input.pods.flatMap((pod) => {
    const uid = pod.metadata.uid ?? ''
    const containers = newestOfEachName(input.containers.filter((container) => container.labels[labels.podUid] === uid)).flatMap((container) => {
      const stats = statsById.get(container.id)
      return stats ? [containerSummary(container, stats, rates)] : []
    })
    const sandbox = input.sandboxStats.findLast(({ attributes }) => attributes?.metadata?.uid === uid)
    return containers.length === 0 && !sandbox ? [] : [podSummary(pod, containers, sandbox, rates)]
  })
  return { node: nodeSummary(input, rates), pods }
}

/** The Summary as JSON: its times are whole seconds, as everywhere in the API. */
export function summaryJson(summary: Summary): string {
  return JSON.stringify(summary, (key, value: unknown) => ((key === 'time' || key === 'startTime') && typeof value === 'string' && value !== '' ? toTime(Date.parse(value)) : value))
}

/** CPU and memory alone, as `?only_cpu_and_memory=true` asks. */
export function cpuAndMemory({ node, pods }: Summary): Summary {
  const only = <T extends { cpu?: CpuStats, memory?: MemoryStats }>({ cpu, memory }: T): { cpu?: CpuStats, memory?: MemoryStats } => ({ ...(cpu && { cpu }), ...(memory && { memory }) })
  return {
    node: { nodeName: node.nodeName, startTime: node.startTime, ...only(node) },
    pods: pods.map((pod) => ({ podRef: pod.podRef, startTime: pod.startTime, containers: pod.containers.map((each) => ({ name: each.name, startTime: each.startTime, ...only(each) })), ...only(pod) })),
  }
}

/** A container that is being replaced may be there twice. */
function newestOfEachName(containers: readonly Container[]): Container[] {
  const newest = new Map<string, Container>()
  for (const container of containers) {
    const name = container.labels[labels.containerName] ?? ''
    const other = newest.get(name)
    if (!other || other.createdAt < container.createdAt) newest.set(name, container)
  }
  return [...newest.values()]
}

function nodeSummary({ now, nodeName, startedAt, memoryCapacity, node, machine, imageFs }: SummaryInput, rates: CpuRates): NodeSummary {
  const time = instant(now)
  const fs: FsStats = {
    time, availableBytes: Number(machine.fsAvailable), capacityBytes: Number(machine.fsCapacity), usedBytes: Number(machine.fsCapacity - machine.fsAvailable), inodesFree: Number(machine.fsInodesFree),
    inodes: Number(machine.fsInodes), inodesUsed: Number(machine.fsInodes - machine.fsInodesFree),
  }
  const images = imageFs[0]
  return known<NodeSummary>({
    nodeName, startTime: instant(startedAt),
    cpu: node.cpuNanoseconds === undefined ? undefined : known<CpuStats>({ time, usageNanoCores: rates.of('node', node.cpuNanoseconds, now), usageCoreNanoSeconds: node.cpuNanoseconds }),
    memory: known<MemoryStats>({
      time, availableBytes: Math.max(0, memoryCapacity - node.workingSetBytes), usageBytes: node.usageBytes, workingSetBytes: node.workingSetBytes, rssBytes: node.rssBytes,
      pageFaults: node.pageFaults, majorPageFaults: node.majorPageFaults,
    }),
    swap: node.swapBytes === undefined ? undefined : { time, swapUsageBytes: node.swapBytes },
    fs, runtime: images && { imageFs: { ...fs, ...fsStats(images) } },
    rlimit: { time, maxpid: Number(machine.pidsCapacity), curproc: Number(machine.pidsCapacity - machine.pidsAvailable) },
  })
}

function podSummary(pod: Pod, containers: readonly ContainerSummary[], sandbox: PodSandboxStats | undefined, rates: CpuRates): PodSummary {
  const { name, namespace = '', uid = '' } = pod.metadata
  const linux = sandbox?.linux
  const processes = number(linux?.process?.processCount)
  return known<PodSummary>({
    podRef: { name, namespace, uid }, startTime: pod.status?.startTime ?? '', containers: [...containers],
    // A runtime that tells nothing of pods: theirs is what their containers use.
    cpu: linux?.cpu?.usageCoreNanoSeconds ? cpuStats(linux.cpu, `pod/${uid}`, rates) : sumCpu(containers), memory: linux?.memory?.workingSetBytes ? memoryStats(linux.memory) : sumMemory(containers),
    swap: sumSwap(containers), network: linux?.network && networkStats(linux.network), process_stats: processes === undefined ? undefined : { process_count: processes },
  })
}

function containerSummary(container: Container, stats: ContainerStats, rates: CpuRates): ContainerSummary {
  return known<ContainerSummary>({
    name: container.labels[labels.containerName] ?? '', startTime: instant(milliseconds(container.createdAt)),
    cpu: stats.cpu && cpuStats(stats.cpu, `container/${container.id}`, rates), memory: stats.memory && memoryStats(stats.memory), swap: stats.swap && swapStats(stats.swap),
    rootfs: stats.writableLayer && fsStats(stats.writableLayer),
  })
}

function cpuStats({ timestamp, usageCoreNanoSeconds, usageNanoCores }: CpuUsage, key: string, rates: CpuRates): CpuStats {
  const used = number(usageCoreNanoSeconds)
  const time = milliseconds(timestamp)
  return known<CpuStats>({ time: instant(time), usageNanoCores: number(usageNanoCores) ?? (used === undefined ? undefined : rates.of(key, used, time)), usageCoreNanoSeconds: used })
}

function memoryStats(memory: MemoryUsage): MemoryStats {
  return known<MemoryStats>({
    time: instant(milliseconds(memory.timestamp)), availableBytes: number(memory.availableBytes), usageBytes: number(memory.usageBytes), workingSetBytes: number(memory.workingSetBytes), rssBytes: number(memory.rssBytes),
    pageFaults: number(memory.pageFaults), majorPageFaults: number(memory.majorPageFaults),
  })
}

function swapStats(swap: SwapUsage): SwapStats {
  return known<SwapStats>({ time: instant(milliseconds(swap.timestamp)), swapAvailableBytes: number(swap.swapAvailableBytes), swapUsageBytes: number(swap.swapUsageBytes) })
}

function fsStats(fs: FilesystemUsage): FsStats {
  return known<FsStats>({ time: instant(milliseconds(fs.timestamp)), usedBytes: number(fs.usedBytes), inodesUsed: number(fs.inodesUsed) })
}

function networkStats({ timestamp, defaultInterface, interfaces }: NetworkUsage): NetworkStats {
  const each = (usage: NonNullable<typeof defaultInterface>): NetworkStats['interfaces'][number] => known<NetworkStats['interfaces'][number]>({
    name: usage.name, rxBytes: number(usage.rxBytes), rxErrors: number(usage.rxErrors), txBytes: number(usage.txBytes), txErrors: number(usage.txErrors),
  })
  const all = interfaces.length > 0 ? interfaces : defaultInterface ? [defaultInterface] : []
  return { time: instant(milliseconds(timestamp)), name: '', ...(defaultInterface && each(defaultInterface)), interfaces: all.map(each) }
}

/** The sum of what is known, at the last of the times; undefined where nothing is. */
function sum<T extends { readonly time: string }>(parts: readonly T[], ...fields: (keyof T)[]): T | undefined {
  const [first] = parts
  if (!first) return undefined
  const time = parts.reduce((latest, part) => (part.time > latest ? part.time : latest), first.time)
  const totals = fields.map((field) => [field, parts.reduce<number | undefined>((total, part) => (typeof part[field] === 'number' ? (total ?? 0) + Number(part[field]) : total), undefined)] as const)
  return { time, ...Object.fromEntries(totals.filter(([, total]) => total !== undefined)) } as unknown as T
}

const sumCpu = (containers: readonly ContainerSummary[]): CpuStats | undefined => sum(containers.flatMap(({ cpu }) => cpu ?? []), 'usageNanoCores', 'usageCoreNanoSeconds')
const sumMemory = (containers: readonly ContainerSummary[]): MemoryStats | undefined => sum(containers.flatMap(({ memory }) => memory ?? []), 'usageBytes', 'workingSetBytes', 'rssBytes', 'pageFaults', 'majorPageFaults')
const sumSwap = (containers: readonly ContainerSummary[]): SwapStats | undefined => sum(containers.flatMap(({ swap }) => swap ?? []), 'swapAvailableBytes', 'swapUsageBytes')
