import { apiServerFlags } from '@berth/apiserver'
import { expect, test } from 'vitest'
import { judgeOthers, otherFlags } from './other-flags.ts'

test.each([
  [['profiling', 'goaway-chance'], { refusals: [], without: ['profiling', 'goaway-chance'] }],
  [['audit-policy-file'], { refusals: ['--audit-policy-file is not supported: no audit log is written'], without: [] }],
  [['oidc-issuer-url', 'vmodule'], { refusals: ['--oidc-issuer-url is not supported: there is no OIDC; use client certificates, --token-auth-file or service accounts'], without: ['vmodule'] }],
  [['secure-port', 'etcd-servers'], { refusals: [], without: [] }],
])('of %j is said %j', (given, said) => {
  expect(judgeOthers(new Set(given), apiServerFlags)).toEqual(said)
})

test('a flag that the server has is never one of the others', () => {
  const known = { profiling: {}, 'audit-policy-file': {} }
  expect(Object.keys(otherFlags(known)).filter((name) => name in known)).toEqual([])
  expect(judgeOthers(new Set(['profiling', 'audit-policy-file']), known)).toEqual({ refusals: [], without: [] })
})

test('switches take no value, so that what follows them is read as a flag', () => {
  const flags = otherFlags({})
  expect([flags['profiling']?.type, flags['goaway-chance']?.type, flags['audit-policy-file']?.type]).toEqual(['boolean', 'string', 'string'])
})
