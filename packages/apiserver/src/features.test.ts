import { describe, expect, it } from 'vitest'
import { enabledDefinitions, featureGates, parseBooleanMap } from './features.ts'
import { storedResources } from './resources/index.ts'

const served = (config: Record<string, boolean>): string[] => enabledDefinitions(storedResources, config).map(({ resource: { group, version, resource } }) => `${group}/${version}/${resource}`)

describe('feature gates', () => {
  it('are off where upstream has them off, and known by name', () => {
    expect(featureGates({}).enabled('GenericWorkload')).toBe(false)
    expect(featureGates({ GenericWorkload: true }).enabled('GenericWorkload')).toBe(true)
    expect(() => featureGates({ Unheard: true })).toThrow('unrecognized feature gate: Unheard')
  })

  it('need the gates that they build on', () => {
    expect(() => featureGates({ GangScheduling: true })).toThrow('GangScheduling is enabled, but depends on features that are disabled: [GenericWorkload]')
  })

  it.each([['A=true,B=false', { A: true, B: false }], ['', {}], [' A=true ', { A: true }]])('reads %j', (text, expected) => {
    expect(parseBooleanMap([text])).toEqual(expected)
  })

  it.each(['A', 'A=1=2', 'A=yes'])('refuses %j', (text) => {
    expect(() => parseBooleanMap([text])).toThrow()
  })
})

describe('the runtime configuration', () => {
  it('leaves alpha versions off until they are asked for', () => {
    expect(served({})).not.toContain('scheduling.k8s.io/v1alpha2/podgroups')
    expect(served({ 'scheduling.k8s.io/v1alpha2': true })).toContain('scheduling.k8s.io/v1alpha2/podgroups')
    expect(served({ 'api/alpha': true })).toContain('scheduling.k8s.io/v1alpha2/workloads')
  })

  it('takes the most exact entry', () => {
    const some = served({ 'batch/v1': false, 'batch/v1/jobs': true })
    expect(some).toContain('batch/v1/jobs')
    expect(some).not.toContain('batch/v1/cronjobs')
  })

  it('refuses what there is not', () => {
    expect(() => served({ 'unheard/v1': true })).toThrow('unknown api groups unheard/v1')
  })
})
