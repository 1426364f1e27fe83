import { execFile, execFileSync } from 'node:child_process'
import { apps, certificates, core, discovery } from '@berth/api'
import type { DaemonSet, StatefulSet } from '@berth/api/types/apps/v1'
import type { KeyUsage } from '@berth/api/types/certificates/v1'
import type { Pod, ReplicationController } from '@berth/api/types/core/v1'
import { createCertificateRequest, inspectCertificate, isNotFound } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

const namespace = 'default'
let cluster: TestCluster
let config: string

const hasKubectl = ((): boolean => {
  try {
    execFileSync('which', ['kubectl'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('kubectl’s tests skipped: kubectl is not installed')
    return false
  }
})()

beforeAll(async () => {
  cluster = await startCluster()
  for (const name of ['n1', 'n2', 'n3']) await cluster.addNode(name, { disk: name === 'n3' ? 'hdd' : 'ssd' })
  config = await cluster.kubeconfig()
})
afterAll(() => cluster.stop())

/** Runs kubectl; gives what it printed. Fails with its error text. */
function kubectl(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('kubectl', ['--kubeconfig', config, ...args], { encoding: 'utf8', timeout: 60_000, env: { ...process.env, HOME: '/nonexistent' } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`))
    })
  })
}

const podsOf = async (app: string): Promise<Pod[]> => (await cluster.client.list(core.pods, { namespace, labelSelector: `app=${app}` })).items
const imagesOf = async (app: string): Promise<string[]> => (await podsOf(app)).filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => pod.spec.containers[0]?.image ?? '')
const reasonsOf = async (kind: string, name: string): Promise<string[]> => (await cluster.client.list(core.events, { namespace, fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}` })).items.map((event) => event.reason ?? '')
const template = (name: string, spec: Partial<Pod['spec']> = {}): DaemonSet['spec']['template'] => ({ metadata: { name: '', labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec } })
const image = (name: string): unknown => ({ spec: { template: { spec: { containers: [{ name: 'c', image: name }] } } } })

function daemonSet(name: string, spec: Partial<DaemonSet['spec']> = {}): DaemonSet {
  return { metadata: { name, namespace }, spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec } }
}
const daemons = (name: string): Promise<DaemonSet> => cluster.client.get(apps.daemonsets, name, { namespace })
const running = (count: number) => (set: DaemonSet): boolean => set.status?.observedGeneration === set.metadata.generation && set.status?.desiredNumberScheduled === count && set.status.updatedNumberScheduled === count && set.status.numberAvailable === count

test('a DaemonSet runs one pod on each node that takes it, follows labels and taints, and replaces a failed pod', async () => {
  await cluster.client.create(apps.daemonsets, daemonSet('agent', { template: template('agent', { nodeSelector: { disk: 'ssd' } }) }))
  const done = await eventually('it runs on two nodes', () => daemons('agent'), running(2))
  expect(done.status).toMatchObject({ currentNumberScheduled: 2, numberMisscheduled: 0, numberReady: 2 })
  const pods = await podsOf('agent')
  expect(pods.map((pod) => pod.spec.nodeName).toSorted()).toEqual(['n1', 'n2'])
  expect(pods[0]?.spec.tolerations?.map((each) => each.key)).toContain('node.kubernetes.io/unschedulable')
  const [revision] = (await cluster.client.list(apps.controllerrevisions, { namespace, labelSelector: 'app=agent' })).items
  expect(revision).toMatchObject({ revision: 1, metadata: { name: `agent-${pods[0]?.metadata.labels?.['controller-revision-hash']}` } })

  await cluster.client.patch(core.nodes, 'n3', { type: 'merge', body: { metadata: { labels: { disk: 'ssd' } } } })
  await eventually('the third node has one', () => daemons('agent'), running(3))
  await cluster.client.patch(core.nodes, 'n3', { type: 'merge', body: { metadata: { labels: { disk: 'hdd' } } } })
  await eventually('the third node has none', () => podsOf('agent'), (all) => all.length === 2)
  await cluster.client.patch(core.nodes, 'n2', { type: 'merge', body: { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } } })
  const misplaced = await eventually('what runs stays under NoSchedule', () => daemons('agent'), (set) => set.status?.numberMisscheduled === 1)
  expect([misplaced.status?.desiredNumberScheduled, (await podsOf('agent')).length]).toEqual([1, 2])
  await cluster.client.patch(core.nodes, 'n2', { type: 'merge', body: { spec: { taints: null } } })

  const [victim] = await podsOf('agent')
  if (victim === undefined) throw new Error('no pod')
  await cluster.client.update(core.pods, { ...victim, status: { ...victim.status, phase: 'Failed' } }, { subresource: 'status' })
  await eventually('another one runs instead', async () => (await podsOf('agent')).filter((pod) => pod.status?.phase === 'Running' && pod.metadata.uid !== victim.metadata.uid).length, (count) => count === 2)
  await eventually('the event is there', () => reasonsOf('DaemonSet', 'agent'), (reasons) => reasons.includes('FailedDaemonPod') && reasons.includes('SuccessfulCreate'))
  await cluster.client.delete(apps.daemonsets, 'agent', { namespace, propagationPolicy: 'Foreground' })
  await eventually('all are gone', () => podsOf('agent'), (all) => all.length === 0)
})

