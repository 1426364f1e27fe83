// What the storage's main thread and its writer thread say to each other.
import type { CommitRow } from './committer.ts'

export type WriterRequest =
  | { type: 'load' }
  | { type: 'commit', rows: readonly CommitRow[] }
  | { type: 'close' }

export type WriterResponse =
  | { type: 'loaded', rows: CommitRow[], revision: number, size: number }
  | { type: 'committed', size: number }
  | { type: 'failed', message: string, full: boolean }
  | { type: 'closed' }
