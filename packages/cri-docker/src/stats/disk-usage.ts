import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'

/** What a directory holds. */
export interface DiskUsage {
  bytes: bigint
  inodes: bigint
}

/** How old a measurement may be before a question for it starts a new one. */
const freshMs = 30_000

/**
 * Measures writable layers. A question is answered with the last measurement; when that is old a new one begins behind it, and one at a time, since walking a directory costs the
 * disk more than a caller of stats should wait for.
 */
export class DiskUsageCache {
  private readonly known = new Map<string, { usage: DiskUsage; at: number }>()
  private queue: Promise<void> = Promise.resolve()
  private readonly waiting = new Set<string>()

  /** The last measurement; undefined before the first. */
  get(directory: string): DiskUsage | undefined {
    if (directory === '') return undefined
    const entry = this.known.get(directory)
    if ((!entry || performance.now() - entry.at > freshMs) && !this.waiting.has(directory)) {
      this.waiting.add(directory)
      this.queue = this.queue.then(() => this.measure(directory))
    }
    return entry?.usage
  }

  /** Like `get`, waiting for the first measurement where there is none yet. */
  async first(directory: string): Promise<DiskUsage | undefined> {
    const known = this.get(directory)
    if (known || directory === '') return known
    await this.queue
    return this.known.get(directory)?.usage
  }

  /** Resolves when nothing is being measured. */
  settled(): Promise<void> {
    return this.queue
  }

  forget(directory: string): void {
    this.known.delete(directory)
  }

  private async measure(directory: string): Promise<void> {
    try {
      this.known.set(directory, { usage: await measureDirectory(directory), at: performance.now() })
    } catch {
      // A container that is going away takes its directory along.
    } finally {
      this.waiting.delete(directory)
    }
  }
}

/** Bytes (as blocks on the disk) and files below a directory. */
export async function measureDirectory(directory: string): Promise<DiskUsage> {
  const usage: DiskUsage = { bytes: 0n, inodes: 1n }
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      const inner = await measureDirectory(path)
      usage.bytes += inner.bytes
      usage.inodes += inner.inodes
    } else {
      const { blocks = 0 } = (await lstat(path).catch(() => undefined)) ?? {}
      usage.bytes += BigInt(blocks) * 512n
      usage.inodes += 1n
    }
  }
  return usage
}
