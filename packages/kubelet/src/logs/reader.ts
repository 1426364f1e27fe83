import { watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseCriLine } from './cri-format.ts'
import { tailOffset } from './tail.ts'

/** What a reader of logs asks for. */
export interface LogOptions {
  follow?: boolean
  /** Lines from the end; undefined means all. */
  tailLines?: number
  /** Nothing more after this many bytes. */
  limitBytes?: number
  /** Milliseconds since 1970; older lines are left out. */
  since?: number
  timestamps?: boolean
  stream?: 'All' | 'Stdout' | 'Stderr'
}

const chunkBytes = 64 * 1024
const newline = 0x0a
const pollMs = 1000
/** A line without an end may not fill the memory. */
const maxLineBytes = 1024 * 1024

/**
 * Reads a container's log as the user shall see it. With `follow` it goes on until `running` says no and the end is reached; a log that was rotated away is
 * read to its end before the new one is opened. Ends early when the signal aborts.
 */
export async function* readLog(path: string, options: LogOptions, running: () => Promise<boolean>, signal: AbortSignal): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY
  const formatter = createFormatter(options)
  let file = await open(path, 'r')
  let position = options.tailLines === undefined ? 0 : await tailOffset(file, (await file.stat()).size, options.tailLines)
  let rest: Buffer = Buffer.alloc(0)
  try {
    for (;;) {
      const more = await readChunk(file, position)
      if (more.length > 0) {
        position += more.length
        const { lines, remainder } = splitLines(rest, more)
        rest = remainder
        const out = Buffer.concat(lines.flatMap(formatter))
        if (out.length > 0) yield out.length > left ? out.subarray(0, left) : out
        left -= out.length
        if (left <= 0 || signal.aborted) return
        continue
      }
      if (signal.aborted || !options.follow) break
      const replaced = await isReplaced(file, path)
      if (replaced) {
        await file.close()
        file = await open(path, 'r')
        position = 0
        rest = Buffer.alloc(0)
        continue
      }
      if (!(await running())) {
        // What was written between the read above and the container's end.
        if ((await readChunk(file, position)).length > 0) continue
        break
      }
      await changeOf(path, signal)
    }
    if (rest.length > 0) {
      const out = Buffer.concat(formatter(rest))
      if (out.length > 0) yield out.length > left ? out.subarray(0, left) : out
    }
  } finally {
    await file.close()
  }
}

async function readChunk(file: FileHandle, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const { bytesRead } = await file.read(buffer, 0, chunkBytes, position)
  return buffer.subarray(0, bytesRead)
}

function splitLines(rest: Buffer, chunk: Buffer): { lines: Buffer[]; remainder: Buffer } {
  const all = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
  const lines: Buffer[] = []
  let from = 0
  for (let at = all.indexOf(newline); at >= 0; at = all.indexOf(newline, from)) {
    lines.push(all.subarray(from, at))
    from = at + 1
  }
  const remainder = all.subarray(from)
  if (remainder.length > maxLineBytes) {
    lines.push(remainder)
    return { lines, remainder: Buffer.alloc(0) }
  }
  return { lines, remainder: Buffer.from(remainder) }
}

const lineEnd = Buffer.from('\n')

/** Makes of a record the pieces that are shown: none, the text, or the time and the text. A partial record has no newline and its successor no time. */
function createFormatter(options: LogOptions): (line: Buffer) => Buffer[] {
  const continued: Record<'stdout' | 'stderr', boolean> = { stdout: false, stderr: false }
  return (line) => {
    let parsed
    try {
      parsed = parseCriLine(line)
    } catch {
      return []
    }
    if (options.stream === 'Stdout' && parsed.stream !== 'stdout') return []
    if (options.stream === 'Stderr' && parsed.stream !== 'stderr') return []
    if (options.since !== undefined && Date.parse(parsed.time) < options.since) return []
    const first = !continued[parsed.stream]
    continued[parsed.stream] = parsed.partial
    const pieces = options.timestamps && first ? [Buffer.from(`${parsed.time} `), parsed.data] : [parsed.data]
    if (!parsed.partial) pieces.push(lineEnd)
    return pieces
  }
}

async function isReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [mine, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
  return there !== undefined && there.ino !== mine.ino
}

/** Resolves when something in the log's directory changes, after a second at the latest. */
function changeOf(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      watcher?.close()
      signal.removeEventListener('abort', done)
      resolve()
    }
    let watcher: ReturnType<typeof watch> | undefined
    const timer = setTimeout(done, pollMs)
    signal.addEventListener('abort', done, { once: true })
    try {
      watcher = watch(dirname(path), done)
      watcher.on('error', done)
    } catch {
      // Without a watch the poll has to do.
    }
  })
}
