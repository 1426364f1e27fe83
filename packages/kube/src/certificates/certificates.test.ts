import { X509Certificate } from 'node:crypto'
import { createServer, connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createCa, createCertificateRequest, inspectCertificate, issueCertificate, needsRenewal, signCertificateRequest } from './index.ts'

const day = 24 * 3600 * 1000

test('a certificate that is issued carries its names and is signed by its authority', async () => {
  const ca = await createCa('berth-ca')
  const issued = await issueCertificate(ca, { commonName: 'system:node:n1', organizations: ['system:nodes', 'a, "b"'], dnsNames: ['n1'], ipAddresses: ['10.0.0.1', 'fd00::1'], usages: ['server', 'client'] })
  expect(inspectCertificate(issued.certificate)).toMatchObject({
    commonName: 'system:node:n1', organizations: ['system:nodes', 'a, "b"'], dnsNames: ['n1'], ipAddresses: ['10.0.0.1', 'FD00:0:0:0:0:0:0:1'],
  })
  const parsed = new X509Certificate(issued.certificate)
  expect(parsed.verify(new X509Certificate(ca.certificate).publicKey)).toBe(true)
  expect(parsed.ca).toBe(false)
  expect(new X509Certificate(ca.certificate).ca).toBe(true)
})

test('TLS with client certificates works between a server and a client of one authority, and another authority is refused', async () => {
  const ca = await createCa('berth-ca')
  const server = await issueCertificate(ca, { commonName: 'server', dnsNames: ['localhost'], usages: ['server'] })
  const client = await issueCertificate(ca, { commonName: 'alice', organizations: ['dev'], usages: ['client'] })
  const listener = createServer({ cert: server.certificate, key: server.key, ca: ca.certificate, requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.on('error', () => {})
    socket.end(String(socket.getPeerCertificate().subject?.CN))
  })
  listener.on('tlsClientError', () => {})
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const port = (listener.address() as { port: number }).port
  const ask = async (pair: { certificate: string; key: string }): Promise<string> => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.certificate, cert: pair.certificate, key: pair.key })
    let text = ''
    for await (const data of socket) text += String(data)
    return text
  }
  expect(await ask(client)).toBe('alice')
  const stranger = await issueCertificate(await createCa('other'), { commonName: 'mallory', usages: ['client'] })
  expect(['', 'refused']).toContain(await ask(stranger).catch(() => 'refused'))
  listener.close()
})

test('a request is signed with the names it carries', async () => {
  const ca = await createCa('berth-ca')
  const { request } = await createCertificateRequest({ commonName: 'system:node:n2', organizations: ['system:nodes'], dnsNames: ['n2'], ipAddresses: ['10.0.0.2'] })
  const certificate = await signCertificateRequest(ca, request, { usages: ['server'], days: 30 })
  expect(inspectCertificate(certificate)).toMatchObject({ commonName: 'system:node:n2', organizations: ['system:nodes'], dnsNames: ['n2'], ipAddresses: ['10.0.0.2'] })
})

test('a certificate is renewed when it nears its end, lacks a name, or is of another authority', async () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const ca = await createCa('berth-ca', { now })
  const { certificate } = await issueCertificate(ca, { commonName: 's', dnsNames: ['a.example'], ipAddresses: ['10.0.0.1'], usages: ['server'], days: 100 }, { now })
  const wanted = { ca: ca.certificate, dnsNames: ['a.example'], ipAddresses: ['10.0.0.1'] }
  expect(needsRenewal(certificate, wanted, now + 50 * day)).toBe(false)
  expect(needsRenewal(certificate, wanted, now + 85 * day)).toBe(true)
  expect(needsRenewal(certificate, { ...wanted, ipAddresses: ['10.0.0.9'] }, now)).toBe(true)
  expect(needsRenewal(certificate, { ...wanted, dnsNames: ['b.example'] }, now)).toBe(true)
  expect(needsRenewal(certificate, { ...wanted, ca: (await createCa('other', { now })).certificate }, now)).toBe(true)
  expect(needsRenewal('rubbish', wanted, now)).toBe(true)
})
