import { core } from '@berth/api'
import type { Secret } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { MemoryStore } from '../test-support/memory-store.ts'
import { BootstrapTokens } from './bootstrap-tokens.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const bearer = 'abcdef.0123456789abcdef'

const usable = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' }

async function check(token: string, values: Record<string, string>, more: Partial<Secret['metadata']> = {}, type = 'bootstrap.kubernetes.io/token'): Promise<string | undefined> {
  const store = new MemoryStore()
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  await store.create(core.secrets, { metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system', ...more }, type, data })
  const user = new BootstrapTokens({ store, now: () => now, log: { info() {}, error() {} } }).check(token)
  return user && `${user.name} ${user.groups.join(',')}`
}

test.each<[string, string, Record<string, string>, string | undefined]>([
  ['names its bearer', bearer, usable, 'system:bootstrap:abcdef system:bootstrappers'],
  ['adds its groups', bearer, { ...usable, 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token' }, 'system:bootstrap:abcdef system:bootstrappers,system:bootstrappers:kubeadm:default-node-token'],
  ['adds no other groups', bearer, { ...usable, 'auth-extra-groups': 'system:masters' }, undefined],
  ['has another secret', 'abcdef.0123456789abcdee', usable, undefined],
  ['is another token', 'abcdee.0123456789abcdef', usable, undefined],
  ['has another form', 'abcdef:0123456789abcdef', usable, undefined],
  ['has not ended', bearer, { ...usable, expiration: '2026-01-01T00:00:01Z' }, 'system:bootstrap:abcdef system:bootstrappers'],
  ['has ended', bearer, { ...usable, expiration: '2026-01-01T00:00:00Z' }, undefined],
  ['ends at no time', bearer, { ...usable, expiration: 'soon' }, undefined],
  ['is for signing alone', bearer, { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true' }, undefined],
])('a token that %s', async (_name, token, values, wanted) => {
  expect(await check(token, values)).toBe(wanted)
})

test('a Secret that is being deleted, is elsewhere, or of another type is no token', async () => {
  expect(await check(bearer, usable, { deletionTimestamp: '2026-01-01T00:00:00Z' })).toBeUndefined()
  expect(await check(bearer, usable, { namespace: 'default' })).toBeUndefined()
  expect(await check(bearer, usable, {}, 'Opaque')).toBeUndefined()
})
