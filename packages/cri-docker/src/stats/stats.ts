import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  ContainerStats,
  ContainerStatsFilter,
  FilesystemUsage,
  Init,
  NetworkInterfaceUsage,
  NetworkUsage,
  PodSandboxStats,
  PodSandboxStatsFilter,
} from '@berth/cri'
import { podInterface } from '../sandbox/network.ts'
import { matchesLabels } from '../sandbox/status.ts'
import type { Shim } from '../shim.ts'
import type { ContainerRecord, SandboxRecord } from '../state/record.ts'
import { type CgroupUsage, parentOf, readUsage } from './cgroup.ts'
import { type NetworkCounters, parseNetDev } from './net-dev.ts'
import type { StatsSources } from './sources.ts'

/** Statistics of containers and sandboxes, from the kernel's files alone. */
export interface Stats {
  container(record: ContainerRecord): Promise<Init<ContainerStats>>
  containers(filter: ContainerStatsFilter | undefined): Promise<Init<ContainerStats>[]>
  sandbox(record: SandboxRecord): Promise<Init<PodSandboxStats>>
  sandboxes(filter: PodSandboxStatsFilter | undefined): Promise<Init<PodSandboxStats>[]>
}

interface CpuSample {
  at: number
  nanoseconds: bigint
  /** The rate of the last interval that was long enough. */
  rate: bigint
}

/** Rates over shorter intervals than this say little. */
const minRateMs = 1000

export function createStats(shim: Shim, { engineRoot, disks, pathsOf }: StatsSources): Stats {
  const samples = new Map<string, CpuSample>()
  shim.store.on('change', ({ kind, record }) => {
    if (kind === 'deleted') samples.delete(record.id)
  })

  /** Nanoseconds of CPU in a second, since the last time somebody asked. */
  const rateOf = (id: string, nanoseconds: bigint): bigint => {
    const at = performance.now()
    const last = samples.get(id)
    if (last && at - last.at < minRateMs) return last.rate
    const rate = last && nanoseconds >= last.nanoseconds ? BigInt(Math.round((Number(nanoseconds - last.nanoseconds) * 1000) / (at - last.at))) : 0n
    samples.set(id, { at, nanoseconds, rate })
    return rate
  }

  const cpuAndMemory = (id: string, usage: CgroupUsage, timestamp: bigint): Pick<Init<ContainerStats>, 'cpu' | 'memory' | 'swap'> => ({
    ...(usage.cpuNanoseconds === undefined
      ? {}
      : { cpu: { timestamp, usageCoreNanoSeconds: { value: usage.cpuNanoseconds }, usageNanoCores: { value: rateOf(id, usage.cpuNanoseconds) } } }),
    ...(usage.memoryUsage === undefined
      ? {}
      : {
          memory: {
            timestamp,
            workingSetBytes: { value: usage.workingSet ?? 0n },
            usageBytes: { value: usage.memoryUsage },
            rssBytes: { value: usage.rss ?? 0n },
            pageFaults: { value: usage.pageFaults ?? 0n },
            majorPageFaults: { value: usage.majorPageFaults ?? 0n },
            ...(usage.memoryLimit === undefined ? {} : { availableBytes: { value: usage.memoryLimit > (usage.workingSet ?? 0n) ? usage.memoryLimit - (usage.workingSet ?? 0n) : 0n } }),
          },
        }),
    ...(usage.swapUsage === undefined ? {} : { swap: { timestamp, swapUsageBytes: { value: usage.swapUsage } } }),
  })

  const stats: Stats = {
    async container(record) {
      const timestamp = BigInt(Date.now()) * 1_000_000n
      const paths = record.state === 'running' ? await pathsOf(record) : undefined
      const usage = paths ? await readUsage(paths) : {}
      const disk = disks.get(record.upperDir)
      const { metadata, labels, annotations } = record.spec
      return {
        attributes: { id: record.id, metadata, labels, annotations },
        ...cpuAndMemory(record.id, usage, timestamp),
        ...(disk ? { writableLayer: filesystem(timestamp, engineRoot, disk.bytes, disk.inodes) } : {}),
      }
    },

    async containers(filter) {
      const records = (await shim.store.containers()).filter(
        ({ id, spec }) => !filter || ((filter.id === '' || id.startsWith(filter.id)) && (filter.podSandboxId === '' || spec.sandboxId.startsWith(filter.podSandboxId)) && matchesLabels(spec.labels, filter.labelSelector)),
      )
      return Promise.all(records.map((record) => stats.container(record)))
    },

    async sandbox(record) {
      const timestamp = BigInt(Date.now()) * 1_000_000n
      const { metadata, labels, annotations } = record.spec
      const running = (await shim.store.containersOf(record.id)).filter(({ state }) => state === 'running')
      const containers = await Promise.all(running.map((container) => stats.container(container)))
      const own = record.state === 'running' ? await pathsOf(record) : undefined
      // Without a parent of its own a sandbox has no cgroup that holds it alone.
      const usage = own && record.spec.cgroupParent !== '' ? await readUsage(parentOf(own)) : {}
      const network = record.pid === 0 || record.spec.namespaces.network === 'NODE' ? undefined : await networkOf(record.pid, timestamp)
      const { cpu, memory } = cpuAndMemory(`pod ${record.id}`, usage, timestamp)
      return {
        attributes: { id: record.id, metadata, labels, annotations },
        linux: {
          ...(cpu ? { cpu } : {}),
          ...(memory ? { memory } : {}),
          ...(network ? { network } : {}),
          ...(usage.processes === undefined ? {} : { process: { timestamp, processCount: { value: usage.processes } } }),
          containers,
        },
      }
    },

    async sandboxes(filter) {
      const records = (await shim.store.sandboxes()).filter(({ id, spec }) => !filter || ((filter.id === '' || id.startsWith(filter.id)) && matchesLabels(spec.labels, filter.labelSelector)))
      return Promise.all(records.map((record) => stats.sandbox(record)))
    },
  }
  return stats
}

export function filesystem(timestamp: bigint, mountpoint: string, bytes: bigint, inodes: bigint): Init<FilesystemUsage> {
  return { timestamp, fsId: { mountpoint }, usedBytes: { value: bytes }, inodesUsed: { value: inodes } }
}

async function networkOf(pid: number, timestamp: bigint): Promise<Init<NetworkUsage> | undefined> {
  const text = await readFile(join('/proc', String(pid), 'net/dev'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : networkUsage(parseNetDev(text), timestamp)
}

/** Interfaces' counters as CRI has them: the pod's own first, the others beside it. */
export function networkUsage(counters: readonly NetworkCounters[], timestamp: bigint): Init<NetworkUsage> {
  const usage = ({ name, rxBytes, rxErrors, txBytes, txErrors }: NetworkCounters): Init<NetworkInterfaceUsage> => ({
    name,
    rxBytes: { value: rxBytes },
    rxErrors: { value: rxErrors },
    txBytes: { value: txBytes },
    txErrors: { value: txErrors },
  })
  const main = counters.find(({ name }) => name === podInterface)
  return { timestamp, ...(main ? { defaultInterface: usage(main) } : {}), interfaces: counters.filter((item) => item !== main).map(usage) }
}
