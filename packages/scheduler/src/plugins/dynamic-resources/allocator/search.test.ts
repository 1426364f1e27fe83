import { describe, expect, test } from 'vitest'
import type { NodeSelector } from '@berth/api/types/core/v1'
import type { Device, DeviceClass, DeviceRequest, ResourceClaim, ResourceSlice } from '@berth/api/types/resource/v1'
import { parseQuantity } from '@berth/kube'
import { selectorCache } from '../selectors.ts'
import { cel, claimOf, classOf, device, driver, exactly, node1, nodeNamed, sliceOf } from '../test-devices.ts'
import { allocate } from './search.ts'
import { deviceId, slicesByNode, type AllocationInput, type AllocatorFeatures, type ConsumedCapacity } from './types.ts'

const allOn: AllocatorFeatures = { adminAccess: true, prioritizedList: true, partitionableDevices: true, deviceTaints: true, bindingConditions: true, consumableCapacity: true }
const selects = selectorCache({ consumableCapacity: true, listTypeAttributes: false })

interface Case {
  readonly slices: readonly ResourceSlice[]
  readonly claims: readonly ResourceClaim[]
  readonly classes?: readonly DeviceClass[]
  readonly taken?: readonly string[]
  readonly shared?: Readonly<Record<string, Record<string, string>>>
  readonly features?: Partial<AllocatorFeatures>
  readonly node?: typeof node1
  readonly steps?: number
}

function inputOf({ slices, classes = [classOf('gpu'), classOf('other', 'device.driver == "other.example.com"')], taken = [], shared = {}, features = {}, steps = 100_000 }: Case): AllocationInput {
  let left = steps
  let shares = 0
  const amounts = (of: Record<string, string>): ConsumedCapacity => new Map(Object.entries(of).map(([name, amount]) => [name, parseQuantity(amount)]))
  return {
    features: { ...allOn, ...features }, selects, slices: slicesByNode(slices), newShareId: () => `share-${shares++}`,
    deviceClass: (name) => classes.find(({ metadata }) => metadata.name === name),
    allocated: {
      devices: new Set(taken.map((name) => deviceId(driver, 'n1', name))),
      shared: new Map(Object.entries(shared).map(([name, of]) => [deviceId(driver, 'n1', name), amounts(of)])),
    },
    checkTime() {
      if (left-- <= 0) throw new Error('time is up')
    },
  }
}

