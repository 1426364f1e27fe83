import type { Probe } from '@berth/api/types/core/v1'
import type { ProbeResult } from '../pods/plan.ts'

export type ProbeKind = 'startup' | 'readiness' | 'liveness'

/** What a probe of one instance has said so far. */
export interface ProbeState {
  result: ProbeResult
  /** The last outcome and how often it came in a row. */
  last: 'success' | 'failure' | undefined
  run: number
  /** After a failed liveness or startup probe nothing more is asked until the container is another one. */
  onHold: boolean
}

/** Before the first run: not ready, alive, and not known to be started. */
export const initialState = (kind: ProbeKind): ProbeState => ({
  result: kind === 'readiness' ? 'failure' : kind === 'liveness' ? 'success' : 'unknown', last: undefined, run: 0, onHold: false,
})

/** The state after one more outcome: it changes the result once it came as often in a row as the threshold says. */
export function nextState(kind: ProbeKind, probe: Probe, state: ProbeState, outcome: 'success' | 'failure'): ProbeState {
  const run = state.last === outcome ? state.run + 1 : 1
  const threshold = outcome === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1)
  if (run < threshold) return { ...state, last: outcome, run }
  const onHold = outcome === 'failure' && kind !== 'readiness'
  return { result: outcome, last: outcome, run: onHold ? 0 : run, onHold }
}
