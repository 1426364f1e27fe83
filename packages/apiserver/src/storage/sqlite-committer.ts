// The main thread's end of the writer thread.
import { Worker } from 'node:worker_threads'
import type { Committer, CommitRow } from './committer.ts'
import { CommitError } from './committer.ts'
import { openDatabase } from './sqlite-database.ts'
import type { WriterRequest, WriterResponse } from './sqlite-protocol.ts'

/** Opens (or makes) the SQLite file on a writer thread of its own, which waits for the disk with `fsync`. Rejects when the file cannot be opened. */
export function sqliteCommitter(file: string, fsync = true): Committer {
  return new SqliteCommitter(file, fsync)
}

/** SQLite without a file, on this thread: gone with the process. */
export function inMemoryCommitter(): Committer {
  const database = openDatabase(':memory:')
  return {
    load: async () => database.load(),
    async commit(rows) {
      const failed = database.commit(rows)
      if (failed) throw new CommitError(failed.message, failed.full)
    },
    size: () => database.size(),
    close: async () => database.close(),
  }
}

class SqliteCommitter implements Committer {
  readonly #worker: Worker
  #waiting: { resolve(response: WriterResponse): void, reject(error: Error): void } | undefined
  #dead: Error | undefined
  #size = 0

  constructor(file: string, fsync: boolean) {
    this.#worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      name: 'storage-writer', workerData: { file, fsync }, resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    })
    this.#worker.unref()
    this.#worker.on('message', (response: WriterResponse) => {
      const waiting = this.#waiting
      this.#waiting = undefined
      waiting?.resolve(response)
    })
    const died = (error: Error): void => {
      this.#dead = error
      this.#waiting?.reject(error)
      this.#waiting = undefined
    }
    this.#worker.on('error', (error: Error) => died(new CommitError(`${file}: ${error.message}${/locked/.test(error.message) ? ' (another server uses this directory)' : ''}`, true)))
    this.#worker.on('exit', () => died(this.#dead ?? new CommitError('the storage\'s writer thread has ended', true)))
  }

  async load(): Promise<{ rows: CommitRow[], revision: number }> {
    const response = await this.#ask({ type: 'load' })
    if (response.type !== 'loaded') throw new Error(`unexpected answer of the storage writer: ${response.type}`)
    this.#size = response.size
    return { rows: response.rows, revision: response.revision }
  }

  async commit(rows: readonly CommitRow[]): Promise<void> {
    const response = await this.#ask({ type: 'commit', rows })
    if (response.type === 'failed') throw new CommitError(response.message, response.full)
    if (response.type === 'committed') this.#size = response.size
  }

  size(): number {
    return this.#size
  }

  async close(): Promise<void> {
    if (this.#dead) return
    await this.#ask({ type: 'close' })
    await this.#worker.terminate()
  }

  #ask(request: WriterRequest): Promise<WriterResponse> {
    if (this.#dead) return Promise.reject(this.#dead)
    return new Promise((resolve, reject) => {
      // A pending answer must keep the process alive; an idle writer must not.
      this.#worker.ref()
      const settle = (): void => this.#worker.unref()
      this.#waiting = { resolve: (r) => { settle(); resolve(r) }, reject: (e) => { settle(); reject(e) } }
      this.#worker.postMessage(request)
    })
  }
}