/** The devices of each claim as `request=device`; `none` where the node does not have them; the message of an error. */
function run(of: Case): string[][] | string {
  try {
    const results = allocate(inputOf(of), of.node ?? node1, of.claims)
    return results?.map(({ devices }) => (devices?.results ?? []).map((result) => `${result.request}=${result.device}`)) ?? 'none'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const fast = { fast: { bool: true } }
const numa = (value: string): { attributes: Record<string, { string: string }> } => ({ attributes: { numa: { string: value } } })
const two: DeviceRequest[] = [exactly('r', { count: 2 })]
const wants = (...expressions: string[]): DeviceRequest[] => [exactly('r', { selectors: expressions.map(cel) })]
const firstOf = (...alternatives: [name: string, more: Partial<NonNullable<DeviceRequest['firstAvailable']>[number]>][]): DeviceRequest[] =>
  [{ name: 'r', firstAvailable: alternatives.map(([name, more]) => ({ name, deviceClassName: 'gpu', ...more })) }]
const all = (more = {}): DeviceRequest[] => [exactly('r', { allocationMode: 'All', ...more })]
const incomplete = sliceOf('a', ['a'], { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } })
const match = [{ matchAttribute: `${driver}/numa` }]
const distinct = [{ distinctAttribute: `${driver}/numa` }]
const taint: Partial<Device> = { taints: [{ key: 'broken', effect: 'NoSchedule' }] }

describe('selection', () => {
  test.each<[string, Case, string[][] | string]>([
    ['one device', { slices: [sliceOf('s', ['a', 'b'])], claims: [claimOf('c')] }, [['r=a']]],
    ['two of a request, combined', { slices: [sliceOf('s', ['a', 'b'])], claims: [claimOf('c', two)] }, [['r=a', 'r=b']]],
    ['more than there are', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', two)] }, 'none'],
    ['a device that is taken', { slices: [sliceOf('s', ['a', 'b'])], claims: [claimOf('c')], taken: ['a'] }, [['r=b']]],
    ['two claims do not share', { slices: [sliceOf('s', ['a', 'b'])], claims: [claimOf('c'), claimOf('d')] }, [['r=a'], ['r=b']]],
    ['a selector of the request', { slices: [sliceOf('s', ['a', device('b', { attributes: fast })])], claims: [claimOf('c', wants(`has(device.attributes["${driver}"].fast)`))] }, [['r=b']]],
    ['a selector that fails for a device', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', wants(`device.attributes["${driver}"].fast`))] }, 'claim ns/c: selector #0: CEL runtime error: no such key: fast'],
    ['a selector that does not compile', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', wants('device.nope'))] }, "claim ns/c: selector #0: CEL compile error: compilation failed: ERROR: <input>:1:7: undefined field 'nope'\n | device.nope\n | ......^"],
    ['a class of another driver', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', [exactly('r', { deviceClassName: 'other' })])] }, 'none'],
    ['a class that is not there', { slices: [], claims: [claimOf('c', [exactly('r', { deviceClassName: 'x' })])] }, 'claim ns/c, request r: could not retrieve device class x: deviceclass.resource.k8s.io "x" not found'],
    ['it goes back where a later request finds nothing', {
      slices: [sliceOf('s', [device('a', { attributes: fast }), 'b'])], claims: [claimOf('c', [exactly('any'), ...wants(`has(device.attributes["${driver}"].fast)`)])],
    }, [['any=b', 'r=a']]],
    ['more devices than a claim can have', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', [exactly('r', { count: 33 })])] }, 'claim ns/c: number of requested devices 33 exceeds the claim limit of 32'],
    ['a search that takes too long', { slices: [sliceOf('s', Array.from({ length: 30 }, (_, i) => `d${i}`))], claims: [claimOf('c', [exactly('r', { count: 15 }), exactly('q', { deviceClassName: 'other' })])], steps: 5000 }, 'time is up'],
  ])('%s', (_, of, expected) => {
    expect(run(of)).toEqual(expected)
  })
})

describe('pools', () => {
  const selectorFor = (value: string): NodeSelector => ({ nodeSelectorTerms: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: [value] }] }] })
  const generation = (number: number, count = 1) => ({ pool: { name: 'n1', generation: number, resourceSliceCount: count } })
  test.each<[string, Case, string[][] | string]>([
    ['another node has them', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c')], node: nodeNamed('n2') }, 'none'],
    ['every node can reach them', { slices: [sliceOf('s', ['a'], { allNodes: true })], claims: [claimOf('c')], node: nodeNamed('n2') }, [['r=a']]],
    ['nodes of a rack', { slices: [sliceOf('s', ['a'], { nodeSelector: selectorFor('r1') })], claims: [claimOf('c')], node: nodeNamed('n2', { rack: 'r1' }) }, [['r=a']]],
    ['nodes of another rack', { slices: [sliceOf('s', ['a'], { nodeSelector: selectorFor('r1') })], claims: [claimOf('c')], node: nodeNamed('n2', { rack: 'r2' }) }, 'none'],
    ['each device has its place', { slices: [sliceOf('s', [device('a', { nodeName: 'n2' }), device('b', { nodeName: 'n1' })], { perDeviceNodeSelection: true })], claims: [claimOf('c')] }, [['r=b']]],
    ['an older generation does not count', { slices: [sliceOf('old', ['a'], generation(1)), sliceOf('new', ['b'], generation(2))], claims: [claimOf('c')] }, [['r=b']]],
    ['a newer generation is on its way elsewhere', { slices: [sliceOf('old', ['a'], generation(1, 2)), sliceOf('new', ['b'], { ...generation(2), nodeName: 'n2' })], claims: [claimOf('c')] }, 'none'],
    ['a pool that is not complete', { slices: [incomplete], claims: [claimOf('c')] }, 'none'],
    ['the rest of a pool is on another node', { slices: [incomplete, sliceOf('b', ['b'], { ...generation(1, 2), nodeName: 'n2' })], claims: [claimOf('c')] }, [['r=a']]],
    ['two devices of one name', { slices: [sliceOf('s', ['a', 'a'])], claims: [claimOf('c')] }, 'invalid resource pools were encountered'],
    ['pools in the order of their names', { slices: [sliceOf('z', ['z'], { pool: { name: 'z', generation: 1, resourceSliceCount: 1 } }), sliceOf('b', ['b'], { pool: { name: 'b', generation: 1, resourceSliceCount: 1 } })], claims: [claimOf('c')] }, [['r=b']]],
    ['pools with binding conditions last', { slices: [sliceOf('a', [device('a', { bindingConditions: ['ready'] })], { pool: { name: 'a', generation: 1, resourceSliceCount: 1 } }), sliceOf('b', ['b'], { pool: { name: 'b', generation: 1, resourceSliceCount: 1 } })], claims: [claimOf('c')] }, [['r=b']]],
    ['binding conditions, which are off', { slices: [sliceOf('a', [device('a', { bindingConditions: ['ready'] })])], claims: [claimOf('c')], features: { bindingConditions: false } }, 'none'],
  ])('%s', (_, of, expected) => {
    expect(run(of)).toEqual(expected)
  })

  test.each<[string, Case, unknown]>([
    ['devices of a node bind to it', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c')] }, [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }]],
    ['devices of every node do not', { slices: [sliceOf('s', ['a'], { allNodes: true })], claims: [claimOf('c')] }, undefined],
    ['unless a device asks for it', { slices: [sliceOf('s', [device('a', { bindsToNode: true })], { allNodes: true })], claims: [claimOf('c')] }, [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }]],
    ['devices of a rack keep its selector', { slices: [sliceOf('s', ['a', 'b'], { nodeSelector: selectorFor('r1') })], claims: [claimOf('c', two)], node: nodeNamed('n1', { rack: 'r1' }) }, selectorFor('r1').nodeSelectorTerms],
  ])('%s', (_, of, expected) => {
    expect(allocate(inputOf(of), of.node ?? node1, of.claims)?.[0]?.nodeSelector?.nodeSelectorTerms).toEqual(expected)
  })
})

describe('requests', () => {
  test.each<[string, Case, string[][] | string]>([
    ['all that match', { slices: [sliceOf('s', ['a', 'b', device('c', { attributes: fast })])], claims: [claimOf('c', all({ selectors: [cel(`!has(device.attributes["${driver}"].fast)`)] }))] }, [['r=a', 'r=b']]],
    ['all, but one is taken', { slices: [sliceOf('s', ['a', 'b'])], claims: [claimOf('c', all())], taken: ['b'] }, 'none'],
    ['all, and there are none', { slices: [sliceOf('s', [])], claims: [claimOf('c', all())] }, 'none'],
    ['all of a pool that is not complete', { slices: [incomplete], claims: [claimOf('c', all())] }, `claim ns/c, request r: asks for all devices, but resource pool ${driver}/n1 is currently being updated`],
    ['the first alternative', { slices: [sliceOf('s', ['a', 'b'])], claims: [claimOf('c', firstOf(['big', { count: 2 }], ['small', {}]))] }, [['r/big=a', 'r/big=b']]],
    ['the second alternative', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', firstOf(['big', { count: 2 }], ['small', {}]))] }, [['r/small=a']]],
    ['no alternative', { slices: [sliceOf('s', [])], claims: [claimOf('c', firstOf(['big', { count: 2 }], ['small', {}]))] }, 'none'],
    ['alternatives that stay within the limit of a claim', { slices: [sliceOf('s', Array.from({ length: 40 }, (_, i) => `d${String(i).padStart(2, '0')}`))], claims: [claimOf('c', [exactly('many', { count: 31 }), ...firstOf(['two', { count: 2 }], ['one', {}])])] },
      [[...Array.from({ length: 31 }, (_, i) => `many=d${String(i).padStart(2, '0')}`), 'r/one=d31']]],
    ['alternatives that are off', { slices: [], claims: [claimOf('c', firstOf(['big', {}]))], features: { prioritizedList: false } }, 'claim ns/c, request r: has subrequests, but the DRAPrioritizedList feature is disabled'],
    ['administration beside another user', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', [exactly('r', { adminAccess: true })])], taken: ['a'] }, [['r=a']]],
    ['administration takes nothing twice in a claim', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', [exactly('r', { adminAccess: true, count: 2 })])] }, 'none'],
    ['administration that is off', { slices: [], claims: [claimOf('c', [exactly('r', { adminAccess: true })])], features: { adminAccess: false } }, 'claim ns/c, request r: admin access is requested, but the feature is disabled'],
    ['a device that is tainted', { slices: [sliceOf('s', [device('a', taint), 'b'])], claims: [claimOf('c')] }, [['r=b']]],
    ['a taint that is tolerated', { slices: [sliceOf('s', [device('a', taint)])], claims: [claimOf('c', [exactly('r', { tolerations: [{ key: 'broken', operator: 'Exists' }] })])] }, [['r=a']]],
    ['taints that are off', { slices: [sliceOf('s', [device('a', taint)])], claims: [claimOf('c')], features: { deviceTaints: false } }, [['r=a']]],
    ['a taint without effect', { slices: [sliceOf('s', [device('a', { taints: [{ key: 'x', effect: 'None' }] })])], claims: [claimOf('c')] }, [['r=a']]],
  ])('%s', (_, of, expected) => {
    expect(run(of)).toEqual(expected)
  })
})

describe('constraints', () => {
  const mixed = sliceOf('s', [device('a', numa('0')), device('b', numa('1')), device('c', numa('1'))])
  test.each<[string, Case, string[][] | string]>([
    ['devices alike', { slices: [mixed], claims: [claimOf('c', two, { constraints: match })] }, [['r=b', 'r=c']]],
    ['devices of two requests alike', { slices: [mixed], claims: [claimOf('c', [exactly('x'), exactly('y')], { constraints: match })] }, [['x=b', 'y=c']]],
    ['a constraint for one request alone', { slices: [mixed], claims: [claimOf('c', [exactly('x'), exactly('y')], { constraints: [{ ...match[0], requests: ['x'] }] })] }, [['x=a', 'y=b']]],
    ['more alike than there are', { slices: [mixed], claims: [claimOf('c', [exactly('r', { count: 3 })], { constraints: match })] }, 'none'],
    ['devices that all differ', { slices: [mixed], claims: [claimOf('c', two, { constraints: distinct })] }, [['r=a', 'r=b']]],
    ['more that differ than there are', { slices: [mixed], claims: [claimOf('c', [exactly('r', { count: 3 })], { constraints: distinct })] }, 'none'],
    ['an attribute that nobody has', { slices: [sliceOf('s', ['a'])], claims: [claimOf('c', [exactly('r')], { constraints: match })] }, 'none'],
    ['all devices, which differ', { slices: [mixed], claims: [claimOf('c', all(), { constraints: match })] }, `claim ns/c, request r: cannot add device ${driver}/n1/b because a claim constraint would not be satisfied`],
    ['a constraint of no known kind', { slices: [], claims: [claimOf('c', [], { constraints: [{}] })] }, 'claim ns/c, constraint #0: empty constraint (unsupported constraint type?)'],
  ])('%s', (_, of, expected) => {
    expect(run(of)).toEqual(expected)
  })
})

describe('parts of devices', () => {
  const counters = (memory: string) => [{ counterSet: 'gpu-0', counters: { memory: { value: memory } } }]
  const pool = { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } }
  const sets = sliceOf('counters', [], { ...pool, sharedCounters: [{ name: 'gpu-0', counters: { memory: { value: '40Gi' } } }] })
  const parts = sliceOf('parts', [device('whole', { consumesCounters: counters('40Gi') }), device('half-a', { consumesCounters: counters('20Gi') }), device('half-b', { consumesCounters: counters('20Gi') })], pool)
  test.each<[string, Case, string[][] | string]>([
    ['the whole', { slices: [sets, parts], claims: [claimOf('c')] }, [['r=whole']]],
    ['two parts, not the whole and one', { slices: [sets, parts], claims: [claimOf('c', two)] }, [['r=half-a', 'r=half-b']]],
    ['three parts', { slices: [sets, parts], claims: [claimOf('c', [exactly('r', { count: 3 })])] }, 'none'],
    ['what others have counts', { slices: [sets, parts], claims: [claimOf('c')], taken: ['half-a'] }, [['r=half-b']]],
    ['the whole is taken', { slices: [sets, parts], claims: [claimOf('c')], taken: ['whole'] }, 'none'],
    ['a counter that is not there', { slices: [sets, sliceOf('parts', [device('x', { consumesCounters: [{ counterSet: 'gpu-1', counters: {} }] })], pool)], claims: [claimOf('c')] }, 'invalid resource pools were encountered'],
    ['counters that are off', { slices: [sliceOf('s', [device('x', { consumesCounters: counters('1Gi') })])], claims: [claimOf('c')], features: { partitionableDevices: false } }, 'none'],
  ])('%s', (_, of, expected) => {
    expect(run(of)).toEqual(expected)
  })
})

describe('shared devices', () => {
  const policy = { requestPolicy: { default: '1Gi', validRange: { min: '1Gi', step: '1Gi', max: '8Gi' } } }
  const shared = device('nic', { allowMultipleAllocations: true, capacity: { bandwidth: { value: '10Gi', ...policy } } })
  const asks = (amount?: string): DeviceRequest[] => [exactly('r', amount === undefined ? {} : { capacity: { requests: { bandwidth: amount } } })]
  const slices = [sliceOf('s', [shared])]
  test.each<[string, Case, unknown]>([
    ['the default where nothing is asked', { slices, claims: [claimOf('c', asks())] }, [{ bandwidth: '1Gi' }]],
    ['rounded up to a step', { slices, claims: [claimOf('c', asks('1500Mi'))] }, [{ bandwidth: '2Gi' }]],
    ['several claims have a part each', { slices, claims: [claimOf('c', asks('4Gi')), claimOf('d', asks('6Gi'))] }, [{ bandwidth: '4Gi' }, { bandwidth: '6Gi' }]],
    ['more than there is', { slices, claims: [claimOf('c', asks('8Gi')), claimOf('d', asks('3Gi'))] }, 'none'],
    ['more than a request may have', { slices, claims: [claimOf('c', asks('9Gi'))] }, 'none'],
    ['beside what others have', { slices, claims: [claimOf('c', asks('3Gi'))], shared: { nic: { bandwidth: '8Gi' } } }, 'none'],
    ['a capacity that the device does not have', { slices, claims: [claimOf('c', [exactly('r', { capacity: { requests: { x: '1' } } })])] }, 'none'],
  ])('%s', (_, of, expected) => {
    const results = allocate(inputOf(of), node1, of.claims)
    expect(results?.map(({ devices }) => devices?.results?.[0]?.consumedCapacity) ?? 'none').toEqual(expected)
  })

  test('each share has an id of its own', () => {
    const results = allocate(inputOf({ slices, claims: [] }), node1, [claimOf('c', asks()), claimOf('d', asks())])
    expect(results?.map(({ devices }) => devices?.results?.[0]?.shareID)).toEqual(['share-0', 'share-1'])
  })
})

test('configuration of classes comes once, with the requests that use it, before that of the claim', () => {
  const opaque = (value: string) => ({ opaque: { driver, parameters: { value } } })
  const configured = { ...classOf('gpu'), spec: { ...classOf('gpu').spec, config: [opaque('class')] } }
  const claim = claimOf('c', [exactly('x'), exactly('y')])
  claim.spec.devices = { ...claim.spec.devices, config: [{ ...opaque('all') }, { ...opaque('x'), requests: ['x'] }, { ...opaque('z'), requests: ['z'] }] }
  const result = allocate(inputOf({ slices: [sliceOf('s', ['a', 'b'])], claims: [claim], classes: [configured] }), node1, [claim])
  expect(result?.[0]?.devices?.config).toEqual([
    { source: 'FromClass', requests: ['x', 'y'], ...opaque('class') }, { source: 'FromClaim', ...opaque('all') }, { source: 'FromClaim', requests: ['x'], ...opaque('x') },
  ])
})
