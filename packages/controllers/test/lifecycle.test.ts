import { apps, core, rbac } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
const namespace = 'default'

beforeAll(async () => {
  cluster = await startCluster({ nodeMonitorPeriod: 100, nodeMonitorGracePeriod: 1500, nodeStartupGracePeriod: 1500 })
})
afterAll(() => cluster.stop())

const gone = async (ask: Promise<unknown>): Promise<boolean> => ask.then(() => false, (error: unknown) => {
  if (!isNotFound(error)) throw error
  return true
})

async function family(name: string): Promise<void> {
  await cluster.client.create(apps.deployments, { metadata: { name, namespace }, spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: { metadata: { name: '', labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
  await eventually(`${name} has pods`, () => pods(name), (all) => all.length === 2)
}
const pods = async (name: string): Promise<Pod[]> => (await cluster.client.list(core.pods, { namespace, labelSelector: `app=${name}` })).items
const sets = async (name: string) => (await cluster.client.list(apps.replicasets, { namespace, labelSelector: `app=${name}` })).items

test('every namespace has its default service account and the authority of the server, also after somebody deleted them', async () => {
  await cluster.client.create(core.namespaces, { metadata: { name: 'fresh' }, spec: {} })
  await eventually('the account is there', () => cluster.client.get(core.serviceaccounts, 'default', { namespace: 'fresh' }), () => true)
  const map = await eventually('the authority is there', () => cluster.client.get(core.configmaps, 'kube-root-ca.crt', { namespace: 'fresh' }), () => true)
  expect(map.data).toEqual({ 'ca.crt': cluster.server.certificates.servingCa })
  await cluster.client.update(core.configmaps, { ...map, data: { 'ca.crt': 'forged' } })
  await eventually('the authority is right again', () => cluster.client.get(core.configmaps, 'kube-root-ca.crt', { namespace: 'fresh' }), (m) => m.data?.['ca.crt'] === cluster.server.certificates.servingCa)
  await cluster.client.delete(core.serviceaccounts, 'default', { namespace: 'fresh' })
  await eventually('the account is there again', () => cluster.client.get(core.serviceaccounts, 'default', { namespace: 'fresh' }), () => true)
})

test('a namespace that is deleted is emptied, says what it waits for, and goes', async () => {
  await cluster.client.create(core.namespaces, { metadata: { name: 'doomed' }, spec: {} })
  await eventually('the account is there', () => cluster.client.get(core.serviceaccounts, 'default', { namespace: 'doomed' }), () => true)
  await cluster.client.create(core.configmaps, { metadata: { name: 'held', namespace: 'doomed', finalizers: ['example.com/hold'] }, data: {} })
  await cluster.client.create(core.secrets, { metadata: { name: 's', namespace: 'doomed' } })
  await cluster.client.delete(core.namespaces, 'doomed')
  const waiting = await eventually('it says what remains', () => cluster.client.get(core.namespaces, 'doomed'), (ns) => ns.status?.conditions?.some((c) => c.type === 'NamespaceContentRemaining' && c.status === 'True') === true)
  expect(waiting.status?.phase).toBe('Terminating')
  expect(Object.fromEntries((waiting.status?.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}: ${c.message}`]))).toEqual({
    NamespaceDeletionDiscoveryFailure: 'False ResourcesDiscovered: All resources successfully discovered',
    NamespaceDeletionGroupVersionParsingFailure: 'False ParsedGroupVersions: All legacy kube types successfully parsed',
    NamespaceDeletionContentFailure: 'False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    NamespaceContentRemaining: 'True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances',
    NamespaceFinalizersRemaining: 'True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  })
  expect(await gone(cluster.client.get(core.secrets, 's', { namespace: 'doomed' }))).toBe(true)
  await cluster.client.patch(core.configmaps, 'held', { type: 'merge', body: { metadata: { finalizers: null } } }, { namespace: 'doomed' })
  await eventually('it is gone', () => gone(cluster.client.get(core.namespaces, 'doomed')), (is) => is)
})

test('background deletion takes the owner at once and its dependents after it', async () => {
  await family('back')
  await cluster.client.delete(apps.deployments, 'back', { namespace, propagationPolicy: 'Background' })
  expect(await gone(cluster.client.get(apps.deployments, 'back', { namespace }))).toBe(true)
  await eventually('all is gone', async () => [...await pods('back'), ...await sets('back')], (all) => all.length === 0)
})

test('foreground deletion takes the dependents first', async () => {
  await family('fore')
  const [set] = await sets('fore')
  // A pod with a finalizer holds the whole chain.
  const [pod] = await pods('fore')
  await cluster.client.patch(core.pods, pod?.metadata.name ?? '', { type: 'merge', body: { metadata: { finalizers: ['example.com/hold'] } } }, { namespace })
  await cluster.client.delete(apps.deployments, 'fore', { namespace, propagationPolicy: 'Foreground' })
  await eventually('the other pod is gone', () => pods('fore'), (all) => all.length === 1)
  expect((await cluster.client.get(apps.deployments, 'fore', { namespace })).metadata.finalizers).toEqual(['foregroundDeletion'])
  expect((await cluster.client.get(apps.replicasets, set?.metadata.name ?? '', { namespace })).metadata.finalizers).toEqual(['foregroundDeletion'])
  await cluster.client.patch(core.pods, pod?.metadata.name ?? '', { type: 'merge', body: { metadata: { finalizers: null } } }, { namespace })
  await eventually('all is gone', () => gone(cluster.client.get(apps.deployments, 'fore', { namespace })), (is) => is)
  expect([...await sets('fore'), ...await pods('fore')]).toEqual([])
})

test('orphaning leaves the dependents, without their owner', async () => {
  await family('orph')
  await cluster.client.delete(apps.deployments, 'orph', { namespace, propagationPolicy: 'Orphan' })
  await eventually('it is gone', () => gone(cluster.client.get(apps.deployments, 'orph', { namespace })), (is) => is)
  const [set] = await sets('orph')
  expect(set?.metadata.ownerReferences ?? []).toEqual([])
  expect(await pods('orph')).toHaveLength(2)
})

test('an object whose owner does not exist goes; one that has another owner loses the reference', async () => {
  const owner = await cluster.client.create(core.configmaps, { metadata: { name: 'owner', namespace } })
  const absent = { apiVersion: 'v1', kind: 'ConfigMap', name: 'absent', uid: '00000000-0000-0000-0000-000000000000' }
  await cluster.client.create(core.secrets, { metadata: { name: 'lost', namespace, ownerReferences: [absent] } })
  const solid = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' }
  await cluster.client.create(core.secrets, { metadata: { name: 'kept', namespace, ownerReferences: [absent, solid] } })
  await eventually('lost is gone', () => gone(cluster.client.get(core.secrets, 'lost', { namespace })), (is) => is)
  const kept = await eventually('kept has one owner', () => cluster.client.get(core.secrets, 'kept', { namespace }), (s) => s.metadata.ownerReferences?.length === 1)
  expect(kept.metadata.ownerReferences?.[0]?.name).toBe('owner')
  await cluster.client.delete(core.configmaps, 'owner', { namespace })
  await eventually('kept goes with its owner', () => gone(cluster.client.get(core.secrets, 'kept', { namespace })), (is) => is)
})

test('nodes get parts of the cluster’s range, each another one', async () => {
  await cluster.addNode('n1')
  await cluster.addNode('n2')
  const cidrs = await eventually('both have one', async () => (await cluster.client.list(core.nodes)).items.map((node) => node.spec.podCIDR), (all) => all.length === 2 && all.every((cidr) => cidr !== undefined))
  expect(cidrs.toSorted()).toEqual(['10.244.0.0/24', '10.244.1.0/24'])
})

test('a node that falls silent becomes unknown and is tainted, its pods are not ready and leave when their toleration ends', async () => {
  const beat = setInterval(() => {
    void cluster.client.get(core.nodes, 'n2').then((node) => cluster.client.update(core.nodes, { ...node, status: { ...node.status, conditions: (node.status?.conditions ?? []).map((c) => ({ ...c, status: 'True' as const, reason: 'KubeletReady', lastHeartbeatTime: new Date().toISOString() })) } }, { subresource: 'status' })).catch(() => {})
  }, 300)
  try {
    cluster.broken.add('silent')
    const toleration = (key: string): object => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 })
    await cluster.client.create(core.pods, { metadata: { name: 'silent', namespace }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], tolerations: [toleration('node.kubernetes.io/unreachable'), toleration('node.kubernetes.io/not-ready')] } } as Pod)
    const pod = await cluster.client.get(core.pods, 'silent', { namespace })
    await cluster.client.update(core.pods, { ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }, { subresource: 'status' })
    const node = await eventually('n1 is tainted', () => cluster.client.get(core.nodes, 'n1'), (n) => n.spec.taints?.some((t) => t.effect === 'NoExecute') === true)
    expect(node.status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' })
    expect(node.spec.taints?.filter((t) => t.key === 'node.kubernetes.io/unreachable').map((t) => t.effect).toSorted()).toEqual(['NoExecute', 'NoSchedule'])
    const marked = await eventually('the pod is being deleted', () => cluster.client.get(core.pods, 'silent', { namespace }), (p) => p.metadata.deletionTimestamp !== undefined)
    expect(marked.status?.conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'False' }), expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' })]))
    const back = await cluster.client.get(core.nodes, 'n1')
    await cluster.client.update(core.nodes, { ...back, status: { ...back.status, conditions: (back.status?.conditions ?? []).map((c) => c.type === 'Ready' ? { ...c, status: 'True' as const, reason: 'KubeletReady', lastHeartbeatTime: new Date().toISOString() } : c) } }, { subresource: 'status' })
    await eventually('the taints are gone', () => cluster.client.get(core.nodes, 'n1'), (n) => (n.spec.taints ?? []).length === 0)
  } finally {
    clearInterval(beat)
  }
})

test('an aggregated ClusterRole has the rules of the roles it selects, as they come and go', async () => {
  await cluster.client.create(rbac.clusterroles, { metadata: { name: 'sum' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { sum: 'yes' } }] }, rules: [] })
  const part = (name: string, resource: string): object => ({ metadata: { name, labels: { sum: 'yes' } }, rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }] })
  await cluster.client.create(rbac.clusterroles, part('part-b', 'pods') as never)
  await cluster.client.create(rbac.clusterroles, part('part-a', 'nodes') as never)
  await eventually('it has both', () => cluster.client.get(rbac.clusterroles, 'sum'), (role) => JSON.stringify((role.rules ?? []).map((rule) => rule.resources)) === '[["nodes"],["pods"]]')
  await cluster.client.delete(rbac.clusterroles, 'part-a')
  await eventually('it has one', () => cluster.client.get(rbac.clusterroles, 'sum'), (role) => role.rules?.length === 1)
})
