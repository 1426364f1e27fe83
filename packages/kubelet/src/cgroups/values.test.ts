import type { Container } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import { testPod } from '../pods/test-pods.ts'
import { cgroupWrites, cpuQuota, cpuShares, cpuWeight, oomScoreAdj, podCgroupPath, podCgroupValues } from './values.ts'

const options = { cfsQuota: true, periodMicros: 100_000, pidsLimit: -1 }
const c = (requests: Record<string, string>, limits: Record<string, string> = {}): Container => ({ name: 'a', resources: { requests, limits } })
const gi = 1024n ** 3n

describe('cgroup values', () => {
  it.each([[0n, 2], [1n, 2], [100n, 102], [1000n, 1024], [1_000_000n, 262_144]])('%i thousandths of a CPU are %i shares', (milli, shares) => expect(cpuShares(milli)).toBe(shares))
  it.each([[0n, 0], [1n, 1000], [500n, 50_000], [2000n, 200_000]])('a limit of %i thousandths is a quota of %i', (milli, quota) => expect(cpuQuota(milli, 100_000)).toBe(quota))
  it.each([[2, 1], [1024, 39], [262_144, 10_000]])('%i shares weigh %i', (shares, weight) => expect(cpuWeight(shares)).toBe(weight))

  it('hold a pod to a limit only where every container has one', () => {
    expect(podCgroupValues(testPod({ containers: [c({ cpu: '100m' }, { memory: '64Mi' }), c({}, {})] }), 'Burstable', options)).toEqual({ cpuShares: 102 })
    expect(podCgroupValues(testPod({ containers: [c({ cpu: '1' }, { cpu: '1', memory: '64Mi' })] }), 'Guaranteed', { ...options, pidsLimit: 100 })).toEqual({ cpuShares: 1024, cpuQuota: 100_000, cpuPeriod: 100_000, memoryLimit: 67_108_864n, pidsLimit: 100 })
    expect(podCgroupValues(testPod(), 'BestEffort', options)).toEqual({ cpuShares: 2 })
  })

  it('are files of version 1 or of version 2', () => {
    const values = { cpuShares: 1024, cpuQuota: 50_000, cpuPeriod: 100_000, memoryLimit: 1n, pidsLimit: 9 }
    expect(cgroupWrites(values, 1).map((w) => `${w.controller}/${w.file}=${w.value}`)).toEqual(['cpu/cpu.shares=1024', 'cpu/cpu.cfs_period_us=100000', 'cpu/cpu.cfs_quota_us=50000', 'memory/memory.limit_in_bytes=1', 'pids/pids.max=9'])
    expect(cgroupWrites(values, 2).map((w) => `${w.controller}/${w.file}=${w.value}`)).toEqual(['/cpu.weight=39', '/cpu.max=50000 100000', '/memory.max=1', '/pids.max=9'])
  })

  it.each([
    ['Guaranteed', c({ memory: '1Gi' }, { memory: '1Gi' }), -997], ['BestEffort', c({}), 1000], ['Burstable', c({ memory: '2Gi' }), 500], ['Burstable', c({ memory: '1' }), 999], ['Burstable', c({ memory: '4Gi' }), 3],
  ] as const)('%s containers get an OOM score', (qos, container, score) => expect(oomScoreAdj(testPod(), container, qos, 4n * gi)).toBe(score))

  it.each([['/', 'Guaranteed', '/kubepods/podu'], ['/', 'Burstable', '/kubepods/burstable/podu'], ['/n1/', 'BestEffort', '/n1/kubepods/besteffort/podu']] as const)('below %s a %s pod is at %s', (root, qos, path) =>
    expect(podCgroupPath(root, qos, 'u')).toBe(path))
})
