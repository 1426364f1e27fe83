import { describe, expect, test } from 'vitest'
import type { NodeSelectorRequirement, Pod, ResourceRequirements, Taint, Toleration } from '@berth/api/types/core/v1'
import { hostPortsConflict } from './host-ports.ts'
import { nodeSelectorTermMatches } from './node-selector.ts'
import { computePodQos } from './qos.ts'
import { tolerates } from './tolerations.ts'

describe('node selector requirements', () => {
  const node = { metadata: { name: 'n1', labels: { disk: 'ssd', gen: '7' } } }
  test.each<[NodeSelectorRequirement, boolean]>([
    [{ key: 'disk', operator: 'In', values: ['ssd', 'hdd'] }, true],
    [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }, false],
    [{ key: 'absent', operator: 'NotIn', values: ['ssd'] }, true],
    [{ key: 'disk', operator: 'Exists' }, true],
    [{ key: 'absent', operator: 'DoesNotExist' }, true],
    [{ key: 'gen', operator: 'Gt', values: ['6'] }, true],
    [{ key: 'gen', operator: 'Gt', values: ['7'] }, false],
    [{ key: 'gen', operator: 'Lt', values: ['10'] }, true],
    [{ key: 'disk', operator: 'Lt', values: ['10'] }, false],
  ])('%j is %s', (requirement, expected) => {
    expect(nodeSelectorTermMatches({ matchExpressions: [requirement] }, node)).toBe(expected)
  })
  test('a term without requirements matches nothing', () => {
    expect(nodeSelectorTermMatches({}, node)).toBe(false)
  })
  test('the field metadata.name is the node\'s name', () => {
    expect(nodeSelectorTermMatches({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }, node)).toBe(true)
  })
})

describe('tolerations', () => {
  const taint: Taint = { key: 'a', value: 'x', effect: 'NoSchedule' }
  test.each<[Toleration, boolean]>([
    [{ key: 'a', operator: 'Equal', value: 'x', effect: 'NoSchedule' }, true],
    [{ key: 'a', value: 'x' }, true],
    [{ key: 'a', operator: 'Equal', value: 'y' }, false],
    [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ operator: 'Exists' }, true],
    [{ key: 'b', operator: 'Exists' }, false],
  ])('%j is %s', (toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected)
  })
})

describe('quality of service', () => {
  const pod = (...resources: Array<ResourceRequirements | undefined>): Pick<Pod, 'spec'> => ({ spec: { containers: resources.map((r, i) => ({ name: `c${i}`, image: 'x', ...(r ? { resources: r } : {}) })) } })
  const full = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }
  test.each([
    ['BestEffort', pod(undefined)],
    ['Guaranteed', pod(full)],
    ['Guaranteed', pod({ limits: { cpu: '1', memory: '1Gi' } })],
    ['Burstable', pod(full, undefined)],
    ['Burstable', pod({ requests: { cpu: '1' } })],
  ])('%s', (expected, given) => {
    expect(computePodQos(given)).toBe(expected)
  })
})

test('host ports conflict on one address, or where one takes all addresses', () => {
  const port = { ip: '10.0.0.1', protocol: 'TCP', port: 80 }
  expect(hostPortsConflict(port, { ...port, ip: '10.0.0.2' })).toBe(false)
  expect(hostPortsConflict(port, { ...port, ip: '' })).toBe(true)
  expect(hostPortsConflict(port, { ...port, protocol: 'UDP' })).toBe(false)
})
