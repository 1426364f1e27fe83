// What a process does to files, recorded by strace, and what of it a power cut would have left: every write that an fsync had reached, and of the others
// as much as one likes. Names (files made, renamed, removed) are taken to survive in their order, as a journalling file system keeps them.
import { spawnSync } from 'node:child_process'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const traced = ['pwrite64', 'write', 'lseek', 'fsync', 'fdatasync', 'ftruncate', 'fallocate', 'openat', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat']

/** Why nothing can be recorded here; undefined where it can. */
export const traceMissing = ((): string | undefined => {
  const program = 'strace'
  const tried = spawnSync(program, ['-f', '--seccomp-bpf', '-e', 'trace=fsync', 'true'])
  return tried.status === 0 ? undefined : 'strace is not installed, or may not trace here'
})()
if (traceMissing !== undefined) console.log(`skipped: ${traceMissing}`)

/** What to put before a command, so that its calls are recorded under `log` (a file for each thread). The process that is started is the command itself. */
export function traceCommand(log: string, calls: readonly string[] = traced): string[] {
  return ['strace', '-D', '-f', '-ff', '-q', '-ttt', '-T', '-y', '-xx', '-s', '33554432', '--seccomp-bpf', '-e', 'signal=none', '-e', `trace=${calls.join(',')}`, '-o', log]
}

/** One thing done to a file. Times are seconds of the wall clock; `end` is when it was done. */
export type DiskCall = { start: number, end: number, path: string } & (
  | { type: 'write', offset: number, data: Buffer }
  | { type: 'truncate', size: number }
  | { type: 'sync' }
  | { type: 'create', truncated: boolean }
  | { type: 'rename', to: string }
  | { type: 'remove' }
)

/** Reads what was recorded under a directory's files, in the order in which it was done. Only what is below `root` counts. */
export async function readTrace(log: string, root: string): Promise<DiskCall[]> {
  const names = (await readdir(dirname(log))).filter((name) => join(dirname(log), name).startsWith(`${log}.`))
  const lines: { start: number, end: number, text: string }[] = []
  for (const name of names) {
    for (const text of (await readFile(join(dirname(log), name), 'latin1')).split('\n')) {
      const times = /^(\d+\.\d+) .*<(\d+\.\d+)>$/.exec(text)
      if (times) lines.push({ start: Number(times[1]), end: Number(times[1]) + Number(times[2]), text: text.slice((times[1] ?? '').length + 1) })
    }
  }
  lines.sort((a, b) => a.end - b.end)
  const positions = new Map<string, number>()
  return lines.flatMap(({ start, end, text }) => callsOf(text, positions).filter((call) => call.path.startsWith(`${root}/`)).map((call) => ({ start, end, ...call } as DiskCall)))
}

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex')
const pathOf = (text: string): string => unhex(text).toString('utf8')

type Plain = DiskCall extends infer C ? C extends DiskCall ? Omit<C, 'start' | 'end'> : never : never

/** `positions`: where each open file is written next. */
function callsOf(text: string, positions: Map<string, number>): Plain[] {
  const call = /^(\w+)\((.*)\) += (-?\d+)/s.exec(text)
  if (!call) return []
  const [, name = '', args = '', result = ''] = call
  if (result.startsWith('-')) return []
  const fd = /^(\d+)<([^>]*)>/.exec(args)
  const file = pathOf(fd?.[2] ?? '')
  const quoted = [...args.matchAll(/(?:<([^>]*)>, )?"((?:\\x[0-9a-f]{2})*)"/g)].map(([, directory, path = '']) => {
    const given = pathOf(path)
    return given.startsWith('/') || directory === undefined ? given : join(pathOf(directory), given)
  })
  const [first = '', second = ''] = quoted
  const key = fd?.[1] ?? ''
  switch (name) {
    case 'pwrite64': {
      const parts = /"((?:\\x[0-9a-f]{2})*)", \d+, (\d+)$/.exec(args)
      return [{ type: 'write', path: file, offset: Number(parts?.[2]), data: unhex(parts?.[1] ?? '').subarray(0, Number(result)) }]
    }
    case 'write': {
      const offset = positions.get(key) ?? 0
      positions.set(key, offset + Number(result))
      const parts = /"((?:\\x[0-9a-f]{2})*)", \d+$/.exec(args)
      return [{ type: 'write', path: file, offset, data: unhex(parts?.[1] ?? '').subarray(0, Number(result)) }]
    }
    case 'lseek':
      positions.set(key, Number(result))
      return []
    case 'fsync':
    case 'fdatasync': return [{ type: 'sync', path: file }]
    case 'ftruncate': return [{ type: 'truncate', path: file, size: Number(/, (\d+)$/.exec(args)?.[1]) }]
    case 'fallocate': {
      const [, offset, length] = /, (\d+), (\d+)$/.exec(args) ?? []
      return [{ type: 'truncate', path: file, size: args.includes('KEEP_SIZE') ? -1 : Number(offset) + Number(length) }]
    }
    case 'openat': {
      positions.set(result, 0)
      return args.includes('O_CREAT') ? [{ type: 'create', path: first, truncated: args.includes('O_TRUNC') }] : []
    }
    case 'rename':
    case 'renameat':
    case 'renameat2': return [{ type: 'rename', path: first, to: second }]
    case 'unlink':
    case 'unlinkat': return [{ type: 'remove', path: first }]
    default: return []
  }
}

/** `content` has room for more than was written; behind what was written there are zeros, up to `size`. */
interface TracedFile { content: Buffer, size: number }

/** What a disk writes whole or not at all, in bytes. */
const sectorBytes = 512

/** Whether what was written to a sector of a file, and no fsync has reached, is there when the power has gone. Asked once for each sector. */
export type Fate = (path: string, sector: number) => boolean

/**
 * The files as they are when the power goes at a time: what was synced by then is there, sectors of unsynced writes meet their fate. `honoursSync: false` is a disk
 * that lies: nothing counts as synced.
 */
export function filesAt(calls: readonly DiskCall[], time: number, fate: Fate, honoursSync = true): Map<string, TracedFile> {
  const done = calls.filter((call) => call.end <= time)
  const files = new Map<string, TracedFile>()
  const safe = syncedWrites(done)
  const decided = new Map<string, boolean>()
  const survives = (path: string, offset: number): boolean => {
    const sector = Math.floor(offset / sectorBytes)
    const known = decided.get(`${path} ${sector}`) ?? fate(path, sector)
    decided.set(`${path} ${sector}`, known)
    return known
  }
  for (const call of done) {
    switch (call.type) {
      case 'create':
        if (call.truncated || !files.has(call.path)) files.set(call.path, { content: Buffer.alloc(0), size: 0 })
        break
      case 'rename':
        for (const [path, file] of files) {
          if (path !== call.path && !path.startsWith(`${call.path}/`)) continue
          files.delete(path)
          files.set(call.to + path.slice(call.path.length), file)
        }
        break
      case 'remove':
        files.delete(call.path)
        break
      case 'truncate': {
        const file = files.get(call.path)
        if (!file || call.size < 0) break
        if (call.size < file.content.length) file.content.fill(0, call.size)
        file.size = call.size
        break
      }
      case 'write': {
        const file = files.get(call.path)
        if (!file) break
        if (honoursSync && safe.has(call)) put(file, call.offset, call.data)
        else for (const [offset, data] of sectorsOf(call)) if (survives(call.path, offset)) put(file, offset, data)
        break
      }
      case 'sync':
    }
  }
  return files
}

/** A write, cut where sectors begin. */
function* sectorsOf({ offset, data }: { offset: number, data: Buffer }): Generator<[number, Buffer]> {
  for (let at = 0; at < data.length;) {
    const end = Math.min(data.length, at + sectorBytes - ((offset + at) % sectorBytes))
    yield [offset + at, data.subarray(at, end)]
    at = end
  }
}

/** The writes that a sync of their file, begun after them and finished, has reached. */
function syncedWrites(calls: readonly DiskCall[]): Set<DiskCall> {
  const safe = new Set<DiskCall>()
  const pending = new Map<string, (DiskCall & { type: 'write' })[]>()
  for (const call of calls) {
    if (call.type === 'write') {
      const writes = pending.get(call.path) ?? []
      writes.push(call)
      pending.set(call.path, writes)
    } else if (call.type === 'sync') {
      const left: (DiskCall & { type: 'write' })[] = []
      for (const write of pending.get(call.path) ?? []) {
        if (write.end <= call.start) safe.add(write)
        else left.push(write)
      }
      pending.set(call.path, left)
    } else if (call.type === 'rename') {
      for (const [path, writes] of pending) {
        if (path !== call.path && !path.startsWith(`${call.path}/`)) continue
        pending.delete(path)
        pending.set(call.to + path.slice(call.path.length), writes)
      }
    }
  }
  return safe
}

function put(file: TracedFile, offset: number, data: Buffer): void {
  const end = offset + data.length
  if (end > file.content.length) {
    // Room for more than is asked for: files grow by many small writes.
    const room = Buffer.alloc(Math.max(end, file.content.length * 2))
    file.content.copy(room)
    file.content = room
  }
  data.copy(file.content, offset)
  file.size = Math.max(file.size, end)
}

/** Puts files onto a disk, below `to` instead of `root`. */
export async function writeFiles(files: Map<string, TracedFile>, root: string, to: string): Promise<void> {
  for (const [path, { content, size }] of files) {
    const target = to + path.slice(root.length)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    const handle = await open(target, 'w', 0o600)
    await handle.write(content, 0, Math.min(content.length, size), 0)
    await handle.truncate(size)
    await handle.close()
  }
}
