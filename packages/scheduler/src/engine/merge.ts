import { passes } from './statuses.ts'

/** Enters a filter's verdict on a node, where no filter before it has rejected the node. */
export function reject(verdicts: Int32Array, orders: Uint8Array, slot: number, verdict: number, order: number): void {
  const before = verdicts[slot] ?? passes
  if (before < passes || (before > passes && (orders[slot] ?? 0) < order)) return
  verdicts[slot] = verdict
  orders[slot] = order
}
