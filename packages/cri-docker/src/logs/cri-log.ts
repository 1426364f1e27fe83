import type { FileHandle } from 'node:fs/promises'
import type { LogEntry } from './local-log.ts'

/** Entries as lines of a CRI log, each `<RFC 3339 with nanoseconds> <stream> <P|F> <bytes>\n`, in one piece: a container that floods its log makes thousands of them at once. */
export function criLines(entries: readonly LogEntry[]): Buffer {
  let size = 0
  for (const { line, stream } of entries) size += stampLength + 5 + stream.length + line.length
  const bytes = Buffer.allocUnsafe(size)
  let end = 0
  for (const { time, stream, partial, line } of entries) {
    end += bytes.write(`${timestamp(time)} ${stream} ${partial ? 'P' : 'F'} `, end, 'latin1')
    end += line.copy(bytes, end)
    bytes[end++] = 10
  }
  return bytes.subarray(0, end)
}

const stampLength = '2026-01-02T15:04:05.000000000Z'.length

/** The second that was last written out: most lines are of the same one as the line before. */
let lastSecond = { second: -1, text: '' }

/** Nanoseconds since 1970 as `2026-01-02T15:04:05.000000000Z`. */
export function timestamp(time: bigint): string {
  const second = Number(time / 1_000_000_000n)
  if (lastSecond.second !== second) lastSecond = { second, text: new Date(second * 1000).toISOString().slice(0, 19) }
  return `${lastSecond.text}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`
}

/** Where a CRI log ends: the stamp of its last line, and how many lines of that stream carry the same one. */
export interface LogPosition {
  time: string
  stream: string
  /** 1 for a stamp of its own; more where a long line came in pieces. */
  count: number
}

const windowBytes = 256 * 1024
const head = /^(\S{20,40}) (stdout|stderr) [PF] /

/**
 * The position at the end of a CRI log, reading backwards; undefined for a log without a whole line. A line that was cut off (the writer was killed, the disk full) is
 * not counted: `wholeBytes` is where whole lines end.
 */
export async function positionAtEnd(file: FileHandle): Promise<{ position: LogPosition | undefined; wholeBytes: number }> {
  let { size: end } = await file.stat()
  let later: Buffer = Buffer.alloc(0)
  let wholeBytes: number | undefined
  let position: LogPosition | undefined
  while (end > 0) {
    const start = Math.max(0, end - windowBytes)
    const bytes = Buffer.alloc(end - start)
    await file.read(bytes, 0, bytes.length, start)
    const text = Buffer.concat([bytes, later])
    // The first line of the window may have begun before it.
    const first = start === 0 ? 0 : text.indexOf(10) + 1
    if (start > 0 && first === 0) {
      later = text
      end = start
      continue
    }
    if (wholeBytes === undefined) {
      const last = text.lastIndexOf(10) + 1
      wholeBytes = start + last
    }
    for (const line of linesBackwards(text.subarray(first, Math.max(first, wholeBytes - start)))) {
      const match = head.exec(line.subarray(0, 64).toString('latin1'))
      const [, time = '', stream = ''] = match ?? []
      if (time === '') continue
      if (!position) position = { time, stream, count: 1 }
      else if (stream === position.stream && time === position.time) position.count += 1
      else if (stream === position.stream) return { position, wholeBytes }
    }
    later = text.subarray(0, first)
    end = start
  }
  return { position, wholeBytes: wholeBytes ?? 0 }
}

function* linesBackwards(text: Buffer): Generator<Buffer> {
  let end = text.length
  while (end > 0) {
    const newlineBefore = text.lastIndexOf(10, end - 2)
    yield text.subarray(newlineBefore + 1, end)
    end = newlineBefore + 1
  }
}
