// What the whole node uses: where it has a cgroup of its own (several nodes may share a machine) that and this process, else the machine.
import { readFile } from 'node:fs/promises'
import type { Cgroups } from '../cgroups/files.ts'
import { memoryField } from '../node/machine.ts'

/** CPU time in nanoseconds since the cgroup was made or the machine started; memory and swap in bytes. */
export interface NodeUsage {
  readonly cpuNanoseconds: number | undefined
  readonly usageBytes: number
  /** What cannot be dropped when memory runs short: all but inactive file pages. */
  readonly workingSetBytes: number
  readonly rssBytes: number
  readonly pageFaults: number | undefined
  readonly majorPageFaults: number | undefined
  readonly swapBytes: number | undefined
}

/** /proc/stat counts in hundredths of a second. */
const nanosecondsPerTick = 10_000_000

/** Reads the usage of the node whose pods are below `cgroupRoot`. */
export async function readNodeUsage(cgroups: Cgroups, cgroupRoot: string): Promise<NodeUsage> {
  const own = cgroupRoot === '' || cgroupRoot === '/' ? undefined : await ofCgroup(cgroups, cgroupRoot)
  if (own) return withProcess(own, process.cpuUsage(), process.memoryUsage.rss())
  const [stat, meminfo, vmstat] = await Promise.all(['/proc/stat', '/proc/meminfo', '/proc/vmstat'].map((path) => readFile(path, 'utf8').catch(() => '')))
  return ofMachine(stat ?? '', meminfo ?? '', vmstat ?? '')
}

/** The node's cgroup holds its pods: this process, which is the rest of the node, is outside of it. CPU in microseconds, bytes. */
export function withProcess(pods: NodeUsage, cpu: { readonly user: number, readonly system: number }, rss: number): NodeUsage {
  return {
    ...pods, cpuNanoseconds: (pods.cpuNanoseconds ?? 0) + (cpu.user + cpu.system) * 1000, usageBytes: pods.usageBytes + rss, workingSetBytes: pods.workingSetBytes + rss, rssBytes: pods.rssBytes + rss,
  }
}

/** The machine's usage out of /proc/stat, /proc/meminfo and /proc/vmstat. */
export function ofMachine(stat: string, meminfo: string, vmstat: string): NodeUsage {
  // user nice system idle iowait irq softirq steal; guest time is in user already.
  const ticks = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? '').split(/\s+/).map(Number)
  const busy = [0, 1, 2, 5, 6, 7].reduce((sum, at) => sum + (ticks[at] ?? 0), 0)
  const field = (name: string): number => Number(memoryField(meminfo, name))
  const usageBytes = field('MemTotal') - field('MemFree')
  return {
    cpuNanoseconds: ticks.length > 3 ? busy * nanosecondsPerTick : undefined, usageBytes, workingSetBytes: Math.max(0, usageBytes - field('Inactive\\(file\\)')), rssBytes: field('AnonPages'),
    pageFaults: statField(vmstat, 'pgfault'), majorPageFaults: statField(vmstat, 'pgmajfault'), swapBytes: field('SwapTotal') - field('SwapFree'),
  }
}

async function ofCgroup(cgroups: Cgroups, path: string): Promise<NodeUsage | undefined> {
  const v2 = cgroups.version === 2
  const [cpu, usage, stat, swap] = await Promise.all([
    v2 ? cgroups.read(path, 'cpu', 'cpu.stat') : cgroups.read(path, 'cpuacct', 'cpuacct.usage'),
    cgroups.read(path, 'memory', v2 ? 'memory.current' : 'memory.usage_in_bytes'),
    cgroups.read(path, 'memory', 'memory.stat'),
    v2 ? cgroups.read(path, 'memory', 'memory.swap.current') : undefined,
  ])
  return cpu === undefined || usage === undefined || stat === undefined ? undefined : usageOfFiles(cgroups.version, cpu, usage, stat, swap)
}

/** A cgroup's usage out of its files: cpu.stat, memory.current, memory.stat, memory.swap.current, or those of version 1. */
export function usageOfFiles(version: 1 | 2, cpu: string, usage: string, stat: string, swap: string | undefined): NodeUsage {
  const total = version === 2 ? '' : 'total_'
  const usageBytes = Number(usage.trim())
  const cpuNanoseconds = version === 2 ? (statField(cpu, 'usage_usec') ?? 0) * 1000 : Number(cpu.trim())
  return {
    cpuNanoseconds, usageBytes, workingSetBytes: Math.max(0, usageBytes - (statField(stat, `${total}inactive_file`) ?? 0)),
    rssBytes: statField(stat, version === 2 ? 'anon' : 'total_rss') ?? 0, pageFaults: statField(stat, `${total}pgfault`), majorPageFaults: statField(stat, `${total}pgmajfault`),
    swapBytes: version === 2 ? (swap === undefined ? undefined : Number(swap.trim())) : statField(stat, 'total_swap'),
  }
}

function statField(text: string, name: string): number | undefined {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]
  return value === undefined ? undefined : Number(value)
}
