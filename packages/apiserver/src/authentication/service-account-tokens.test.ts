import { expect, test } from 'vitest'
import { core } from '@berth/api'
import { createPrivateKeyPem, jwks, jwtSigner, readUnverifiedClaims, verificationKey, verifyJwt } from '@berth/kube'
import { MemoryStore } from '../test-support/memory-store.ts'
import { tokenRequest } from '../virtual/token-request.ts'
import { tokenReview } from '../virtual/token-review.ts'
import { TokenAuthenticator } from './authenticator.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import type { ApiObject } from '../interfaces.ts'

const issuer = 'https://kubernetes.default.svc'
const start = Date.parse('2026-01-01T00:00:00Z')

async function server() {
  const key = await createPrivateKeyPem()
  const store = new MemoryStore()
  const clock = { now: start }
  const now = (): number => clock.now
  const accounts = new ServiceAccountTokens({ issuer, keys: [verificationKey(key)], store, now })
  const subresource = tokenRequest(store, { issuer, audiences: [issuer], sign: jwtSigner(key), maxSeconds: 0, now })
  const parent = await store.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'a', uid: 'sa-uid' } })
  const request = async (spec: Record<string, unknown>): Promise<{ token: string, expirationTimestamp: string }> => {
    const answer = await subresource.create({ metadata: { name: '' }, spec } as ApiObject, { namespace: 'a', name: 'default', parent: parent as unknown as ApiObject, user: { name: 'u', groups: [] }, dryRun: false, warn: () => {} })
    return answer['status'] as never
  }
  return { store, clock, accounts, request, key }
}

test('a token has the layout of upstream and speaks for its account', async () => {
  const { store, accounts, request } = await server()
  await store.create(core.nodes, { metadata: { name: 'n1', uid: 'node-uid' }, spec: {} })
  await store.create(core.pods, { metadata: { name: 'p', namespace: 'a', uid: 'pod-uid' }, spec: { nodeName: 'n1', serviceAccountName: 'default', containers: [] } })
  const { token, expirationTimestamp } = await request({ expirationSeconds: 600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'pod-uid' } })
  expect(expirationTimestamp).toBe('2026-01-01T00:10:00Z')
  const seconds = start / 1000
  expect(readUnverifiedClaims(token)).toEqual({
    aud: [issuer], exp: seconds + 600, iat: seconds, nbf: seconds, iss: issuer, jti: expect.stringMatching(/^[0-9a-f-]{36}$/), sub: 'system:serviceaccount:a:default',
    'kubernetes.io': { namespace: 'a', node: { name: 'n1', uid: 'node-uid' }, pod: { name: 'p', uid: 'pod-uid' }, serviceaccount: { name: 'default', uid: 'sa-uid' } },
  })
  expect(accounts.check(token, [issuer]).user).toEqual({
    name: 'system:serviceaccount:a:default', uid: 'sa-uid', groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
    extra: {
      'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)], 'authentication.kubernetes.io/node-name': ['n1'], 'authentication.kubernetes.io/node-uid': ['node-uid'],
      'authentication.kubernetes.io/pod-name': ['p'], 'authentication.kubernetes.io/pod-uid': ['pod-uid'],
    },
  })
})

test('a token dies with its pod, also when another pod takes the name, and with its account', async () => {
  const { store, accounts, request } = await server()
  const pod = { metadata: { name: 'p', namespace: 'a', uid: '1' }, spec: { serviceAccountName: 'default', containers: [] } }
  await store.create(core.pods, pod)
  const { token } = await request({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } })
  const { token: unbound } = await request({})
  expect(accounts.check(token, [issuer]).user.name).toBe('system:serviceaccount:a:default')
  await store.delete(core.pods, 'p', { namespace: 'a' })
  expect(() => accounts.check(token, [issuer])).toThrow('pod p (1) does not exist')
  await store.create(core.pods, { ...pod, metadata: { ...pod.metadata, uid: '2' } })
  expect(() => accounts.check(token, [issuer])).toThrow('pod p (1) does not exist')
  expect(accounts.check(unbound, [issuer]).user.uid).toBe('sa-uid')
  await store.delete(core.serviceaccounts, 'default', { namespace: 'a' })
  expect(() => accounts.check(unbound, [issuer])).toThrow('service account default (sa-uid) does not exist')
})

