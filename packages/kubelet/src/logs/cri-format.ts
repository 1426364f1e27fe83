/** One line of a CRI log file. `partial` means that the writer's line goes on in the next record. */
export interface CriLine {
  /** As written: RFC 3339 with nanoseconds. */
  time: string
  stream: 'stdout' | 'stderr'
  partial: boolean
  /** Without the newline of the record. */
  data: Buffer
}

const space = 0x20

/** Parses `<time> <stream> <tags> <data>`; throws where the line is none. */
export function parseCriLine(line: Buffer): CriLine {
  const first = line.indexOf(space)
  const second = first < 0 ? -1 : line.indexOf(space, first + 1)
  const third = second < 0 ? -1 : line.indexOf(space, second + 1)
  if (third < 0) throw new Error('log line is not in the CRI format')
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') throw new Error(`unexpected stream type "${stream}"`)
  const tags = line.toString('latin1', second + 1, third).split(':')
  return { time: line.toString('latin1', 0, first), stream, partial: tags[0] === 'P', data: line.subarray(third + 1) }
}
