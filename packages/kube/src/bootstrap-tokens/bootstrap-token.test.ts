import type { Secret } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { bootstrapGroups, readBootstrapToken } from './bootstrap-token.ts'

const data = (values: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
const secret = (values: Record<string, string>, more: Partial<Secret> = {}, metadata: Partial<Secret['metadata']> = {}): Secret => ({
  type: 'bootstrap.kubernetes.io/token', ...more, metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system', ...metadata }, data: data({ 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', ...values }),
})

test.each<[string, Secret, boolean]>([
  ['a whole one', secret({}), true],
  ['one of another type', secret({}, { type: 'Opaque' }), false],
  ['one of another namespace', secret({}, {}, { namespace: 'default' }), false],
  ['one of another name', secret({}, {}, { name: 'bootstrap-token-xxxxxx' }), false],
  ['one whose name is no token’s', secret({}, {}, { name: 'abcdef' }), false],
  ['one without an id', secret({ 'token-id': '' }), false],
  ['one without a secret', secret({ 'token-secret': '' }), false],
])('%s', (_name, given, isToken) => {
  expect(readBootstrapToken(given) !== undefined).toBe(isToken)
})

test.each([
  ['', undefined],
  ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1)],
  ['2026-01-01T01:00:00+01:00', Date.UTC(2026, 0, 1)],
  ['tomorrow', Number.NEGATIVE_INFINITY],
  ['2026-01-01', Number.NEGATIVE_INFINITY],
])('the end %j', (expiration, wanted) => {
  expect(readBootstrapToken(secret({ expiration }))?.expiresAt).toBe(wanted)
})

test('what it may be used for is said word for word', () => {
  const token = readBootstrapToken(secret({ 'usage-bootstrap-authentication': 'true', 'usage-bootstrap-signing': 'yes' }))
  expect([token?.isForAuthentication, token?.isForSigning]).toEqual([true, false])
})

test('groups are those of bootstrappers alone', () => {
  expect(bootstrapGroups({ extraGroups: '' })).toEqual(['system:bootstrappers'])
  expect(bootstrapGroups({ extraGroups: 'system:bootstrappers:kubeadm:default-node-token,system:bootstrappers:a' })).toEqual(['system:bootstrappers', 'system:bootstrappers:a', 'system:bootstrappers:kubeadm:default-node-token'])
  for (const extraGroups of ['system:masters', 'system:bootstrappers:', 'system:bootstrappers:A', 'system:bootstrappers:a, system:bootstrappers:b', 'system:bootstrappers:a\n']) expect(() => bootstrapGroups({ extraGroups })).toThrow('is invalid')
})