test('a surging DaemonSet has its new pod ready before the old one goes; OnDelete waits for the user', async () => {
  await cluster.client.create(apps.daemonsets, daemonSet('surge', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }))
  await eventually('it runs', () => daemons('surge'), running(3))
  let least = 3
  const off = new AbortController()
  const watching = (async () => {
    const { metadata: { resourceVersion } } = await cluster.client.list(core.pods, { namespace })
    const ready = new Map((await podsOf('surge')).map((pod) => [pod.metadata.name, true]))
    for await (const { type, object } of cluster.client.watch(core.pods, { namespace, labelSelector: 'app=surge', resourceVersion, signal: off.signal })) {
      ready.set(object.metadata.name, type !== 'DELETED' && object.metadata.deletionTimestamp === undefined && object.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true)
      least = Math.min(least, [...ready.values()].filter(Boolean).length)
    }
  })().catch((error: unknown) => { if (!off.signal.aborted) throw error })
  await cluster.client.patch(apps.daemonsets, 'surge', { type: 'strategic', body: image('i:2') }, { namespace })
  await eventually('all are new', () => daemons('surge'), running(3))
  await eventually('no old one is left', () => imagesOf('surge'), (images) => images.join() === 'i:2,i:2,i:2')
  off.abort()
  await watching
  expect(least).toBe(3)

  await cluster.client.patch(apps.daemonsets, 'surge', { type: 'merge', body: { spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: null } } } }, { namespace })
  await cluster.client.patch(apps.daemonsets, 'surge', { type: 'strategic', body: image('i:3') }, { namespace })
  await eventually('it has seen the change', () => daemons('surge'), (set) => set.status?.observedGeneration === set.metadata.generation && (set.status?.updatedNumberScheduled ?? 0) === 0)
  const [first] = await podsOf('surge')
  await cluster.client.delete(core.pods, first?.metadata.name ?? '', { namespace })
  await eventually('the deleted one is new', () => imagesOf('surge'), (images) => images.toSorted().join() === 'i:2,i:2,i:3')
  await cluster.client.delete(apps.daemonsets, 'surge', { namespace })
})

