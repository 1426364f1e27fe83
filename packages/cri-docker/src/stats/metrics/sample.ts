import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CgroupPaths } from '../cgroup.ts'

/** One device's transfers. */
export interface DeviceSample {
  major: string
  minor: string
  operation: string
  bytes: bigint
  count: bigint
}

/** What the kernel's files say of one cgroup. What could not be read is absent. */
export interface MetricSample {
  cpuNs?: bigint
  cpuUserNs?: bigint
  cpuSystemNs?: bigint
  cfsPeriods?: bigint
  cfsThrottledPeriods?: bigint
  cfsThrottledNs?: bigint
  memory: Map<'cache' | 'rss' | 'swap' | 'mappedFile' | 'kernel' | 'maxUsage' | 'failures' | 'usage' | 'workingSet' | 'oomKills' | 'pageFaults' | 'majorPageFaults' | 'ownPageFaults' | 'ownMajorPageFaults', bigint>
  devices: DeviceSample[]
  hugePages: { size: string; usage: bigint; maxUsage: bigint }[]
  /** Microseconds in which some, and in which all tasks waited. */
  pressure: Map<'cpu' | 'memory' | 'io', { some: bigint; full: bigint }>
  threads?: bigint
  /** 0 where there is no limit. */
  threadsMax?: bigint
  processes?: bigint
  fileDescriptors?: bigint
  sockets?: bigint
  /** Soft limit of open files of the first process; undefined for none. */
  openFilesLimit?: bigint
}

const root = '/sys/fs/cgroup'

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

function integer(content: string): bigint | undefined {
  const value = content.trim()
  return /^\d+$/.test(value) ? BigInt(value) : undefined
}

/** Lines `key value`. */
export function keyed(content: string): Map<string, bigint> {
  const fields = new Map<string, bigint>()
  for (const match of content.matchAll(/^(\S+) (\d+)$/gm)) fields.set(match[1] ?? '', BigInt(match[2] ?? '0'))
  return fields
}

/** `some avg10=0.00 ... total=123` and `full ...`. */
export function parsePressure(content: string): { some: bigint; full: bigint } | undefined {
  const total = (kind: string): bigint | undefined => {
    const match = new RegExp(`^${kind} .*total=(\\d+)$`, 'm').exec(content)
    return match ? BigInt(match[1] ?? '0') : undefined
  }
  const some = total('some')
  return some === undefined ? undefined : { some, full: total('full') ?? 0n }
}

/** blkio.throttle.io_service_bytes and io_serviced of cgroup v1: `8:0 Read 4096`. */
export function parseBlkio(bytes: string, counts: string): DeviceSample[] {
  const devices = new Map<string, DeviceSample>()
  for (const [field, content] of [['bytes', bytes], ['count', counts]] as const) {
    for (const [, major = '', minor = '', operation = '', value = '0'] of content.matchAll(/^(\d+):(\d+) (Read|Write|Discard|Sync|Async) (\d+)$/gm)) {
      const key = `${major}:${minor} ${operation}`
      const device = devices.get(key) ?? { major, minor, operation, bytes: 0n, count: 0n }
      device[field] = BigInt(value)
      devices.set(key, device)
    }
  }
  return [...devices.values()]
}

/** io.stat of cgroup v2: `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
export function parseIoStat(content: string): DeviceSample[] {
  return [...content.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major = '', minor = '', rest = '']) => {
    const fields = new Map(rest.split(' ').map((pair) => pair.split('=') as [string, string]))
    const sample = (operation: string, letter: string): DeviceSample => ({ major, minor, operation, bytes: BigInt(fields.get(`${letter}bytes`) ?? '0'), count: BigInt(fields.get(`${letter}ios`) ?? '0') })
    return [sample('Read', 'r'), sample('Write', 'w'), sample('Discard', 'd')]
  })
}

/** Reads one cgroup; `pid` is its first process, 0 for a cgroup of cgroups (a pod's), of which no processes are counted. */
export async function readSample(paths: CgroupPaths, pid: number): Promise<MetricSample> {
  const sample: MetricSample = { memory: new Map(), devices: [], hugePages: [], pressure: new Map() }
  await Promise.all([paths.version === 1 ? readVersion1(sample, paths) : readVersion2(sample, paths), readProcesses(sample, paths, pid)])
  return sample
}