test('a token ends with its time (and a minute of leeway), and is good for its audiences alone', async () => {
  const { accounts, clock, request } = await server()
  const { token } = await request({ audiences: ['vault'], expirationSeconds: 600 })
  expect(accounts.check(token, ['vault', issuer]).audiences).toEqual(['vault'])
  expect(() => accounts.check(token, [issuer])).toThrow('token audiences ["vault"] is invalid for the target audiences')
  clock.now = start + 650_000
  expect(accounts.check(token, ['vault']).audiences).toEqual(['vault'])
  clock.now = start + 661_000
  expect(() => accounts.check(token, ['vault'])).toThrow('expired')
})

test('the token of a projected volume lives a year and is stale after its nominal hour', async () => {
  const { store, accounts, clock, request } = await server()
  await store.create(core.pods, { metadata: { name: 'p', namespace: 'a', uid: '1' }, spec: { serviceAccountName: 'default', containers: [] } })
  const { token, expirationTimestamp } = await request({ expirationSeconds: 3607, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } })
  expect(expirationTimestamp).toBe('2026-01-01T01:00:07Z')
  expect(accounts.check(token, [issuer]).stale).toBe(false)
  clock.now = start + 7200_000
  expect(accounts.check(token, [issuer]).stale).toBe(true)
})

test('a token that was changed, or signed by another key, is refused', async () => {
  const { accounts, request } = await server()
  const { token } = await request({})
  const [header, claims = '', signature] = token.split('.')
  const forged = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'system:serviceaccount:a:admin' }
  expect(() => accounts.check(`${header}.${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${signature}`, [issuer])).toThrow('invalid signature')
  const stranger = jwtSigner(await createPrivateKeyPem())(JSON.parse(Buffer.from(claims, 'base64url').toString()))
  expect(() => accounts.check(stranger, [issuer])).toThrow('invalid signature')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`
  expect(() => accounts.check(none, [issuer])).toThrow('invalid signature')
})

test('a request for a token that makes no sense is refused in upstream words', async () => {
  const { store, request } = await server()
  await store.create(core.pods, { metadata: { name: 'p', namespace: 'a', uid: '1' }, spec: { serviceAccountName: 'other', containers: [] } })
  await expect(request({ expirationSeconds: 5 })).rejects.toThrow('TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes')
  await expect(request({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'q' } })).rejects.toThrow('pods "q" not found')
  await expect(request({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } })).rejects.toThrow('cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.')
  await expect(request({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '9' } })).rejects.toThrow('the UID in the bound object reference (9) does not match the UID in record')
  await expect(request({ boundObjectRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'p' } })).rejects.toThrow('cannot bind token to object of type apps/v1, Kind=Deployment')
})

test('a TokenReview tells the user of a good token, and nothing of a bad one', async () => {
  const { accounts, request } = await server()
  const review = tokenReview(new TokenAuthenticator(new Map(), accounts, [issuer]), [issuer])
  const ask = async (token: string, audiences?: string[]): Promise<unknown> => (await review.create({ metadata: { name: '' }, spec: { token, ...(audiences && { audiences }) } } as ApiObject, { namespace: '', name: '', parent: undefined, user: { name: 'k', groups: [] }, dryRun: false, warn: () => {} }))['status']
  const { token } = await request({})
  expect(await ask(token)).toMatchObject({ authenticated: true, audiences: [issuer], user: { username: 'system:serviceaccount:a:default', uid: 'sa-uid', groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'] } })
  expect(await ask('nonsense')).toEqual({ user: {}, error: 'invalid bearer token' })
  expect(await ask(token, ['elsewhere'])).toMatchObject({ user: {}, error: expect.stringContaining('invalid for the target audiences') })
})

test('the published keys verify the tokens', async () => {
  const { key, request } = await server()
  const { token } = await request({})
  const [published] = jwks([verificationKey(key)]).keys
  expect(published).toMatchObject({ use: 'sig', alg: 'ES256', kty: 'EC', crv: 'P-256', kid: verificationKey(key).id })
  expect(verifyJwt(token, [verificationKey(key)])?.['iss']).toBe(issuer)
})
