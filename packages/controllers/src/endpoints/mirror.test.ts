import type { Endpoints, Service } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { isMirrored, planMirror } from './mirror.ts'

const endpoints = (subsets: Endpoints['subsets'], metadata: Partial<Endpoints['metadata']> = {}): Endpoints => ({ metadata: { name: 's', namespace: 'x', uid: 'u', ...metadata }, subsets })
const service = (spec: Service['spec'] = {}): Service => ({ metadata: { name: 's', namespace: 'x' }, spec })

test.each([
  ['of a Service without a selector', endpoints([]), service(), true],
  ['of a Service with one', endpoints([]), service({ selector: { a: 'b' } }), false],
  ['of no Service', endpoints([]), undefined, false],
  ['that say not to', endpoints([], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }), service(), false],
  ['that are a leader’s record', endpoints([], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }), service(), false],
])('whether Endpoints %s are mirrored', (_, object, of, expected) => {
  expect(isMirrored(object, of)).toBe(expected)
})

test('there is a slice for each family and set of ports; what is right stays, what is no more goes', () => {
  const two = endpoints([{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [{ port: 80 }] }])
  const { create } = planMirror(two, [], 1000)
  expect(create.map((slice) => [slice.addressType, slice.endpoints?.map((each) => [each.addresses[0], each.conditions?.ready])])).toEqual([['IPv4', [['10.0.0.1', true], ['10.0.0.2', false]]], ['IPv6', [['fd00::1', true]]]])
  expect(planMirror(two, create, 1000)).toEqual({ create: [], update: [], delete: [], invalid: 0, skipped: 0 })
  const one = endpoints([{ addresses: [{ ip: '10.0.0.3' }], ports: [{ port: 80 }] }])
  const plan = planMirror(one, create, 1000)
  expect([plan.create.length, plan.update.map((slice) => slice.endpoints?.[0]?.addresses), plan.delete.map((slice) => slice.addressType)]).toEqual([0, [['10.0.0.3']], ['IPv6']])
})

test('subsets of the same ports are one; what is no address, and what is too much, is counted', () => {
  const ports = [{ port: 80 }]
  const many = endpoints([{ addresses: [{ ip: '10.0.0.1' }, { ip: 'nowhere' }], ports }, { addresses: [{ ip: '10.0.0.2' }, { ip: 'fd00:0::2' }], ports }, { addresses: [{ ip: '10.0.0.9' }], ports: [{ port: 81 }] }])
  const { create, invalid, skipped } = planMirror(many, [], 2)
  expect(create.map((slice) => slice.endpoints?.map((each) => each.addresses[0]))).toEqual([['10.0.0.1', '10.0.0.2'], ['10.0.0.9']])
  expect([invalid, skipped]).toEqual([1, 2])
  expect(planMirror(many, [], 9).create[1]?.endpoints?.[0]?.addresses).toEqual(['fd00::2'])
})
