import { expect, test } from 'vitest'
import { capabilitiesToAdd, effectiveCapabilities, hasCapability } from './capabilities.ts'

const all = (1n << 41n) - 1n

test('the effective set is read from the process’ status', () => {
  const set = effectiveCapabilities('Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t000001fffeffffff\n')
  expect([hasCapability(set, 'SYS_ADMIN'), hasCapability(set, 'SYS_RESOURCE'), hasCapability(set, 'CHECKPOINT_RESTORE'), hasCapability(set, 'NONSENSE')]).toEqual([true, false, true, false])
})

const modern = { speaks: () => true }
const old = { speaks: () => false }

test('ALL stays where everything can be given, and is named one by one where something is missing', () => {
  expect(capabilitiesToAdd(['ALL'], all, modern)).toEqual(['ALL'])
  expect(capabilitiesToAdd(['NET_ADMIN'], 0n, modern)).toEqual(['NET_ADMIN'])
  const some = capabilitiesToAdd(['ALL'], all & ~(1n << 24n), modern)
  expect(some).toHaveLength(40)
  expect(some).not.toContain('SYS_RESOURCE')
  expect(capabilitiesToAdd(['ALL'], all & ~(1n << 24n), old)).not.toContain('BPF')
})
