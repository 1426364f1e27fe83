import { createHmac } from 'node:crypto'
import { certificates, core, rbac } from '@berth/api'
import { createCertificateRequest, createClient, httpsTransport, isNotFound, type HttpsTransportOptions, type KubeClient } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
const clients: { close(): Promise<void> }[] = []

beforeAll(async () => {
  cluster = await startCluster({ controllers: ['*', 'bootstrapsigner', 'tokencleaner'] }, { enableBootstrapTokenAuth: true })
})

afterAll(async () => {
  for (const transport of clients) await transport.close()
  await cluster?.stop()
})

/** A client over the network, as a machine that joins has one. */
function over(credentials: Partial<HttpsTransportOptions>): KubeClient {
  const transport = httpsTransport({ server: `https://127.0.0.1:${cluster.server.port}`, ca: cluster.server.certificates.servingCa, ...credentials })
  clients.push(transport)
  return createClient(transport)
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const info = { name: 'cluster-info', namespace: 'kube-public' }
const group = 'system:bootstrappers:kubeadm:default-node-token'
const nodeClient = 'kubernetes.io/kube-apiserver-client-kubelet'

/** What `kubeadm init` leaves for those that join. */
async function prepare(client: KubeClient): Promise<void> {
  await client.create(core.configmaps, { metadata: info, data: { kubeconfig: 'apiVersion: v1\nkind: Config\n' } })
  const reader = { name: 'kubeadm:bootstrap-signer-clusterinfo', namespace: 'kube-public' }
  await client.create(rbac.roles, { metadata: reader, rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['cluster-info'], verbs: ['get'] }] })
  await client.create(rbac.rolebindings, { metadata: reader, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: reader.name }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:anonymous' }] })
  for (const name of ['system:node-bootstrapper', 'system:certificates.k8s.io:certificatesigningrequests:nodeclient']) {
    await client.create(rbac.clusterrolebindings, { metadata: { name: `kubeadm:${name}` }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }] })
  }
}

test('a machine with a token finds its cluster, gets a node’s certificate, and no more once the token has ended', async () => {
  await prepare(cluster.client)
  await cluster.client.create(core.secrets, {
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }, type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', 'usage-bootstrap-signing': 'true', 'auth-extra-groups': group, expiration: '2099-01-01T00:00:00Z' },
  })
  // Whoever knows the token's secret can tell that the kubeconfig which anybody may read is the cluster's own.
  const anybody = over({})
  const { data = {} } = await eventually('cluster-info is signed', () => anybody.get(core.configmaps, info.name, { namespace: info.namespace }), (map) => map.data?.['jws-kubeconfig-abcdef'] !== undefined)
  const [header = '', , signature] = (data['jws-kubeconfig-abcdef'] ?? '').split('.')
  expect(createHmac('sha256', '0123456789abcdef').update(`${header}.${Buffer.from(data['kubeconfig'] ?? '').toString('base64url')}`).digest('base64url')).toBe(signature)

  const joining = over({ token: 'abcdef.0123456789abcdef' })
  const { request, key } = await createCertificateRequest({ commonName: 'system:node:n9', organizations: ['system:nodes'] })
  await joining.create(certificates.certificatesigningrequests, { metadata: { name: 'csr-n9' }, spec: { request: base64(request), signerName: nodeClient, usages: ['digital signature', 'client auth'] } })
  const answered = await eventually('the certificate is there', () => joining.get(certificates.certificatesigningrequests, 'csr-n9'), ({ status }) => (status?.certificate ?? '') !== '')
  expect([answered.spec.username, answered.spec.groups]).toEqual(['system:bootstrap:abcdef', ['system:bootstrappers', group, 'system:authenticated']])
  expect(answered.status?.conditions?.map(({ type, reason, message }) => [type, reason, message])).toEqual([['Approved', 'AutoApproved', 'Auto approving kubelet client certificate after SubjectAccessReview.']])
  await expect(joining.list(core.nodes)).rejects.toMatchObject({ code: 403 })

  const kubelet = over({ cert: Buffer.from(answered.status?.certificate ?? '', 'base64').toString('utf8'), key })
  await kubelet.create(core.nodes, { metadata: { name: 'n9' }, spec: {} })
  expect((await kubelet.get(core.nodes, 'n9')).metadata.name).toBe('n9')

  await cluster.client.patch(core.secrets, 'bootstrap-token-abcdef', { type: 'merge', body: { stringData: { expiration: '2020-01-01T00:00:00Z' } } }, { namespace: 'kube-system' })
  await eventually('the token is deleted', () => cluster.client.get(core.secrets, 'bootstrap-token-abcdef', { namespace: 'kube-system' }).then(() => false, isNotFound), (gone) => gone)
  await eventually('its signature is gone', () => anybody.get(core.configmaps, info.name, { namespace: info.namespace }), (map) => Object.keys(map.data ?? {}).join() === 'kubeconfig')
  await expect(joining.get(certificates.certificatesigningrequests, 'csr-n9')).rejects.toMatchObject({ code: 401 })
})
