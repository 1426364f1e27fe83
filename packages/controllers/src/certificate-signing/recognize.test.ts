import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '@berth/api/types/certificates/v1'
import { expect, test } from 'vitest'
import { apiServerClient, isPast, kubeletClient, kubeletServing, refusal, type Names } from './recognize.ts'

const names = (more: Partial<Names> = {}): Names => ({ commonName: 'system:node:n1', organizations: ['system:nodes'], dnsNames: [], ipAddresses: [], emails: 0, uris: 0, ...more })
const client = ['digital signature', 'key encipherment', 'client auth']
const serving = ['digital signature', 'server auth']

test.each([
  ['a kubelet’s client certificate', kubeletClient, names(), client, undefined],
  ['one without key encipherment', kubeletClient, names(), ['client auth', 'digital signature'], undefined],
  ['one of another organization', kubeletClient, names({ organizations: ['system:masters'] }), client, 'subject organization is not system:nodes'],
  ['one of another name', kubeletClient, names({ commonName: 'admin' }), client, 'subject common name does not begin with system:node:'],
  ['one with host names', kubeletClient, names({ dnsNames: ['n1'] }), client, 'DNS subjectAltNames are not allowed'],
  ['one for serving too', kubeletClient, names(), [...client, 'server auth'], 'usages did not match'],
  ['a kubelet’s serving certificate', kubeletServing, names({ ipAddresses: ['10.0.0.1'] }), serving, undefined],
  ['one for no host', kubeletServing, names(), serving, 'DNS or IP subjectAltName is required'],
  ['one with an address of mail', kubeletServing, names({ dnsNames: ['n1'], emails: 1 }), serving, 'email subjectAltNames are not allowed'],
  ['anybody’s client certificate', apiServerClient, names({ commonName: 'jane', organizations: [] }), client, undefined],
  ['anybody’s serving certificate', apiServerClient, names(), serving, 'usages did not match [client auth digital signature key encipherment]'],
])('%s', (_, signer, asked, usages, expected) => {
  expect(refusal(signer, asked, usages)).toBe(expected)
})

const now = Date.parse('2026-01-03T00:00:00Z')
const condition = (type: string, lastUpdateTime: string): CertificateSigningRequestCondition => ({ type, status: 'True', lastUpdateTime })
test.each([
  ['pending for a day and more', { creationTimestamp: '2026-01-01T23:00:00Z' }, undefined, false, true],
  ['pending for an hour', { creationTimestamp: '2026-01-02T23:00:00Z' }, undefined, false, false],
  ['denied two hours ago', {}, { conditions: [condition('Denied', '2026-01-02T22:00:00Z')] }, false, true],
  ['approved two hours ago, not signed', {}, { conditions: [condition('Approved', '2026-01-02T22:00:00Z')] }, false, false],
  ['signed two hours ago', {}, { certificate: 'x', conditions: [condition('Approved', '2026-01-02T22:00:00Z')] }, false, true],
  ['signed just now', {}, { certificate: 'x', conditions: [condition('Approved', '2026-01-02T23:59:00Z')] }, false, false],
  ['signed, and the certificate has ended', {}, { certificate: 'x', conditions: [condition('Approved', '2026-01-02T23:59:00Z')] }, true, true],
])('a request %s', (_, metadata, status, expired, past) => {
  const request: CertificateSigningRequest = { metadata: { name: 'r', ...metadata }, spec: { request: '', signerName: 's' }, ...(status === undefined ? {} : { status }) }
  expect(isPast(request, expired, now)).toBe(past)
})
