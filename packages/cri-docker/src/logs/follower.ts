import { constants, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Logger } from '@berth/kube'
import { criLines, type LogPosition, positionAtEnd, timestamp } from './cri-log.ts'
import type { LogEntry } from './local-log.ts'
import { LogSource } from './log-source.ts'

/** How long new output is gathered before it is read, so that a container that writes line by line costs one read for many. */
const gatherMs = 10
/** How long until a write that failed (a full disk) is tried again. */
const retryMs = 1000

/**
 * Carries one container's output from the Engine's log to its CRI log. Every entry is written once: what the CRI log ends with tells where to go on, in this life or the next.
 */
export class LogFollower {
  private readonly source: LogSource
  private readonly sourcePath: string
  private readonly target: string
  private readonly logger: Logger
  private file: FileHandle | undefined
  /** Of the CRI log, which nobody else writes. */
  private size = 0
  private watcher: FSWatcher | undefined
  private timer: NodeJS.Timeout | undefined
  /** What is being done to the log, one thing after the other. */
  private tail: Promise<unknown> = Promise.resolve()
  private resumed = false
  private stopped = false
  private unwritten: LogEntry[] = []

  constructor(sourcePath: string, target: string, logger: Logger) {
    this.sourcePath = sourcePath
    this.source = new LogSource(sourcePath)
    this.target = target
    this.logger = logger
  }

  /** Follows what comes from now on. */
  start(): void {
    this.poke()
  }

  /** Looks whether there is something to carry: level-triggered, may be called at any time. */
  poke(): void {
    if (this.stopped) return
    this.ensureWatcher()
    this.later(gatherMs)
  }

  /** Carries everything that is written up to now; `last` says that nothing more will be. */
  async drain(last = false): Promise<void> {
    await this.exclusive(async () => {
      await this.carry(true)
      const rest = last ? this.source.end() : []
      if (rest.length > 0) await this.write(rest)
    })
  }

  /** Opens the CRI log anew: it was renamed for rotation. */
  async reopen(): Promise<void> {
    await this.exclusive(async () => {
      await this.file?.close()
      this.file = undefined
      await this.openTarget()
    })
  }

  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.timer)
    this.watcher?.close()
    await this.exclusive(async () => {
      await this.source.close()
      await this.file?.close()
      this.file = undefined
    })
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.tail.then(work)
    this.tail = mine.catch(() => {})
    return mine
  }

  /** Carries after this time, unless that is planned already; a failure is tried again. */
  private later(delayMs: number): void {
    if (this.stopped) return
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.exclusive(() => this.carry()).catch((error: unknown) => {
        this.logger.error(error, 'Cannot carry a container’s log', { log: this.target })
        this.later(retryMs)
      })
    }, delayMs)
  }

  private ensureWatcher(): void {
    if (this.watcher) return
    try {
      // The directory, since the file itself is renamed when the Engine rotates it.
      this.watcher = watch(dirname(this.sourcePath), { persistent: false }, () => this.poke())
      this.watcher.on('error', () => {
        this.watcher?.close()
        this.watcher = undefined
      })
    } catch {
      // Not there yet, or no watches left: the keeper pokes now and then.
    }
  }

  /** `thorough` asks once more after all seems read, and so notices what nobody has announced. */
  private async carry(thorough = false): Promise<void> {
    if (!this.resumed) {
      await this.resume()
      this.resumed = true
    }
    while (!this.stopped) {
      if (this.unwritten.length === 0) this.unwritten = await this.source.read()
      if (this.unwritten.length === 0) return
      await this.write(this.unwritten)
      this.unwritten = []
      if (this.source.exhausted && !thorough) return
    }
  }

  /** A write that stops half way is cut back, so that trying again repeats nothing. */
  private async write(entries: readonly LogEntry[]): Promise<void> {
    const file = this.file ?? (await this.openTarget())
    const bytes = criLines(entries)
    try {
      for (let start = 0; start < bytes.length; ) start += (await file.write(bytes, start)).bytesWritten
      this.size += bytes.length
    } catch (error) {
      await file.truncate(this.size).catch(() => {})
      throw error
    }
  }

  private async openTarget(): Promise<FileHandle> {
    await mkdir(dirname(this.target), { recursive: true })
    this.file = await open(this.target, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640)
    this.size = (await this.file.stat()).size
    return this.file
  }

  /** Finds where the CRI log ends, and places the source behind that. */
  private async resume(): Promise<void> {
    const file = await this.openTarget()
    const { position, wholeBytes } = await positionAtEnd(file)
    await file.truncate(wholeBytes)
    this.size = wholeBytes
    const last = position ?? (await this.rotatedPosition())
    if (last) await this.skipPast(last)
    else await this.source.openFile(Math.max(0, await this.source.oldest()))
  }

  /** A log that was just rotated is empty: the newest of its rotated files tells. */
  private async rotatedPosition(): Promise<LogPosition | undefined> {
    const prefix = `${basename(this.target)}.`
    const rotated = (await readdir(dirname(this.target))).filter((name) => name.startsWith(prefix) && !name.endsWith('.gz') && !name.endsWith('.tmp')).toSorted()
    const newest = rotated.at(-1)
    if (newest === undefined) return undefined
    const file = await open(join(dirname(this.target), newest), 'r')
    try {
      return (await positionAtEnd(file)).position
    } finally {
      await file.close()
    }
  }

  /** The newest of the Engine's files that begins before the position has it. */
  private async skipPast(last: LogPosition): Promise<void> {
    const oldest = await this.source.oldest()
    for (let age = 0; age <= oldest; age++) {
      if (!(await this.source.openFile(age))) continue
      if (await this.skipIn(last)) return
    }
    if (oldest >= 0) this.logger.warn('The Engine has rotated away what follows the end of a container’s log; lines may be missing', { log: this.target, after: last.time })
    await this.source.openFile(Math.max(0, oldest))
  }

  /** Reads this file up to and with the position; false where it is not in it. What was read beyond it waits to be written. */
  private async skipIn(last: LogPosition): Promise<boolean> {
    let { count } = last
    let sawEarlier = false
    for (let entries = await this.source.read(); entries.length > 0; entries = await this.source.read()) {
      for (const [index, entry] of entries.entries()) {
        if (entry.stream !== last.stream) continue
        const time = timestamp(entry.time)
        // Stamps of one stream only grow: a file that begins after the position does not have it.
        if (!sawEarlier && time > last.time) return false
        sawEarlier = true
        if (time !== last.time) continue
        count -= 1
        if (count > 0) continue
        this.unwritten = entries.slice(index + 1)
        return true
      }
    }
    return false
  }
}
