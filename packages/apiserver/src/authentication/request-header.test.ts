import { describe, expect, it } from 'vitest'
import { createCa, issueCertificate } from '@berth/kube'
import { X509Certificate } from 'node:crypto'
import { RequestHeaderAuthenticator, userOfHeaders } from './request-header.ts'

const names = { usernameHeaders: ['X-Remote-User', 'X-User'], uidHeaders: ['X-Remote-Uid'], groupHeaders: ['X-Remote-Group'], extraHeadersPrefix: ['X-Remote-Extra-'] }

function request(...rawHeaders: string[]): { headers: Record<string, string>, rawHeaders: string[] } {
  const headers: Record<string, string> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) headers[rawHeaders[at]!.toLowerCase()] = rawHeaders[at + 1]!
  return { headers, rawHeaders }
}

describe('the user that headers name', () => {
  it.each([
    ['none without a name', request('X-Remote-Group', 'a'), undefined],
    ['the first name that has a value', request('X-Remote-User', '', 'X-User', 'bob'), { name: 'bob', groups: [] }],
    ['every group, commas and all', request('X-Remote-User', 'bob', 'X-Remote-Group', 'cn=a,ou=b', 'x-remote-group', 'c'), { name: 'bob', groups: ['cn=a,ou=b', 'c'] }],
    ['a uid and extras, whose names are escaped', request('X-Remote-User', 'bob', 'X-Remote-Uid', '7', 'X-Remote-Extra-Acme.com%2fProject', 'p', 'X-Remote-Extra-Scopes', 's1', 'X-Remote-Extra-Scopes', 's2'),
      { name: 'bob', groups: [], uid: '7', extra: { 'acme.com/project': ['p'], scopes: ['s1', 's2'] } }],
  ])('is %s', (_name, given, expected) => expect(userOfHeaders(given, names)).toEqual(expected))
})

describe('who may name users', () => {
  it('is a proxy with a certificate of the authority and an allowed name', async () => {
    const [ca, other] = await Promise.all([createCa('front-proxy-ca'), createCa('front-proxy-ca')])
    const chain = async (authority: typeof ca, commonName: string): Promise<Uint8Array[]> => [new X509Certificate((await issueCertificate(authority, { commonName, usages: ['client'] })).certificate).raw]
    const authenticator = new RequestHeaderAuthenticator(ca.certificate, ['front-proxy-client'], names, Date.now)
    const named = request('X-Remote-User', 'bob')
    const check = (clientCertificates: Uint8Array[], given = named): unknown => authenticator.check({ ...given, path: '/', clientCertificates })
    expect(check(await chain(ca, 'front-proxy-client'))).toEqual({ name: 'bob', groups: [] })
    expect(check(await chain(ca, 'front-proxy-client'), request('Accept', '*/*'))).toBeUndefined()
    expect(check([])).toBeUndefined()
    const [stranger, forged] = await Promise.all([chain(ca, 'somebody'), chain(other, 'front-proxy-client')])
    expect(() => check(stranger)).toThrow('x509: subject with cn=somebody is not in the allowed list')
    expect(() => check(forged)).toThrow('x509: certificate signed by unknown authority')
  })
})
