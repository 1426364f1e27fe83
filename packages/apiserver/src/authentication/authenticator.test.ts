import { expect, test } from 'vitest'
import { X509Certificate } from 'node:crypto'
import { createCa, createPrivateKeyPem, issueCertificate, verificationKey } from '@berth/kube'
import { rbac } from '@berth/api'
import { createAuthorization } from '../authorization/index.ts'
import type { UserInfo } from '../interfaces.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { RequestAuthenticator, TokenAuthenticator } from './authenticator.ts'
import { ClientCertificates } from './client-certificates.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import { parseTokenFile, userOfToken } from './token-file.ts'

const day = 24 * 3600 * 1000
const der = (pem: string): Uint8Array => new X509Certificate(pem).raw

async function authenticatorWith(options: { anonymous?: boolean, ca?: string } = {}) {
  const store = new MemoryStore()
  const { authorizer } = createAuthorization(['RBAC'], store)
  const accounts = new ServiceAccountTokens({ issuer: 'i', keys: [verificationKey(await createPrivateKeyPem())], store, now: Date.now })
  const tokens = new TokenAuthenticator(parseTokenFile('secret,root,1,"system:masters"\nplain,bob,2\n'), accounts, ['i'])
  const certificates = options.ca === undefined ? undefined : new ClientCertificates(options.ca, Date.now)
  const authenticator = new RequestAuthenticator({
    certificates: () => certificates, tokens, audiences: ['i'], anonymous: options.anonymous ?? true, authorizer, log: { info() {}, error() {} },
  })
  const who = (headers: Record<string, string>, clientCertificates: Uint8Array[] = []): Promise<UserInfo | undefined> => authenticator.authenticate({ headers, path: '/', clientCertificates })
  return { store, who }
}

test('a client certificate names its user and groups; one of another authority, of another use, or out of time is refused', async () => {
  const ca = await createCa('ca')
  const now = { ms: Date.now() }
  const certificates = new ClientCertificates(ca.certificate, () => now.ms)
  const good = await issueCertificate(ca, { commonName: 'alice', organizations: ['dev', 'ops'], usages: ['client'], days: 10 })
  expect(certificates.check([der(good.certificate)])).toMatchObject({ name: 'alice', groups: ['dev', 'ops'], extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] } })
  const serving = await issueCertificate(ca, { commonName: 'alice', usages: ['server'] })
  expect(() => certificates.check([der(serving.certificate)])).toThrow('incompatible key usage')
  const stranger = await issueCertificate(await createCa('ca'), { commonName: 'alice', usages: ['client'] })
  expect(() => certificates.check([der(stranger.certificate)])).toThrow('unknown authority')
  now.ms += 11 * day
  expect(() => certificates.check([der(good.certificate)])).toThrow('expired or is not yet valid')
})

test('a request is who its certificate or token says, else anonymous; bad credentials are never anonymous', async () => {
  const ca = await createCa('ca')
  const { who } = await authenticatorWith({ ca: ca.certificate })
  const alice = await issueCertificate(ca, { commonName: 'alice', usages: ['client'] })
  expect(await who({}, [der(alice.certificate)])).toMatchObject({ name: 'alice', groups: ['system:authenticated'] })
  expect(await who({ authorization: 'Bearer secret' })).toEqual({ name: 'root', uid: '1', groups: ['system:masters', 'system:authenticated'] })
  expect(await who({})).toEqual({ name: 'system:anonymous', groups: ['system:unauthenticated'] })
  await expect(who({ authorization: 'Bearer wrong' })).rejects.toMatchObject({ code: 401 })
  const mallory = await issueCertificate(await createCa('x'), { commonName: 'root', organizations: ['system:masters'], usages: ['client'] })
  await expect(who({}, [der(mallory.certificate)])).rejects.toMatchObject({ code: 401 })
  expect((await who({ authorization: 'Bearer plain' }, [der(mallory.certificate)]))?.name).toBe('bob')
  const browser = `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from('plain').toString('base64url')}`
  expect((await who({ 'sec-websocket-protocol': browser }))?.name).toBe('bob')
})

test('without anonymous requests, who shows nothing is nobody', async () => {
  const { who } = await authenticatorWith({ anonymous: false })
  expect(await who({})).toBeUndefined()
})

test('who may impersonate becomes the other user; who may not is told what he lacks', async () => {
  const { store, who } = await authenticatorWith()
  const as = { 'impersonate-user': 'eve', 'impersonate-group': 'a,b', 'impersonate-extra-scopes%2fx': 'view', 'impersonate-uid': '7' }
  expect(await who({ authorization: 'Bearer secret', ...as })).toEqual({ name: 'eve', uid: '7', groups: ['a,b', 'system:authenticated'], extra: { 'scopes/x': ['view'] } })
  await expect(who({ authorization: 'Bearer plain', ...as })).rejects.toThrow('users "eve" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope')
  await store.create(rbac.clusterroles, { metadata: { name: 'imp' }, rules: [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['eve'] }] })
  await store.create(rbac.clusterrolebindings, { metadata: { name: 'imp' }, roleRef: { kind: 'ClusterRole', name: 'imp' }, subjects: [{ kind: 'User', name: 'bob' }] })
  expect((await who({ authorization: 'Bearer plain', 'impersonate-user': 'eve' }))?.name).toBe('eve')
  await expect(who({ authorization: 'Bearer plain', ...as })).rejects.toThrow('groups "a,b" is forbidden: User "bob" cannot impersonate resource "groups"')
  await expect(who({ authorization: 'Bearer secret', 'impersonate-group': 'a' })).rejects.toMatchObject({ code: 400 })
  expect(await who({ authorization: 'Bearer secret', 'impersonate-user': 'system:serviceaccount:x:y' })).toEqual({ name: 'system:serviceaccount:x:y', groups: ['system:serviceaccounts', 'system:serviceaccounts:x', 'system:authenticated'] })
  expect(await who({ authorization: 'Bearer secret', 'impersonate-user': 'system:anonymous' })).toEqual({ name: 'system:anonymous', groups: ['system:unauthenticated'] })
})

test('a token file is read with quotes, comments and empty lines; a short line is named', () => {
  const users = parseTokenFile('# who\n\n t1 ,ann,1,"a,b, c"\nt2,"o""neil",2,single\nt3,carl,\n')
  expect(userOfToken(users, 't1')).toEqual({ name: 'ann', uid: '1', groups: ['a', 'b', 'c'] })
  expect(userOfToken(users, 't2')).toEqual({ name: 'o"neil', uid: '2', groups: ['single'] })
  expect(userOfToken(users, 't3')).toEqual({ name: 'carl', groups: [] })
  expect(userOfToken(users, 't4')).toBeUndefined()
  expect(() => parseTokenFile('a,b,c\nx,y\n')).toThrow('token file line 2: expected at least 3 columns')
})
