// A store that snapshots are taken of and put into.
import type { SnapshotRecord, SnapshotSource } from './record.ts'

/** How records are written. */
export interface WriteOptions {
  /** The revision that the records are of: the store's next ones must be beyond it. */
  revision: number
  /** How much further the store's revisions begin at least, since revisions were given out after the snapshot too; the place's own default when absent. */
  bump?: number
  /** What is there goes first. */
  replace: boolean
  /** How many records were written, out of how many steps there are to take. */
  told(what: string, count: number): void
}

export interface Place {
  /** For people: `SQLite in /var/lib/...`. */
  readonly title: string
  /** Everything there is, at one revision. `mayBeServed`: a server that has the data open is asked for it; otherwise that is an error. */
  read(mayBeServed: boolean): Promise<SnapshotSource>
  isEmpty(): Promise<boolean>
  /** Puts the records (any store's, in key order) there; resolves with the store's revision once they are durable. */
  write(records: AsyncIterable<SnapshotRecord>, options: WriteOptions): Promise<number>
  close(): void
}

/** Why something was not done; told as it is. */
export class PlaceRefused extends Error {
  override readonly name = 'PlaceRefused'
}
