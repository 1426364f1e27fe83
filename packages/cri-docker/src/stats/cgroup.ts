import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where cgroup file systems are mounted. */
const root = '/sys/fs/cgroup'

/** The files of one cgroup, on either version of cgroups. */
export interface CgroupPaths {
  version: 1 | 2
  /** Relative to the root of each hierarchy. */
  cpu: string
  memory: string
  pids: string
  io: string
  hugetlb: string
}

/** The cgroups of a process, from its /proc/PID/cgroup. */
export function parseCgroups(text: string): CgroupPaths | undefined {
  const byController = new Map<string, string>()
  let unified: string | undefined
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line)
    if (!match) continue
    const [, controllers = '', path = ''] = match
    if (controllers === '') unified = path
    else for (const controller of controllers.split(',')) byController.set(controller, path)
  }
  const [cpu, memory] = [byController.get('cpuacct'), byController.get('memory')]
  if (cpu !== undefined && memory !== undefined) return { version: 1, cpu, memory, pids: byController.get('pids') ?? memory, io: byController.get('blkio') ?? memory, hugetlb: byController.get('hugetlb') ?? memory }
  return unified === undefined ? undefined : { version: 2, cpu: unified, memory: unified, pids: unified, io: unified, hugetlb: unified }
}

export async function cgroupsOf(pid: number): Promise<CgroupPaths | undefined> {
  try {
    return parseCgroups(await readFile(`/proc/${pid}/cgroup`, 'utf8'))
  } catch {
    return undefined
  }
}

/** The processes of a cgroup. */
export async function processesIn(paths: CgroupPaths): Promise<number[]> {
  const content = await text(paths.version === 1 ? join(root, 'memory', paths.memory, 'cgroup.procs') : join(root, paths.cpu, 'cgroup.procs'))
  return (content ?? '').split('\n').filter((line) => line !== '').map(Number)
}

/** The cgroup above: a sandbox's own, from that of its pause. */
export function parentOf({ version, ...paths }: CgroupPaths): CgroupPaths {
  const up = (path: string): string => path.replace(/\/[^/]*$/, '') || '/'
  return { version, cpu: up(paths.cpu), memory: up(paths.memory), pids: up(paths.pids), io: up(paths.io), hugetlb: up(paths.hugetlb) }
}

/** What a cgroup has used. Absent where its file could not be read. */
export interface CgroupUsage {
  /** Nanoseconds of all cores together. */
  cpuNanoseconds?: bigint
  memoryUsage?: bigint
  /** Usage without what the kernel would let go first. */
  workingSet?: bigint
  rss?: bigint
  pageFaults?: bigint
  majorPageFaults?: bigint
  /** Undefined where there is no limit. */
  memoryLimit?: bigint
  swapUsage?: bigint
  processes?: bigint
}

/** Reads a cgroup's usage; files that are missing leave their fields out. */
export async function readUsage(paths: CgroupPaths): Promise<CgroupUsage> {
  return paths.version === 1 ? readVersion1(paths) : readVersion2(paths)
}

async function readVersion1({ cpu, memory, pids }: CgroupPaths): Promise<CgroupUsage> {
  const inMemory = (file: string): Promise<string | undefined> => text(join(root, 'memory', memory, file))
  const [cpuUsage, usage, stat, limit, current] = await Promise.all([
    text(join(root, 'cpuacct', cpu, 'cpuacct.usage')),
    inMemory('memory.usage_in_bytes'),
    inMemory('memory.stat'),
    inMemory('memory.limit_in_bytes'),
    text(join(root, 'pids', pids, 'pids.current')),
  ])
  const fields = keyed(stat)
  return usageOf(integer(cpuUsage), integer(usage), fields.get('total_inactive_file'), integer(limit), {
    rss: fields.get('total_rss'),
    pageFaults: fields.get('total_pgfault'),
    majorPageFaults: fields.get('total_pgmajfault'),
    swapUsage: fields.get('total_swap'),
    processes: integer(current),
  })
}

async function readVersion2({ cpu: path }: CgroupPaths): Promise<CgroupUsage> {
  const file = (name: string): Promise<string | undefined> => text(join(root, path, name))
  const [cpuStat, usage, stat, limit, swap, current] = await Promise.all(['cpu.stat', 'memory.current', 'memory.stat', 'memory.max', 'memory.swap.current', 'pids.current'].map(file))
  const fields = keyed(stat)
  const microseconds = keyed(cpuStat).get('usage_usec')
  return usageOf(microseconds === undefined ? undefined : microseconds * 1000n, integer(usage), fields.get('inactive_file'), integer(limit), {
    rss: fields.get('anon'),
    pageFaults: fields.get('pgfault'),
    majorPageFaults: fields.get('pgmajfault'),
    swapUsage: integer(swap),
    processes: integer(current),
  })
}

/** Limits above this are the kernel's way to say that there is none. */
const noLimit = 2n ** 62n

function usageOf(
  cpuNanoseconds: bigint | undefined,
  memoryUsage: bigint | undefined,
  inactiveFile: bigint | undefined,
  limit: bigint | undefined,
  rest: { [Key in 'rss' | 'pageFaults' | 'majorPageFaults' | 'swapUsage' | 'processes']: bigint | undefined },
): CgroupUsage {
  const usage: CgroupUsage = {}
  if (cpuNanoseconds !== undefined) usage.cpuNanoseconds = cpuNanoseconds
  if (memoryUsage !== undefined) {
    usage.memoryUsage = memoryUsage
    const inactive = inactiveFile ?? 0n
    usage.workingSet = inactive > memoryUsage ? 0n : memoryUsage - inactive
  }
  if (limit !== undefined && limit < noLimit) usage.memoryLimit = limit
  for (const key of ['rss', 'pageFaults', 'majorPageFaults', 'swapUsage', 'processes'] as const) {
    const value = rest[key]
    if (value !== undefined) usage[key] = value
  }
  return usage
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}

function integer(value: string | undefined): bigint | undefined {
  const trimmed = value?.trim() ?? ''
  return /^\d+$/.test(trimmed) ? BigInt(trimmed) : undefined
}

function keyed(content: string | undefined): Map<string, bigint> {
  const fields = new Map<string, bigint>()
  for (const line of (content ?? '').split('\n')) {
    const match = /^(\S+) (\d+)$/.exec(line)
    if (match) fields.set(match[1] ?? '', BigInt(match[2] ?? '0'))
  }
  return fields
}