async function readVersion1(sample: MetricSample, paths: CgroupPaths): Promise<void> {
  const read = (controller: string, path: string, file: string): Promise<string> => text(join(root, controller, path, file))
  const memory = (file: string): Promise<string> => read('memory', paths.memory, file)
  const [usage, usageUser, usageSystem, cpuStat, stat, usageBytes, maxUsage, failures, kernel, oom, bytes, counts] = await Promise.all([
    ...['cpuacct.usage', 'cpuacct.usage_user', 'cpuacct.usage_sys'].map((file) => read('cpuacct', paths.cpu, file)),
    read('cpu', paths.cpu, 'cpu.stat'),
    ...['memory.stat', 'memory.usage_in_bytes', 'memory.max_usage_in_bytes', 'memory.failcnt', 'memory.kmem.usage_in_bytes', 'memory.oom_control'].map(memory),
    ...['blkio.throttle.io_service_bytes_recursive', 'blkio.throttle.io_serviced_recursive'].map((file) => read('blkio', paths.io, file)),
  ])
  assign(sample, { cpuNs: integer(usage ?? ''), cpuUserNs: integer(usageUser ?? ''), cpuSystemNs: integer(usageSystem ?? '') })
  const cpu = keyed(cpuStat ?? '')
  assign(sample, { cfsPeriods: cpu.get('nr_periods'), cfsThrottledPeriods: cpu.get('nr_throttled'), cfsThrottledNs: cpu.get('throttled_time') })
  const fields = keyed(stat ?? '')
  const used = integer(usageBytes ?? '')
  set(sample, {
    cache: fields.get('total_cache'),
    rss: fields.get('total_rss'),
    swap: fields.get('total_swap') ?? 0n,
    mappedFile: fields.get('total_mapped_file'),
    kernel: integer(kernel ?? ''),
    maxUsage: integer(maxUsage ?? ''),
    failures: integer(failures ?? ''),
    usage: used,
    workingSet: workingSet(used, fields.get('total_inactive_file')),
    oomKills: keyed(oom ?? '').get('oom_kill') ?? 0n,
    pageFaults: fields.get('total_pgfault'),
    majorPageFaults: fields.get('total_pgmajfault'),
    ownPageFaults: fields.get('pgfault'),
    ownMajorPageFaults: fields.get('pgmajfault'),
  })
  sample.devices = parseBlkio(bytes ?? '', counts ?? '')
  sample.hugePages = await readHugePages(join(root, 'hugetlb', paths.hugetlb), 'usage_in_bytes', 'max_usage_in_bytes')
}

