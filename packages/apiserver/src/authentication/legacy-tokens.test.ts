import { core } from '@berth/api'
import { createPrivateKeyPem, jwtSigner, legacyClaims, verificationKey } from '@berth/kube'
import { expect, test } from 'vitest'
import { MemoryStore } from '../test-support/memory-store.ts'
import { LegacyTokens } from './legacy-tokens.ts'

const now = Date.parse('2026-01-02T12:00:00Z')

async function cluster() {
  const key = await createPrivateKeyPem()
  const sign = jwtSigner(key)
  const store = new MemoryStore()
  await store.create(core.serviceaccounts, { metadata: { name: 'bot', namespace: 'a', uid: '1' } })
  const token = sign(legacyClaims({ namespace: 'a', secret: 's', account: 'bot', accountUid: '1' }))
  const keep = (kept: string, metadata: object = {}) => store.create(core.secrets, { metadata: { name: 's', namespace: 'a', ...metadata }, type: 'kubernetes.io/service-account-token', data: { token: Buffer.from(kept).toString('base64') } })
  const tokens = new LegacyTokens({ keys: [verificationKey(key)], store, now: () => now, log: { info() {}, error() {} } })
  return { store, sign, token, keep, check: (given: string) => tokens.check(given) }
}

test('a token in a Secret speaks for its account, and its day of use is written down', async () => {
  const { store, token, keep, check } = await cluster()
  await keep(token)
  expect(check(token)).toEqual({ name: 'system:serviceaccount:a:bot', uid: '1', groups: ['system:serviceaccounts', 'system:serviceaccounts:a'] })
  await Promise.resolve()
  expect(store.get(core.secrets, 's', 'a')?.metadata.labels).toEqual({ 'kubernetes.io/legacy-token-last-used': '2026-01-02' })
})

test('tokens of others are not its to judge', async () => {
  const { sign, check } = await cluster()
  expect([check('abc'), check(sign({ iss: 'https://kubernetes.default.svc' }))]).toEqual([undefined, undefined])
})

test('a token is good no more without its Secret, its account, or in another Secret', async () => {
  const { store, sign, token, keep, check } = await cluster()
  expect(() => check(token)).toThrow('Token has been invalidated')
  await keep('another')
  expect(() => check(token)).toThrow("Token does not match server's copy")
  await store.delete(core.secrets, 's', { namespace: 'a' })
  await keep(token)
  await store.delete(core.serviceaccounts, 'bot', { namespace: 'a' })
  expect(() => check(token)).toThrow('ServiceAccount a/bot has been deleted')
  await store.create(core.serviceaccounts, { metadata: { name: 'bot', namespace: 'a', uid: '2' } })
  expect(() => check(token)).toThrow('ServiceAccount UID (2) does not match claim (1)')
  expect(() => check(sign({ ...legacyClaims({ namespace: 'a', secret: 's', account: 'bot', accountUid: '1' }), sub: 'system:serviceaccount:a:root' }))).toThrow('sub claim is invalid')
})

test('a token of another key, or one that was marked invalid, is refused', async () => {
  const { token, keep, check } = await cluster()
  const forged = jwtSigner(await createPrivateKeyPem())(legacyClaims({ namespace: 'a', secret: 's', account: 'bot', accountUid: '1' }))
  expect(() => check(forged)).toThrow('invalid signature')
  await keep(token, { labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } })
  expect(() => check(token)).toThrow('has been marked invalid')
})
