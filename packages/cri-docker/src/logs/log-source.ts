import { type FileHandle, open, stat } from 'node:fs/promises'
import { type LogEntry, LocalLogParser } from './local-log.ts'

/** How much is read at once: bounds what one container's log takes of memory. */
const chunkBytes = 64 * 1024

/** The Engine keeps this many files of a log, `container.log` and then `.1`, `.2` ... with growing age. */
const maxFiles = 8

/**
 * Reads a container's local log from where it was left, across the Engine's rotation of it. Position is a file (by inode) and what was read of it.
 */
export class LogSource {
  private readonly path: string
  private file: FileHandle | undefined
  private inode = 0n
  private offset = 0
  private parser = new LocalLogParser()
  /** Whether the last read took all there was at that moment: what comes later is announced. */
  exhausted = false

  constructor(path: string) {
    this.path = path
  }

  /** Begins at the start of the file of this age (0 is the one being written). Gives whether there is one. */
  async openFile(age: number): Promise<boolean> {
    await this.close()
    try {
      this.file = await open(this.fileName(age), 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
    this.inode = (await this.file.stat({ bigint: true })).ino
    this.offset = 0
    this.parser = new LocalLogParser()
    return true
  }

  /** The age of the oldest file there is, or -1. */
  async oldest(): Promise<number> {
    for (let age = maxFiles; age >= 0; age--) if (await exists(this.fileName(age))) return age
    return -1
  }

  /** The next entries; none where all that is written has been read. Goes over to the next file when the Engine has rotated. */
  async read(): Promise<LogEntry[]> {
    for (;;) {
      if (!this.file && !(await this.openFile(Math.max(0, await this.oldest())))) return []
      const buffer = Buffer.allocUnsafe(chunkBytes)
      const { bytesRead = 0 } = (await this.file?.read(buffer, 0, chunkBytes, this.offset)) ?? {}
      this.exhausted = bytesRead < chunkBytes
      if (bytesRead > 0) {
        this.offset += bytesRead
        const entries = [...this.parser.push(buffer.subarray(0, bytesRead))]
        if (entries.length > 0) return entries
        continue
      }
      const age = await this.age()
      if (age === 0) return []
      // Rotated: this file will not grow any more, but may have just before.
      const { size = 0 } = (await this.file?.stat()) ?? {}
      if (size > this.offset) continue
      // A file that is no longer among them was rotated away: what is oldest comes next.
      const next = age > 0 ? age - 1 : await this.oldest()
      if (next < 0 || !(await exists(this.fileName(next)))) return []
      const last = this.end()
      if (!(await this.openFile(next)) || last.length > 0) return last
    }
  }

  /** What is whole among the last bytes, when no more will be written to this file. */
  end(): LogEntry[] {
    return [...this.parser.end()]
  }

  async close(): Promise<void> {
    await this.file?.close()
    this.file = undefined
  }

  private fileName(age: number): string {
    return age === 0 ? this.path : `${this.path}.${age}`
  }

  /** Where our file stands among the log's files by now; -1 where it is gone. */
  private async age(): Promise<number> {
    for (let age = 0; age <= maxFiles; age++) {
      try {
        if ((await stat(this.fileName(age), { bigint: true })).ino === this.inode) return age
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    return -1
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
