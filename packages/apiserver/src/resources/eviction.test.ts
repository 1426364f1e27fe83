import { expect, test } from 'vitest'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '@berth/api/types/policy/v1'
import { StatusError } from '../errors.ts'
import { mayGoUnready, spent } from './eviction.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const budget = (status: Partial<PodDisruptionBudgetStatus>, spec: PodDisruptionBudget['spec'] = {}): PodDisruptionBudget => ({
  metadata: { name: 'b', namespace: 'ns', generation: 2 }, spec, status: { observedGeneration: 2, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1, ...status },
})
const condition = (reason: string, message: string): Partial<PodDisruptionBudgetStatus> => ({ conditions: [{ type: 'DisruptionAllowed', status: 'False', reason, message, lastTransitionTime: '' }] })

test.each<[string, PodDisruptionBudget, string]>([
  ['has none left', budget({ disruptionsAllowed: 0, currentHealthy: 2 }), '429 The disruption budget b needs 2 healthy pods and has 2 currently'],
  ['has none left though enough pods are healthy', budget({ disruptionsAllowed: 0 }), '429 The disruption budget b does not allow evicting pods currently'],
  ['has none left, and says why', budget({ disruptionsAllowed: 0, ...condition('Paused', 'by hand') }), '429 The disruption budget b does not allow evicting pods currently (Paused): by hand'],
  ['could not be computed', budget({ disruptionsAllowed: 0, currentHealthy: 0, ...condition('SyncFailed', 'found no controllers for pod "x"') }), '429 The disruption budget b does not allow evicting pods currently because it failed sync: found no controllers for pod "x"'],
  ['has changed since', budget({ observedGeneration: 1 }), '429 The disruption budget b is still being processed by the server.'],
  ['is broken', budget({ disruptionsAllowed: -1 }), '403 The disruption budget b does not allow evicting pods currently: pdb disruptions allowed is negative'],
  ['has too many evictions pending', budget({ disruptedPods: Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`p${i}`, ''])) }), '403 The disruption budget b does not allow evicting pods currently: too many pending evictions not confirmed by PDB controller'],
])('a budget grants nothing when it %s', (_, given, expected) => {
  let error: unknown
  try {
    spent(given, 'p', now)
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(StatusError)
  const { code, status } = error as StatusError
  expect(`${code} ${status.details?.causes?.[0]?.message}`).toBe(expected)
  expect([code === 429 ? "Cannot evict pod as it would violate the pod's disruption budget." : status.message, status.details?.causes?.[0]?.reason]).toEqual([status.message, 'DisruptionBudget'])
})

test('a granted eviction is taken off the budget, and the last one closes it', () => {
  expect(spent(budget({ disruptionsAllowed: 2 }), 'p', now).status).toMatchObject({ disruptionsAllowed: 1, disruptedPods: { p: '2026-11-21T12:00:00Z' } })
  expect(spent(budget({ disruptedPods: { q: 'x' } }), 'p', now).status).toMatchObject({
    disruptionsAllowed: 0, disruptedPods: { p: '2026-11-21T12:00:00Z', q: 'x' }, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
  })
})

test.each<[string, PodDisruptionBudget, boolean]>([
  ['always, where the budget says so', budget({ currentHealthy: 0 }, { unhealthyPodEvictionPolicy: 'AlwaysAllow' }), true],
  ['where the others are enough', budget({ currentHealthy: 2 }), true],
  ['not where they are not', budget({ currentHealthy: 1 }, { unhealthyPodEvictionPolicy: 'IfHealthyBudget' }), false],
  ['not where none has to be healthy: then it counts as any other', budget({ currentHealthy: 0, desiredHealthy: 0 }), false],
])('a pod that is not ready may go: %s', (_, given, may) => {
  expect(mayGoUnready(given)).toBe(may)
})
