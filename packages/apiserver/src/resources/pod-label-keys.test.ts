import { describe, expect, it } from 'vitest'
import { mergeLabelKeys } from './pod-label-keys.ts'

const pod = (spec: unknown) => ({ metadata: { name: 'p', labels: { app: 'x', rev: '1' } }, spec })

describe('matchLabelKeys', () => {
  it('adds the pod\'s own values to the selectors of affinity terms', () => {
    const p = pod({ affinity: {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: { matchLabels: { app: 'x' } }, matchLabelKeys: ['rev', 'absent'] }] },
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'zone', labelSelector: {}, mismatchLabelKeys: ['app'] } }] },
    } })
    mergeLabelKeys(p)
    expect(p.spec).toEqual({ affinity: {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{
        topologyKey: 'zone', matchLabelKeys: ['rev', 'absent'], labelSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'rev', operator: 'In', values: ['1'] }] },
      }] },
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{
        weight: 1, podAffinityTerm: { topologyKey: 'zone', mismatchLabelKeys: ['app'], labelSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['x'] }] } },
      }] },
    } })
  })

  it('leaves terms without a selector alone', () => {
    const p = pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', matchLabelKeys: ['rev'] }] } } })
    mergeLabelKeys(p)
    expect(p.spec).toEqual({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', matchLabelKeys: ['rev'] }] } } })
  })
})
