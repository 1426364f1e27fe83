import { expect, it } from 'vitest'
import { LeaseManager } from './leases.ts'

function granting() {
  const granted: number[] = []
  let now = 0
  const leases = new LeaseManager({ async leaseGrant(ttlSeconds) {
    granted.push(ttlSeconds)
    return { id: BigInt(granted.length), ttlSeconds }
  } }, () => now)
  return { granted, leases, at: (ms: number) => { now = ms } }
}

it('serves the keys of a minute with one lease, which outlives the last of them by its time', async () => {
  const { granted, leases, at } = granting()
  expect(await leases.lease(3600)).toBe(1n)
  at(59_000)
  expect(await leases.lease(3600)).toBe(1n)
  at(60_000)
  expect(await leases.lease(3600)).toBe(2n)
  expect(granted).toEqual([3660, 3660])
})

it('keeps times to live apart, and adds little to a short one', async () => {
  const { granted, leases } = granting()
  await leases.lease(3600)
  await leases.lease(15)
  expect(granted).toEqual([3660, 16])
})

it('takes a new lease after a thousand keys', async () => {
  const { granted, leases } = granting()
  for (let i = 0; i < 1001; i++) await leases.lease(3600)
  expect(granted).toHaveLength(2)
})

it('asks again after a failure', async () => {
  let fail = true
  const leases = new LeaseManager({ leaseGrant: async (ttlSeconds) => {
    if (fail) throw new Error('no leader')
    return { id: 9n, ttlSeconds }
  } })
  await expect(leases.lease(10)).rejects.toThrow('no leader')
  fail = false
  expect(await leases.lease(10)).toBe(9n)
})
