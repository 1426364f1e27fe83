import crypto from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { kubeconfig } from '@berth/apiserver'
import { createCa, inspectCertificate, issueCertificate, parseYaml, type CertificateAndKey } from '@berth/kube'
import { expect, onTestFinished, test } from 'vitest'
import { newInstance, type Instance } from '../instance/instance.ts'
import { layoutOf, type Layout } from '../instance/layout.ts'
import { nodeKubeconfig, nodeServing, writeCredentials } from './credentials.ts'

interface Parsed { clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]; users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }] }

function scratch(nodes = 1): { layout: Layout; instance: Instance } {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-credentials-'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true }))
  const layout = layoutOf(directory)
  return { layout, instance: newInstance(layout, { nodes }) }
}

const decoded = (text: string): string => Buffer.from(text, 'base64').toString()
const parsed = async (file: string): Promise<Parsed> => await parseYaml(fs.readFileSync(file, 'utf8')) as unknown as Parsed
const certificateIn = async (file: string): Promise<string> => decoded((await parsed(file)).users[0].user['client-certificate-data'])
const everyFile = (layout: Layout, instance: Instance): string[] => [layout.kubeconfig, ...instance.nodes.flatMap((n) => [...(['kubelet', 'service-proxy', 'overlay', 'dns'] as const).map((p) => nodeKubeconfig(layout, n, p)), nodeServing(layout, n).certificate])]
const contents = (files: readonly string[]): string[] => files.map((file) => fs.readFileSync(file, 'utf8'))

async function subject(file: string): Promise<string> {
  return new crypto.X509Certificate(await certificateIn(file)).subject.split('\n').sort().join(', ')
}

const ca = (): Promise<CertificateAndKey> => createCa('test-ca')

test('each part of a node is somebody of its own to the API server, as upstream names them', async () => {
  const { layout, instance } = scratch(2)
  await writeCredentials(layout, instance, await ca())
  expect(await subject(layout.kubeconfig)).toBe('CN=kubernetes-admin, O=system:masters')
  expect(await subject(nodeKubeconfig(layout, 'n2', 'kubelet'))).toBe('CN=system:node:n2, O=system:nodes')
  expect(await subject(nodeKubeconfig(layout, 'n1', 'service-proxy'))).toBe('CN=system:kube-proxy')
  expect(await subject(nodeKubeconfig(layout, 'n1', 'overlay'))).toBe('CN=berth:overlay')
})

test('secrets are for root alone', async () => {
  const { layout, instance } = scratch()
  await writeCredentials(layout, instance, await ca())
  for (const file of [...everyFile(layout, instance), nodeServing(layout, 'n1').key]) expect([file, fs.statSync(file).mode & 0o777]).toEqual([file, 0o600])
})

test('the kubelet serves with a certificate for its node\'s address', async () => {
  const { layout, instance } = scratch(2)
  await writeCredentials(layout, instance, await ca())
  const certificate = new crypto.X509Certificate(fs.readFileSync(nodeServing(layout, 'n2').certificate))
  expect(certificate.checkIP(`${instance.underlay}.12`)).toBeDefined()
  expect(certificate.checkIP(`${instance.underlay}.11`)).toBeUndefined()
})

test('what is good stays as it is', async () => {
  const { layout, instance } = scratch()
  const authority = await ca()
  await writeCredentials(layout, instance, authority)
  const before = contents(everyFile(layout, instance))
  await writeCredentials(layout, instance, authority)
  expect(contents(everyFile(layout, instance))).toEqual(before)
})

test('a new authority, or another server address, renews everything that depended on the old one', async () => {
  const { layout, instance } = scratch()
  const authority = await ca()
  await writeCredentials(layout, instance, authority)
  const first = contents(everyFile(layout, instance))
  await writeCredentials(layout, { ...instance, underlay: '172.30.251' }, authority)
  const moved = contents(everyFile(layout, instance))
  await writeCredentials(layout, { ...instance, underlay: '172.30.251' }, await ca())
  const renewed = contents(everyFile(layout, instance))
  first.forEach((text, i) => expect(moved[i]).not.toBe(text))
  moved.forEach((text, i) => expect(renewed[i]).not.toBe(text))
  expect((await parsed(layout.kubeconfig)).clusters[0].cluster.server).toBe('https://172.30.251.1:6443')
})

test('a certificate near its end is renewed, its neighbours stay', async () => {
  const { layout, instance } = scratch()
  const authority = await ca()
  await writeCredentials(layout, instance, authority)
  const others = everyFile(layout, instance).filter((file) => file !== layout.kubeconfig)
  const before = contents(others)
  // Valid for a day, of which nearly all is over: a clock 23 hours behind issued it.
  const client = await issueCertificate(authority, { commonName: 'kubernetes-admin', organizations: ['system:masters'], usages: ['client'], days: 1 }, { now: Date.now() - 23 * 3600_000 })
  fs.writeFileSync(layout.kubeconfig, kubeconfig({ server: (await parsed(layout.kubeconfig)).clusters[0].cluster.server, ca: authority.certificate, user: 'kubernetes-admin', client }))
  await writeCredentials(layout, instance, authority)
  expect(inspectCertificate(await certificateIn(layout.kubeconfig)).notAfter).toBeGreaterThan(Date.now() + 7 * 86_400_000)
  expect(contents(others)).toEqual(before)
})

test('a kubeconfig that is not whole is written again', async () => {
  const { layout, instance } = scratch()
  const authority = await ca()
  await writeCredentials(layout, instance, authority)
  fs.writeFileSync(layout.kubeconfig, 'clusters: []\n')
  await writeCredentials(layout, instance, authority)
  expect(await subject(layout.kubeconfig)).toBe('CN=kubernetes-admin, O=system:masters')
})