test.skipIf(!hasKubectl)('kubectl rolls a DaemonSet out, shows its history and undoes it', async () => {
  await cluster.client.create(apps.daemonsets, daemonSet('roll', { revisionHistoryLimit: 1 }))
  await eventually('it runs', () => daemons('roll'), running(3))
  await kubectl('set', 'image', 'daemonset/roll', 'c=i:2')
  expect(await kubectl('rollout', 'status', 'daemonset/roll')).toContain('daemon set "roll" successfully rolled out')
  await kubectl('annotate', 'daemonset/roll', 'kubernetes.io/change-cause=second')
  expect(await kubectl('rollout', 'history', 'daemonset/roll', '--revision=1')).toContain('i:1')
  expect(await kubectl('rollout', 'undo', 'daemonset/roll')).toBe('daemonset.apps/roll rolled back\n')
  await kubectl('rollout', 'status', 'daemonset/roll')
  expect(await imagesOf('roll')).toEqual(['i:1', 'i:1', 'i:1'])
  expect(await kubectl('rollout', 'history', 'daemonset/roll')).toMatch(/^2 +<none>\n3 +<none>$/m)
  await kubectl('set', 'image', 'daemonset/roll', 'c=i:3')
  await kubectl('rollout', 'status', 'daemonset/roll')
  await eventually('one old revision is kept', async () => (await cluster.client.list(apps.controllerrevisions, { namespace, labelSelector: 'app=roll' })).items.map((each) => each.revision).toSorted(), (numbers) => numbers.join() === '3,4')
  expect(await kubectl('get', 'daemonset', 'roll', '--no-headers')).toMatch(/^roll +3 +3 +3 +3 +3 +/)
  await kubectl('delete', 'daemonset', 'roll')
  await expect(daemons('roll')).rejects.toSatisfy(isNotFound)
})

function statefulSet(name: string, spec: Partial<StatefulSet['spec']> = {}): StatefulSet {
  return { metadata: { name, namespace }, spec: { replicas: 3, serviceName: name, selector: { matchLabels: { app: name } }, template: template(name), ...spec } }
}
const stateful = (name: string): Promise<StatefulSet> => cluster.client.get(apps.statefulsets, name, { namespace })
const settled = (count: number) => (set: StatefulSet): boolean => set.status?.observedGeneration === set.metadata.generation && set.status?.replicas === count && (set.status.availableReplicas ?? 0) === count && (set.status.updatedReplicas ?? 0) === count
const namesOf = async (app: string): Promise<string[]> => (await podsOf(app)).map((pod) => pod.metadata.name).toSorted()
const claimTemplate = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Gi' } } } }
const claimsOf = async (app: string): Promise<string[]> => (await cluster.client.list(core.persistentvolumeclaims, { namespace, labelSelector: `app=${app}` })).items.map((claim) => claim.metadata.name).toSorted()