async function readVersion2(sample: MetricSample, paths: CgroupPaths): Promise<void> {
  const directory = join(root, paths.cpu)
  const files = ['cpu.stat', 'memory.stat', 'memory.current', 'memory.peak', 'memory.events', 'memory.swap.current', 'io.stat', 'cpu.pressure', 'memory.pressure', 'io.pressure']
  const [cpuStat = '', stat = '', current = '', peak = '', events = '', swap = '', io = '', cpuPressure = '', memoryPressure = '', ioPressure = ''] = await Promise.all(files.map((file) => text(join(directory, file))))
  const cpu = keyed(cpuStat)
  const nanoseconds = (key: string): bigint | undefined => {
    const value = cpu.get(key)
    return value === undefined ? undefined : value * 1000n
  }
  assign(sample, { cpuNs: nanoseconds('usage_usec'), cpuUserNs: nanoseconds('user_usec'), cpuSystemNs: nanoseconds('system_usec') })
  assign(sample, { cfsPeriods: cpu.get('nr_periods'), cfsThrottledPeriods: cpu.get('nr_throttled'), cfsThrottledNs: nanoseconds('throttled_usec') })
  const fields = keyed(stat)
  const used = integer(current)
  set(sample, {
    cache: fields.get('file'),
    rss: fields.get('anon'),
    swap: integer(swap) ?? 0n,
    mappedFile: fields.get('file_mapped'),
    kernel: fields.get('kernel'),
    maxUsage: integer(peak),
    failures: keyed(events).get('max'),
    usage: used,
    workingSet: workingSet(used, fields.get('inactive_file')),
    oomKills: keyed(events).get('oom_kill') ?? 0n,
    pageFaults: fields.get('pgfault'),
    majorPageFaults: fields.get('pgmajfault'),
  })
  sample.devices = parseIoStat(io)
  for (const [kind, content] of [['cpu', cpuPressure], ['memory', memoryPressure], ['io', ioPressure]] as const) {
    const pressure = parsePressure(content)
    if (pressure) sample.pressure.set(kind, pressure)
  }
  sample.hugePages = await readHugePages(directory, 'current', 'max_usage')
}

async function readHugePages(directory: string, usageFile: string, maxFile: string): Promise<MetricSample['hugePages']> {
  const names = await readdir(directory).catch(() => [])
  const sizes = names.flatMap((name) => new RegExp(`^hugetlb\\.([^.]+)\\.${usageFile}$`).exec(name)?.[1] ?? [])
  return Promise.all(
    sizes.map(async (size) => {
      const usage = integer(await text(join(directory, `hugetlb.${size}.${usageFile}`))) ?? 0n
      return { size, usage, maxUsage: integer(await text(join(directory, `hugetlb.${size}.${maxFile}`))) ?? usage }
    }),
  )
}

async function readProcesses(sample: MetricSample, paths: CgroupPaths, pid: number): Promise<void> {
  const directory = paths.version === 1 ? join(root, 'pids', paths.pids) : join(root, paths.pids)
  const [current, max] = await Promise.all([text(join(directory, 'pids.current')), text(join(directory, 'pids.max'))])
  assign(sample, { threads: integer(current), threadsMax: max.trim() === 'max' ? 0n : integer(max) })
  if (pid === 0) return
  const pids = (await text(join(directory, 'cgroup.procs'))).split('\n').filter((line) => line !== '')
  let [descriptors, sockets] = [0n, 0n]
  for (const one of pids) {
    const folder = join('/proc', one, 'fd')
    for (const name of await readdir(folder).catch(() => [])) {
      descriptors += 1n
      if ((await readlink(join(folder, name)).catch(() => '')).startsWith('socket:')) sockets += 1n
    }
  }
  const soft = /^Max open files\s+(\S+)/m.exec(await text(`/proc/${pid}/limits`))?.[1] ?? ''
  assign(sample, { processes: BigInt(pids.length), fileDescriptors: descriptors, sockets, openFilesLimit: integer(soft) })
}

function workingSet(usage: bigint | undefined, inactive: bigint | undefined): bigint | undefined {
  if (usage === undefined) return undefined
  return usage > (inactive ?? 0n) ? usage - (inactive ?? 0n) : 0n
}

type Scalars = { [Key in keyof MetricSample as MetricSample[Key] extends bigint | undefined ? Key : never]?: bigint | undefined }

function assign(sample: MetricSample, values: Scalars): void {
  for (const [key, value] of Object.entries(values)) if (value !== undefined) Object.assign(sample, { [key]: value })
}

type MemoryKey = MetricSample['memory'] extends Map<infer Key, bigint> ? Key : never

function set(sample: MetricSample, values: { [Key in MemoryKey]?: bigint | undefined }): void {
  for (const [key, value] of Object.entries(values)) if (value !== undefined) sample.memory.set(key as MemoryKey, value)
}
