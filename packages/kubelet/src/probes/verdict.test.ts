import { describe, expect, it } from 'vitest'
import { initialState, nextState, type ProbeKind, type ProbeState } from './verdict.ts'

/** Runs outcomes (+ success, - failure) and gives the results after each. */
const play = (kind: ProbeKind, probe: object, outcomes: string): string => {
  let state: ProbeState = initialState(kind)
  const results = [state.result]
  for (const o of outcomes) {
    state = nextState(kind, probe, state, o === '+' ? 'success' : 'failure')
    results.push(state.result)
  }
  return `${results.join(' ')}${state.onHold ? ' held' : ''}`
}

describe('what probes come to', () => {
  it.each<[ProbeKind, object, string, string]>([
    ['readiness', {}, '+', 'failure success'],
    ['readiness', { successThreshold: 2 }, '+-++', 'failure failure failure failure success'],
    ['readiness', {}, '+---', 'failure success success success failure'],
    ['readiness', {}, '+--+--', 'failure success success success success success success'],
    ['liveness', {}, '--', 'success success success'],
    ['liveness', {}, '---', 'success success success failure held'],
    ['liveness', { failureThreshold: 1 }, '-', 'success failure held'],
    ['startup', {}, '--+', 'unknown unknown unknown success'],
    ['startup', { failureThreshold: 2 }, '--', 'unknown unknown failure held'],
  ])('%s %j after %s: %s', (kind, probe, outcomes, expected) => expect(play(kind, probe, outcomes)).toBe(expected))
})