test('a StatefulSet makes its pods in order, each with identity and claim, and waits for one that is not ready', async () => {
  cluster.broken.add('db-1')
  await cluster.client.create(apps.statefulsets, statefulSet('db', { volumeClaimTemplates: [claimTemplate], persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' } }))
  await eventually('the second one is there and the third is not', () => namesOf('db'), (names) => names.join() === 'db-0,db-1')
  cluster.broken.delete('db-1')
  await cluster.client.delete(core.pods, 'db-1', { namespace, gracePeriodSeconds: 0 })
  await eventually('all are there', () => stateful('db'), settled(3))
  const pod = (await podsOf('db')).find((each) => each.metadata.name === 'db-2')
  expect(pod?.metadata.labels).toMatchObject({ 'apps.kubernetes.io/pod-index': '2', 'statefulset.kubernetes.io/pod-name': 'db-2', 'controller-revision-hash': (await stateful('db')).status?.currentRevision })
  expect([pod?.spec.hostname, pod?.spec.subdomain, pod?.spec.volumes?.[0]]).toEqual(['db-2', 'db', { name: 'data', persistentVolumeClaim: { claimName: 'data-db-2' } }])
  expect(await claimsOf('db')).toEqual(['data-db-0', 'data-db-1', 'data-db-2'])

  await cluster.client.patch(apps.statefulsets, 'db', { type: 'merge', body: { spec: { replicas: 1 } } }, { namespace })
  await eventually('the first one remains', () => namesOf('db'), (names) => names.join() === 'db-0')
  await eventually('claims of those scaled away go with them', () => claimsOf('db'), (names) => names.join() === 'data-db-0')
  await eventually('the events are there', () => reasonsOf('StatefulSet', 'db'), (reasons) => reasons.includes('SuccessfulCreate') && reasons.includes('SuccessfulDelete'))
  await cluster.client.delete(apps.statefulsets, 'db', { namespace, propagationPolicy: 'Foreground' })
  await eventually('its pods are gone', () => namesOf('db'), (names) => names.length === 0)
  expect(await claimsOf('db')).toEqual(['data-db-0'])
}, 30_000)

test('a StatefulSet updates from the highest ordinal down to its partition, and Parallel ones start at once from their first ordinal', async () => {
  await cluster.client.create(apps.statefulsets, statefulSet('part', { podManagementPolicy: 'Parallel', ordinals: { start: 5 }, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }))
  await eventually('all are there', () => stateful('part'), settled(3))
  expect(await namesOf('part')).toEqual(['part-5', 'part-6', 'part-7'])
  await cluster.client.patch(apps.statefulsets, 'part', { type: 'strategic', body: image('i:2') }, { namespace })
  const imageOf = async (): Promise<Record<string, string | undefined>> => Object.fromEntries((await podsOf('part')).map((pod) => [pod.metadata.name, pod.spec.containers[0]?.image]))
  const seen = await eventually('one is new', () => stateful('part'), (set) => set.status?.updatedReplicas === 1 && set.status.availableReplicas === 3)
  expect(seen.status?.currentRevision).not.toBe(seen.status?.updateRevision)
  expect(await imageOf()).toEqual({ 'part-5': 'i:1', 'part-6': 'i:1', 'part-7': 'i:2' })
  await cluster.client.delete(core.pods, 'part-5', { namespace })
  await eventually('below the partition the old template returns', () => podsOf('part'), (pods) => pods.length === 3 && pods.every((pod) => pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined))
  expect((await imageOf())['part-5']).toBe('i:1')
  await cluster.client.patch(apps.statefulsets, 'part', { type: 'merge', body: { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } } }, { namespace })
  const done = await eventually('all are new', () => stateful('part'), settled(3))
  expect(done.status?.currentRevision).toBe(done.status?.updateRevision)
  await cluster.client.delete(apps.statefulsets, 'part', { namespace })
})

test.skipIf(!hasKubectl)('kubectl rolls a StatefulSet out, scales it, shows its history and undoes it', async () => {
  await cluster.client.create(apps.statefulsets, statefulSet('sts', { replicas: 2 }))
  await kubectl('rollout', 'status', 'statefulset/sts')
  await kubectl('scale', 'statefulset/sts', '--replicas=3')
  await kubectl('set', 'image', 'statefulset/sts', 'c=i:2')
  await kubectl('rollout', 'status', 'statefulset/sts')
  expect(await imagesOf('sts')).toEqual(['i:2', 'i:2', 'i:2'])
  expect(await kubectl('rollout', 'history', 'statefulset/sts', '--revision=1')).toContain('i:1')
  expect(await kubectl('rollout', 'undo', 'statefulset/sts')).toBe('statefulset.apps/sts rolled back\n')
  await eventually('the first template is back', () => imagesOf('sts'), (images) => images.join() === 'i:1,i:1,i:1')
  await kubectl('delete', 'statefulset', 'sts')
})

test('a ReplicationController keeps its pods, adopts and releases, and a Service’s Endpoints follow them', async () => {
  const replication = (): Promise<ReplicationController> => cluster.client.get(core.replicationcontrollers, 'rc', { namespace })
  const addresses = async (): Promise<number> => (await cluster.client.get(core.endpoints, 'rc', { namespace })).subsets?.reduce((sum, subset) => sum + (subset.addresses?.length ?? 0), 0) ?? 0
  await cluster.client.create(core.services, { metadata: { name: 'rc', namespace }, spec: { selector: { app: 'rc' }, ports: [{ port: 80 }] } })
  await cluster.client.create(core.replicationcontrollers, { metadata: { name: 'rc', namespace }, spec: { replicas: 2, selector: { app: 'rc' }, template: template('rc') } })
  const done = await eventually('two are ready', replication, (object) => object.status?.availableReplicas === 2 && object.status.observedGeneration === object.metadata.generation)
  expect(done.status).not.toHaveProperty('terminatingReplicas')
  const [first] = await podsOf('rc')
  expect(first?.metadata.ownerReferences).toMatchObject([{ apiVersion: 'v1', kind: 'ReplicationController', name: 'rc', controller: true }])
  await eventually('both are endpoints', addresses, (count) => count === 2)
  await cluster.client.patch(core.pods, first?.metadata.name ?? '', { type: 'merge', body: { metadata: { labels: { app: 'other' } } } }, { namespace })
  await eventually('the one let go is replaced', () => podsOf('rc'), (pods) => pods.length === 2)
  const released = await eventually('it has no owner', () => cluster.client.get(core.pods, first?.metadata.name ?? '', { namespace }), (pod) => pod.metadata.ownerReferences === undefined)
  expect(released.metadata.labels).toEqual({ app: 'other' })
  await cluster.client.patch(core.replicationcontrollers, 'rc', { type: 'merge', body: { spec: { replicas: 0 } } }, { namespace })
  await eventually('no pod, no endpoint', addresses, (count) => count === 0)
  await cluster.client.delete(core.services, 'rc', { namespace })
  await eventually('the Endpoints go with the Service', () => cluster.client.list(core.endpoints, { namespace, fieldSelector: 'metadata.name=rc' }), (list) => list.items.length === 0)
})

test('a kubelet’s client certificate is approved and signed for who may have it; others wait, and what a signer does not sign fails', async () => {
  const ask = async (name: string, signer: string, commonName: string, usages: KeyUsage[]): Promise<void> => {
    const { request } = await createCertificateRequest({ commonName, organizations: ['system:nodes'] })
    await cluster.client.create(certificates.certificatesigningrequests, { metadata: { name }, spec: { request: Buffer.from(request).toString('base64'), signerName: `kubernetes.io/${signer}`, usages, expirationSeconds: 3600 } })
  }
  const read = (name: string) => () => cluster.client.get(certificates.certificatesigningrequests, name)
  await ask('node', 'kube-apiserver-client-kubelet', 'system:node:n1', ['digital signature', 'client auth'])
  const signed = await eventually('it is signed', read('node'), (each) => each.status?.certificate !== undefined)
  expect(signed.status?.conditions).toMatchObject([{ type: 'Approved', reason: 'AutoApproved', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' }])
  const facts = inspectCertificate(Buffer.from(signed.status?.certificate ?? '', 'base64').toString())
  expect(facts).toMatchObject({ commonName: 'system:node:n1', organizations: ['system:nodes'] })
  expect(facts.notAfter - Date.now()).toBeLessThanOrEqual(3600_000)

  await ask('user', 'kube-apiserver-client', 'jane', ['client auth'])
  await ask('bad', 'kubelet-serving', 'system:node:n1', ['digital signature', 'server auth'])
  for (const name of ['user', 'bad']) {
    const waiting = await read(name)()
    expect(waiting.status?.conditions).toBeUndefined()
    const conditions = [{ type: 'Approved', status: 'True' as const, reason: 'Test', message: 'by hand' }]
    await cluster.client.update(certificates.certificatesigningrequests, { ...waiting, status: { conditions } }, { subresource: 'approval' })
  }
  await eventually('the user has one', read('user'), (each) => each.status?.certificate !== undefined)
  const failed = await eventually('the other failed', read('bad'), (each) => each.status?.conditions?.some((condition) => condition.type === 'Failed') === true)
  expect(failed.status?.conditions?.find((condition) => condition.type === 'Failed')).toMatchObject({ reason: 'SignerValidationFailure', message: 'DNS or IP subjectAltName is required' })
  expect(failed.status?.certificate).toBeUndefined()
})

test('controllers that are started anew find sets as they should be, and write nothing', async () => {
  await cluster.client.create(apps.daemonsets, daemonSet('calm-ds', { minReadySeconds: 1 }))
  await cluster.client.create(apps.statefulsets, statefulSet('calm-sts', { volumeClaimTemplates: [claimTemplate], persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } }))
  await cluster.client.create(core.services, { metadata: { name: 'calm', namespace }, spec: { selector: { app: 'calm-sts' }, ports: [{ name: 'a', port: 80 }, { name: 'b', port: 81, appProtocol: 'h2c' }] } })
  await eventually('the daemons are there', () => daemons('calm-ds'), running(3))
  await eventually('the set is there', () => stateful('calm-sts'), settled(3))
  await eventually('the Endpoints are there', () => cluster.client.get(core.endpoints, 'calm', { namespace }), (each) => each.subsets?.[0]?.addresses?.length === 3)
  await eventually('the claims are the set’s', () => cluster.client.list(core.persistentvolumeclaims, { namespace, labelSelector: 'app=calm-sts' }), (list) => list.items.every((claim) => claim.metadata.ownerReferences?.[0]?.kind === 'StatefulSet'))
  const versions = async (): Promise<unknown> => (await Promise.all([
    daemons('calm-ds'), stateful('calm-sts'), cluster.client.get(core.endpoints, 'calm', { namespace }),
    ...['calm-ds', 'calm-sts'].flatMap((app) => [core.pods, core.persistentvolumeclaims, apps.controllerrevisions].map((resource) => cluster.client.raw({ method: 'GET', path: `${resource.group === '' ? '/api/v1' : '/apis/apps/v1'}/namespaces/${namespace}/${resource.resource}?labelSelector=app%3D${app}` }).then(async (response) => {
      let text = ''
      for await (const chunk of response.body) text += Buffer.from(chunk).toString()
      return JSON.parse(text) as { items: { metadata: { name: string; resourceVersion?: string } }[] }
    }))),
  ])).flatMap((each) => 'items' in each ? each.items : [each]).map((each) => `${each.metadata.name} ${each.metadata.resourceVersion}`).toSorted()
  const before = await versions()
  await cluster.restartControllers()
  // A change that the new controllers answer shows that they are at work.
  await cluster.client.create(apps.daemonsets, daemonSet('probe'))
  await eventually('the new controllers work', () => daemons('probe'), running(3))
  expect(await versions()).toEqual(before)
})

test('Endpoints kept by hand are mirrored into slices, and those of the API server are not', async () => {
  const slices = async (): Promise<string[][]> => (await cluster.client.list(discovery.endpointslices, { namespace, labelSelector: 'kubernetes.io/service-name=hand' })).items.map((slice) => (slice.endpoints ?? []).map((each) => `${each.addresses.join()} ${each.conditions?.ready}`))
  await cluster.client.create(core.services, { metadata: { name: 'hand', namespace }, spec: { ports: [{ port: 80 }] } })
  const made = await cluster.client.create(core.endpoints, { metadata: { name: 'hand', namespace }, subsets: [{ addresses: [{ ip: '192.0.2.1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: [{ port: 80 }] }] })
  await eventually('both are there', slices, (all) => JSON.stringify(all) === '[["192.0.2.1 true","192.0.2.2 false"]]')
  await cluster.client.update(core.endpoints, { ...made, subsets: [{ addresses: [{ ip: '192.0.2.3' }], ports: [{ port: 80 }] }] })
  await eventually('they follow', slices, (all) => JSON.stringify(all) === '[["192.0.2.3 true"]]')
  expect((await cluster.client.list(discovery.endpointslices, { namespace, labelSelector: 'kubernetes.io/service-name=kubernetes' })).items).toHaveLength(1)
  await cluster.client.delete(core.endpoints, 'hand', { namespace })
  await eventually('they go with them', slices, (all) => all.length === 0)
})
