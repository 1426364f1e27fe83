import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inspectCertificate } from '@berth/kube'
import type { ApiServerOptions } from '../interfaces.ts'
import { prepareCertificates, writeAdminKubeconfig } from './server-certificates.ts'
import { firstServiceAddress } from './addresses.ts'

const day = 24 * 3600 * 1000
let certDir = ''
beforeEach(async () => { certDir = await mkdtemp(join(tmpdir(), 'berth-certs-')) })
afterEach(async () => { await rm(certDir, { recursive: true, force: true }) })

function optionsWith(more: Partial<ApiServerOptions> = {}): ApiServerOptions {
  return { certDir, bindAddress: '0.0.0.0', advertiseAddress: '172.30.0.1', certSans: ['berth.example'], serviceClusterIpRange: '10.96.0.0/16', serviceAccountKeyFiles: [], ...more } as ApiServerOptions
}

test('a first start makes every key and certificate, readable by their owner alone, and a second start takes them as they are', async () => {
  const first = await prepareCertificates(optionsWith())
  const names = (await readdir(certDir)).sort()
  expect(names).toEqual(['admin.crt', 'admin.key', 'apiserver-kubelet-client.crt', 'apiserver-kubelet-client.key', 'apiserver.crt', 'apiserver.key', 'ca.crt', 'ca.key',
    'front-proxy-ca.crt', 'front-proxy-ca.key', 'front-proxy-client.crt', 'front-proxy-client.key', 'sa.key', 'sa.pub'])
  for (const name of names) expect((await stat(join(certDir, name))).mode & 0o777).toBe(0o600)
  const serving = new X509Certificate(first.servingCert)
  expect(serving.checkIP('10.96.0.1')).toBe('10.96.0.1')
  expect(serving.checkIP('172.30.0.1')).toBe('172.30.0.1')
  expect(serving.checkHost('berth.example')).toBe('berth.example')
  expect(inspectCertificate(first.admin?.certificate ?? '')).toMatchObject({ commonName: 'kubernetes-admin', organizations: ['system:masters'] })
  expect(inspectCertificate(first.proxyClient.certificate)).toMatchObject({ commonName: 'front-proxy-client' })
  expect(new X509Certificate(first.proxyClient.certificate).verify(new X509Certificate(first.requestHeaderCa).publicKey)).toBe(true)
  expect(first.requestHeaderCa).not.toBe(first.clientCa)
  expect(await prepareCertificates(optionsWith())).toEqual(first)
})

test('only what is near its end is made again', async () => {
  const first = await prepareCertificates(optionsWith())
  const later = await prepareCertificates(optionsWith(), Date.now() + 350 * day)
  expect(later.authority).toEqual(first.authority)
  expect(later.serviceAccountSigningKey).toBe(first.serviceAccountSigningKey)
  expect(later.servingCert).not.toBe(first.servingCert)
  expect(later.kubeletClient.certificate).not.toBe(first.kubeletClient.certificate)
})

test('a certificate whose key is another one (a crash between two writes) is made again', async () => {
  const first = await prepareCertificates(optionsWith())
  await writeFile(join(certDir, 'apiserver.key'), first.kubeletClient.key)
  const second = await prepareCertificates(optionsWith())
  expect(new X509Certificate(second.servingCert).verify(new X509Certificate(first.authority.certificate).publicKey)).toBe(true)
  expect(second.servingCert).not.toBe(first.servingCert)
})

test('a file that a flag names and that cannot be read is an error with the flag and the path', async () => {
  await expect(prepareCertificates(optionsWith({ clientCaFile: '/nowhere/ca.crt' }))).rejects.toThrow('--client-ca-file: cannot read /nowhere/ca.crt')
})

test('the administrator kubeconfig names the advertised address', async () => {
  const certificates = await prepareCertificates(optionsWith())
  const path = await writeAdminKubeconfig(optionsWith(), certificates, 6443)
  expect(path).toBe(join(certDir, 'admin.conf'))
  expect((await stat(path ?? '')).mode & 0o777).toBe(0o600)
})

test.each([['10.96.0.0/16', '10.96.0.1'], ['10.0.0.64/26', '10.0.0.65'], ['fd00:10:96::/112', 'fd00:10:96::1'], ['10.96.0.0/16,fd00::/112', '10.96.0.1']])('the first service address of %s is %s', (range, address) => {
  expect(firstServiceAddress(range)).toBe(address)
})
