import { expect, test } from 'vitest'
import { podInfoOf } from '../framework/pod-info.ts'
import { networkBandwidth, type NetworkBandwidthArgs } from './network-bandwidth.ts'
import { clusterOf, nodeOf, podOf, verdictsOf, type GivenPod } from './placement/scores.test-support.ts'

const link = (name: string, annotations: Record<string, string>, allocatable: Record<string, string> = {}) => nodeOf(name, {}, annotations, { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable } })
const gigabit = link('a', { 'berth.dev/link-speed': '1G' })
const wants = (ingress: string, more: Partial<GivenPod> = {}): GivenPod => ({ name: 'new', requests: { 'berth.dev/ingress-bandwidth': ingress }, ...more })

test.each<[string, ReturnType<typeof link>, GivenPod[], GivenPod, number | string, NetworkBandwidthArgs?]>([
  ['a pod that asks for none goes anywhere', link('a', {}), [], { name: 'new' }, 0],
  ['the free share after it is the score', gigabit, [], wants('250M'), 75],
  ['what pods have counts, those decided but not bound too', gigabit, [{ name: '1', node: 'a', requests: { 'berth.dev/ingress-bandwidth': '500M' } }], wants('250M'), 25],
  ['the last bit can be had', gigabit, [{ name: '1', node: 'a', requests: { 'berth.dev/ingress-bandwidth': '750M' } }], wants('250M'), 0],
  ['one more cannot, until somebody goes', gigabit, [{ name: '1', node: 'a', requests: { 'berth.dev/ingress-bandwidth': '751M' } }], wants('250M'), 'Unschedulable: Insufficient ingress bandwidth'],
  ['more than the link carries can be had never', gigabit, [], wants('2G'), 'UnschedulableAndUnresolvable: Insufficient ingress bandwidth'],
  ['upstream\'s annotation asks, too', gigabit, [], { name: 'new', annotations: { 'kubernetes.io/egress-bandwidth': '600M' } }, 40],
  ['upstream\'s annotation counts, too', gigabit, [{ name: '1', node: 'a', annotations: { 'kubernetes.io/ingress-bandwidth': '900M' } }], wants('250M'), 'Unschedulable: Insufficient ingress bandwidth'],
  ['of annotation and request the larger counts', gigabit, [], wants('100M', { annotations: { 'kubernetes.io/ingress-bandwidth': '700M' } }), 30],
  ['the two directions are two links', gigabit, [{ name: '1', node: 'a', annotations: { 'kubernetes.io/egress-bandwidth': '1G' } }], wants('250M'), 75],
  ['the busier direction is the score', gigabit, [], wants('100M', { annotations: { 'kubernetes.io/egress-bandwidth': '900M' } }), 10],
  ['the annotation by direction comes before the link speed', link('a', { 'berth.dev/link-speed': '1G', 'berth.dev/ingress-bandwidth-capacity': '500M' }), [], wants('250M'), 50],
  ['allocatable comes before the link speed', link('a', { 'berth.dev/link-speed': '1G' }, { 'berth.dev/ingress-bandwidth': '500M' }), [], wants('250M'), 50],
  ['a node that says nothing is no place', link('a', {}), [], wants('1M'), 'UnschedulableAndUnresolvable: node(s) announced no ingress bandwidth'],
  ['unless that is allowed', link('a', {}), [], wants('1M'), 0, { unknownCapacity: 'Allow' }],
  ['nor is one that says nonsense', link('a', { 'berth.dev/link-speed': 'fast' }), [], wants('1M'), 'UnschedulableAndUnresolvable: node(s) had an unreadable ingress bandwidth', { unknownCapacity: 'Allow' }],
])('%s', (_, node, pods, pod, wanted, args = {}) => {
  expect(verdictsOf(networkBandwidth(args), clusterOf([node], pods), pod)).toEqual({ a: wanted })
})

test('a pod whose annotation cannot be read waits with the reason', () => {
  expect(verdictsOf(networkBandwidth(), clusterOf([gigabit]), { name: 'new', annotations: { 'kubernetes.io/ingress-bandwidth': 'lots' } }))
    .toEqual({ all: 'UnschedulableAndUnresolvable: annotation kubernetes.io/ingress-bandwidth: "lots" is not a quantity of bits per second' })
})

test('only a pod that had bandwidth wakes those that wait for some', () => {
  const helps = networkBandwidth().events?.().find(({ event }) => event === 'AssignedPodDeleted')?.helps
  const pod = podInfoOf(podOf(wants('1M')))
  expect([{ name: '1' }, wants('1M'), { name: '2', annotations: { 'kubernetes.io/egress-bandwidth': '1M' } }].map((old) => helps?.(pod, { old: podOf(old) }))).toEqual([false, true, true])
})
