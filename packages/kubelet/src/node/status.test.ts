import type { StatusResponse } from '@berth/cri'
import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../config/configuration.ts'
import { memoryField, type Machine, type Usage } from './machine.ts'
import { nodeConditions, nodeImages, nodeResources, threshold } from './status.ts'

const machine: Machine = { hostname: 'n', cpus: 4, memoryBytes: 8n * 1024n ** 3n, machineId: '', systemUuid: '', bootId: '', kernelVersion: '', osImage: '', architecture: 'amd64' }
const usage: Usage = { memoryAvailable: 4n * 1024n ** 3n, memoryCapacity: 8n * 1024n ** 3n, fsAvailable: 50n * 1024n ** 3n, fsCapacity: 100n * 1024n ** 3n, fsInodesFree: 100n, fsInodes: 100n, pidsAvailable: 100n, pidsCapacity: 100n }
const settings = (config: object, capacity?: Record<string, string>) => resolveSettings({ nodeName: 'n', rootDir: '/x', config, ...(capacity ? { capacity } : {}) })
const status = (network: boolean): StatusResponse => ({
  status: { conditions: [{ type: 'RuntimeReady', status: true, reason: '', message: '' }, { type: 'NetworkReady', status: network, reason: 'NetworkPluginNotReady', message: 'no CNI' }] }, info: {}, runtimeHandlers: [],
})

describe('the node\'s status', () => {
  it('gives pods what reservations and thresholds leave', () => {
    const { capacity, allocatable } = nodeResources(settings({ kubeReserved: { cpu: '500m', memory: '1Gi' }, maxPods: 7 }), machine, usage)
    expect(capacity).toEqual({ cpu: '4', 'ephemeral-storage': '104857600Ki', 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', memory: '8388608Ki', pods: '7' })
    expect(allocatable).toMatchObject({ cpu: '3500m', memory: `${(8 - 1) * 1024 * 1024 - 100 * 1024}Ki`, pods: '7', 'ephemeral-storage': String((100n * 1024n ** 3n * 9n) / 10n) })
  })
  it('reports the share of a machine that it is told', () => {
    expect(nodeResources(settings({}, { cpu: '2', memory: '2Gi' }), machine, usage).capacity).toMatchObject({ cpu: '2', memory: '2Gi' })
  })
  it.each([['100Mi', 0n, 104_857_600n], ['10%', 1000n, 100n], ['0.5%', 1000n, 5n], [undefined, 1000n, 0n]])('the threshold %s of %i is %i', (text, capacity, expected) => expect(threshold(text, capacity)).toBe(expected))
  it.each([
    ['all is well', usage, status(true), 'MemoryPressure=False DiskPressure=False PIDPressure=False Ready=True kubelet is posting ready status'],
    ['memory is short', { ...usage, memoryAvailable: 1n }, status(true), 'MemoryPressure=True DiskPressure=False PIDPressure=False Ready=True kubelet is posting ready status'],
    ['the disk is full', { ...usage, fsAvailable: 1n }, status(true), 'MemoryPressure=False DiskPressure=True PIDPressure=False Ready=True kubelet is posting ready status'],
    ['the network is not there', usage, status(false), 'MemoryPressure=False DiskPressure=False PIDPressure=False Ready=False container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:no CNI'],
    ['the runtime is silent', usage, undefined, 'MemoryPressure=False DiskPressure=False PIDPressure=False Ready=False container runtime is down'],
  ])('when %s', (_, now, answer, expected) => {
    const conditions = nodeConditions({ settings: settings({}), usage: now, runtime: { version: 'x', ...(answer ? { status: answer } : {}) }, previous: undefined, now: 0 })
    expect(`${conditions.map((c) => `${c.type}=${c.status}`).join(' ')} ${conditions.at(-1)?.message}`).toBe(expected)
  })
  it('lists the biggest images', () => {
    const image = (size: bigint, tag: string) => ({ id: tag, repoTags: [tag], repoDigests: [], size, username: '', pinned: false })
    expect(nodeImages([image(1n, 'a'), image(3n, 'b'), image(2n, 'c')], 2)).toEqual([{ names: ['b'], sizeBytes: 3 }, { names: ['c'], sizeBytes: 2 }])
  })
  it('reads memory figures', () => expect(memoryField('MemTotal:       100 kB\nMemAvailable:    50 kB\n', 'MemAvailable')).toBe(51_200n))
})
