import type { Pod } from '@berth/api/types/core/v1'
import { absoluteFailureCount, finishedTime } from './pods.ts'

const firstMs = 10_000
const maxMs = 600_000

/** Failures of a job since its last success. */
export interface BackoffRecord {
  readonly failures: number
  readonly lastFailure?: number
}

/** The record with pods that were found to have ended. */
export function nextRecord(record: BackoffRecord = { failures: 0 }, succeeded: readonly Pod[], failed: readonly Pod[]): BackoffRecord {
  const failures = failed.map(finishedTime).sort((a, b) => a - b)
  if (succeeded.length === 0) return failures.length === 0 ? record : { failures: record.failures + failures.length, lastFailure: failures.at(-1) ?? 0 }
  const lastSuccess = Math.max(...succeeded.map(finishedTime))
  const after = failures.filter((time) => time > lastSuccess)
  return after.length === 0 ? { failures: 0 } : { failures: after.length, lastFailure: after.at(-1) ?? 0 }
}

/** How long the next pod has to wait; milliseconds. Doubles with each failure from 10 s to 10 min. */
export function remainingMs({ failures, lastFailure = 0 }: BackoffRecord, now: number): number {
  if (failures === 0) return 0
  return Math.max(0, Math.min(maxMs, firstMs * 2 ** (failures - 1)) - (now - lastFailure))
}

/** The same for an index, by the last pod that failed there. */
export function remainingForIndexMs(lastFailed: Pod | undefined, now: number): number {
  return lastFailed ? remainingMs({ failures: absoluteFailureCount(lastFailed) + 1, lastFailure: finishedTime(lastFailed) }, now) : 0
}
