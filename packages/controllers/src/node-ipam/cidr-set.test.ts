import { expect, test } from 'vitest'
import { CidrSet } from './cidr-set.ts'

test('subnets are given one after another, and a freed one only when its turn comes', () => {
  const set = new CidrSet('10.244.0.0/22', 24)
  expect([set.allocate(), set.allocate()]).toEqual(['10.244.0.0/24', '10.244.1.0/24'])
  set.release('10.244.0.0/24')
  expect([set.allocate(), set.allocate(), set.allocate(), set.allocate()]).toEqual(['10.244.2.0/24', '10.244.3.0/24', '10.244.0.0/24', undefined])
})

test('what nodes have already is not given again, whatever its size', () => {
  const set = new CidrSet('10.244.0.0/22', 24)
  expect(set.occupy('10.244.0.128/25')).toBe(true)
  expect(set.occupy('10.244.2.0/23')).toBe(true)
  expect(set.occupy('10.9.0.0/24')).toBe(false)
  expect([set.allocate(), set.allocate()]).toEqual(['10.244.1.0/24', undefined])
})

test('a range of IPv6 is cut alike', () => {
  const set = new CidrSet('fd00:1::/56', 64)
  expect([set.allocate(), set.allocate()]).toEqual(['fd00:1::/64', 'fd00:1:0:1::/64'])
})

test.each([
  ['10.244.0.0/24', 16, 'cluster CIDR 10.244.0.0/24: New CIDR set failed; the node CIDR size is too big: /16'],
  ['fd00::/32', 64, 'cluster CIDR fd00::/32: New CIDR set failed; the node CIDR size /64 gives more than 65536 subnets'],
  ['many', 24, 'invalid CIDR address: many'],
])('%s with /%d is refused', (cidr, size, message) => {
  expect(() => new CidrSet(cidr, size)).toThrow(message)
})
