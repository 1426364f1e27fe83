import type { IPAddress, ServiceCIDR } from '@berth/api/types/networking/v1'
import { describe, expect, test } from 'vitest'
import { holdersOf, mayGo, overlap } from './ranges.ts'

const cidr = (name: string, ...cidrs: string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } })
const address = (name: string, managedBy = 'ipallocator.k8s.io'): IPAddress => ({ metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': managedBy } }, spec: { parentRef: { resource: 'services', name: 's', namespace: 'd' } } })

describe('whether a ServiceCIDR may go', () => {
  test.each<[string, ServiceCIDR, ServiceCIDR[], IPAddress[], boolean]>([
    ['nothing uses it', cidr('a', '10.0.0.0/24'), [], [], true],
    ['a Service uses it', cidr('a', '10.0.0.0/24'), [], [address('10.0.0.7')], false],
    ['somebody’s own address is in it', cidr('a', '10.0.0.0/24'), [], [address('10.0.0.7', 'me')], true],
    ['a Service uses another', cidr('a', '10.0.0.0/24'), [cidr('b', '10.1.0.0/24')], [address('10.1.0.7')], true],
    ['a larger one holds it', cidr('a', '10.0.0.0/24'), [cidr('b', '10.0.0.0/16')], [address('10.0.0.7')], true],
    ['another one is the same', cidr('a', '10.0.0.0/24'), [cidr('b', '10.0.0.0/24')], [address('10.0.0.7')], true],
    ['a smaller one holds what is used', cidr('a', '10.0.0.0/16'), [cidr('b', '10.0.0.0/24')], [address('10.0.0.7')], true],
    ['a smaller one holds not all that is used', cidr('a', '10.0.0.0/16'), [cidr('b', '10.0.0.0/24')], [address('10.0.0.7'), address('10.0.1.7')], false],
    ['one of two families is held', cidr('a', '10.0.0.0/24', 'fd00::/112'), [cidr('b', '10.0.0.0/16')], [address('fd00::7')], false],
    ['both are held', cidr('a', '10.0.0.0/24', 'fd00::/112'), [cidr('b', '10.0.0.0/16'), cidr('c', 'fd00::/64')], [address('fd00::7')], true],
  ])('%s', (_name, leaving, others, addresses, wanted) => {
    expect(mayGo(leaving, [leaving, ...others], addresses)).toBe(wanted)
  })
})

test('what overlaps, and what an address may be of', () => {
  expect([overlap(cidr('a', '10.0.0.0/24'), cidr('b', '10.0.0.0/16')), overlap(cidr('a', '10.0.0.0/16'), cidr('b', '10.0.3.0/24')), overlap(cidr('a', '10.0.0.0/24'), cidr('b', '10.0.1.0/24')), overlap(cidr('a', '10.0.0.0/24'), cidr('b', 'fd00::/64'))]).toEqual([true, true, false, false])
  expect(holdersOf(address('10.0.0.7'), [cidr('a', '10.0.0.0/24'), cidr('b', '10.0.0.0/16'), cidr('c', '10.1.0.0/16')]).map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
})
