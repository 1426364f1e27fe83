// What makes groups of writes durable, below the in-memory head.

/** One row to write: a version, or a deletion when `value` is undefined. */
export interface CommitRow {
  key: string
  revision: number
  createRevision: number
  value: Uint8Array | undefined
}

/** Makes groups of writes durable, one group at a time. */
export interface Committer {
  load(): Promise<{ rows: CommitRow[], revision: number }>
  /** All rows or none; resolves once they are durable. Rejects with CommitError. */
  commit(rows: readonly CommitRow[]): Promise<void>
  size(): number
  close(): Promise<void>
}

/** A group that was not written. `full` when the disk has no room or cannot be written. */
export class CommitError extends Error {
  readonly full: boolean
  constructor(message: string, full: boolean) {
    super(message)
    this.name = 'CommitError'
    this.full = full
  }
}

/** Keeps nothing: for tests. */
export function memoryCommitter(): Committer {
  return {
    load: async () => ({ rows: [], revision: 1 }),
    commit: () => Promise.resolve(),
    size: () => 0,
    close: () => Promise.resolve(),
  }
}
