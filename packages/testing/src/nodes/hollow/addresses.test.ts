import { expect, test } from 'vitest'
import { AddressPool } from './addresses.ts'

test('addresses come in their order, each owner keeps its own, and what is released is given again', () => {
  const pool = new AddressPool('10.128.255.0/29')
  expect(['a', 'b', 'a', 'c'].map((owner) => pool.of(owner))).toEqual(['10.128.255.2', '10.128.255.3', '10.128.255.2', '10.128.255.4'])
  pool.release('b')
  expect(pool.of('d')).toBe('10.128.255.3')
})

test('an address that a pod has is not given to another', () => {
  const pool = new AddressPool('10.128.0.0/24')
  expect(pool.of('old', '10.128.0.2')).toBe('10.128.0.2')
  expect(pool.of('new')).toBe('10.128.0.3')
})

test('a range that is used up says so', () => {
  const pool = new AddressPool('10.128.0.0/30')
  expect(pool.of('a')).toBe('10.128.0.2')
  expect(() => pool.of('b')).toThrow('every address of the node\'s podCIDR is in use')
})
