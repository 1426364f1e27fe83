import { describe, expect, test } from 'vitest'
import { core, networking, node, storage } from '@berth/api'
import type { LimitRangeItem, Pod } from '@berth/api/types/core/v1'
import { createCertificateRequest } from '@berth/kube'
import type { AdmissionAttributes, ApiObject, Authorizer } from '../interfaces.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { certificateApproval, certificateSubjectRestriction } from './certificate-requests.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { limitRanger } from './limit-ranger.ts'
import { notActedOn } from './not-acted-on.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'

const pod = (requests: Record<string, string> = {}, limits: Record<string, string> = {}, spec: Partial<Pod['spec']> = {}): Pod => ({ metadata: { name: 'p', namespace: 'd' }, spec: { containers: [{ name: 'c', image: 'i', ...(Object.keys({ ...requests, ...limits }).length > 0 ? { resources: { requests, limits } } : {}) }], ...spec } })
const attributes = (object: object, over: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
  operation: 'CREATE', resource: core.pods, subresource: '', kind: { group: '', version: 'v1', kind: 'Pod' }, namespace: 'd', name: 'p', object: object as ApiObject, oldObject: undefined, options: {},
  user: { name: 'alice', groups: [] }, dryRun: false, warn: () => {}, ...over,
})

describe('LimitRanger', () => {
  const admit = async (limits: LimitRangeItem[], object: object, over: Partial<AdmissionAttributes> = {}): Promise<void> => {
    const store = new MemoryStore()
    await store.create(core.limitranges, { metadata: { name: 'l', namespace: 'd' }, spec: { limits } })
    const plugin = limitRanger(store)
    await plugin.admit?.(attributes(object, over))
    await plugin.validate?.(attributes(object, over))
  }
  test('containers that say nothing get the defaults, and a note says so', async () => {
    const given = pod({}, {}, { initContainers: [{ name: 'i', image: 'i', resources: { requests: { cpu: '5m' } } }] })
    await admit([{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '100m', memory: '64Mi' } }], given)
    expect(given.spec.containers[0]?.resources).toEqual({ requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1' } })
    expect(given.spec.initContainers?.[0]?.resources).toEqual({ requests: { cpu: '5m', memory: '64Mi' }, limits: { cpu: '1' } })
    expect(given.metadata.annotations).toEqual({ 'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu, memory request for container c; cpu limit for container c; memory request for init container i; cpu limit for init container i' })
  })
  test.each<[string, LimitRangeItem, Pod, string]>([
    ['below the minimum', { type: 'Container', min: { cpu: '100m' } }, pod({ cpu: '50m' }), 'minimum cpu usage per Container is 100m, but request is 50m'],
    ['no request', { type: 'Container', min: { cpu: '100m' } }, pod(), 'minimum cpu usage per Container is 100m.  No request is specified'],
    ['above the maximum', { type: 'Container', max: { memory: '1Gi' } }, pod({}, { memory: '2Gi' }), 'maximum memory usage per Container is 1Gi, but limit is 2Gi'],
    ['a pod as a whole', { type: 'Pod', max: { cpu: '1' } }, pod({}, { cpu: '2' }), 'maximum cpu usage per Pod is 1, but limit is 2'],
    ['the ratio', { type: 'Container', maxLimitRequestRatio: { cpu: '2' } }, pod({ cpu: '100m' }, { cpu: '400m' }), 'cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000'],
    ['several at once', { type: 'Container', min: { cpu: '1' }, max: { memory: '1Gi' } }, pod({ cpu: '1m' }, { memory: '2Gi' }), '[minimum cpu usage per Container is 1, but request is 1m, maximum memory usage per Container is 1Gi, but limit is 2Gi]'],
  ])('%s is refused', async (_, item, object, message) => {
    await expect(admit([item], object)).rejects.toMatchObject({ code: 403, message: `pods "p" is forbidden: ${message}` })
  })
  test('what is created below a pod is none', async () => {
    const limits: LimitRangeItem[] = [{ type: 'Container', max: { cpu: '1' } }]
    await expect(admit(limits, { metadata: { name: 'p', namespace: 'd' }, target: { kind: 'Node', name: 'n' } }, { subresource: 'binding' })).resolves.toBeUndefined()
    await expect(admit(limits, { metadata: { name: 'p', namespace: 'd' } }, { subresource: 'eviction' })).resolves.toBeUndefined()
  })
  test('claims are bounded by their storage', async () => {
    const claim = { metadata: { name: 'v', namespace: 'd' }, spec: { resources: { requests: { storage: '10Gi' } } } }
    await expect(admit([{ type: 'PersistentVolumeClaim', max: { storage: '5Gi' } }], claim, { resource: core.persistentvolumeclaims, name: 'v' })).rejects.toThrow('maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi')
  })
})

test('a quota counts what it lets in, and refuses what would exceed it', async () => {
  const store = new MemoryStore()
  await store.create(core.resourcequotas, { metadata: { name: 'q', namespace: 'd' }, spec: { hard: { pods: '2' } }, status: { hard: { pods: '2' }, used: { pods: '0' } } })
  const plugin = resourceQuota(store)
  for (const used of ['1', '2']) {
    await plugin.validate?.(attributes(pod()))
    expect(store.get(core.resourcequotas, 'q', 'd')?.status?.used).toEqual({ pods: used })
  }
  await expect(plugin.validate?.(attributes(pod()))).rejects.toMatchObject({ code: 403, message: 'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2' })
  await expect(plugin.validate?.(attributes(pod(), { operation: 'UPDATE', oldObject: pod() as unknown as ApiObject }))).resolves.toBeUndefined()
})

test('a dry run counts nothing', async () => {
  const store = new MemoryStore()
  await store.create(core.resourcequotas, { metadata: { name: 'q', namespace: 'd' }, spec: { hard: { pods: '1' } }, status: { hard: { pods: '1' }, used: { pods: '0' } } })
  await resourceQuota(store).validate?.(attributes(pod(), { dryRun: true }))
  expect(store.get(core.resourcequotas, 'q', 'd')?.status?.used).toEqual({ pods: '0' })
})

test('the newest class that is marked is the default one, of storage and of ingresses', async () => {
  const store = new MemoryStore()
  const mark = (name: string, time: string, key: string): { name: string; creationTimestamp: string; annotations: Record<string, string> } => ({ name, creationTimestamp: time, annotations: { [key]: 'true' } })
  for (const [name, time] of [['old', '2026-01-01T00:00:00Z'], ['new', '2026-02-01T00:00:00Z']] as const) {
    await store.create(storage.storageclasses, { metadata: mark(name, time, 'storageclass.kubernetes.io/is-default-class'), provisioner: 'x' })
    await store.create(networking.ingressclasses, { metadata: mark(name, time, 'ingressclass.kubernetes.io/is-default-class'), spec: {} })
  }
  const claim = { metadata: { name: 'v' }, spec: {} as { storageClassName?: string } }
  await defaultStorageClass(store).admit?.(attributes(claim, { resource: core.persistentvolumeclaims }))
  const none = { metadata: { name: 'v' }, spec: { storageClassName: '' } }
  await defaultStorageClass(store).admit?.(attributes(none, { resource: core.persistentvolumeclaims }))
  const ingress = { metadata: { name: 'i' }, spec: {} as { ingressClassName?: string } }
  await defaultIngressClass(store).admit?.(attributes(ingress, { resource: networking.ingresses }))
  expect([claim.spec.storageClassName, none.spec.storageClassName, ingress.spec.ingressClassName]).toEqual(['new', '', 'new'])
})

test('a RuntimeClass gives its overhead, selector and tolerations; one that is not there, or contradicts, refuses', async () => {
  const store = new MemoryStore()
  await store.create(node.runtimeclasses, { metadata: { name: 'kata' }, handler: 'kata', overhead: { podFixed: { cpu: '250m' } }, scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] } })
  const plugin = runtimeClass(store)
  const given = pod({}, {}, { runtimeClassName: 'kata' })
  await plugin.admit?.(attributes(given))
  expect(given.spec).toMatchObject({ overhead: { cpu: '250m' }, nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] })
  expect(() => plugin.admit?.(attributes(pod({}, {}, { runtimeClassName: 'none' })))).toThrow('pods "p" is forbidden: pod rejected: RuntimeClass "none" not found')
  expect(() => plugin.admit?.(attributes(pod({}, {}, { runtimeClassName: 'kata', nodeSelector: { vm: 'no' } })))).toThrow('conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no')
  expect(() => plugin.validate?.(attributes(pod({}, {}, { overhead: { cpu: '1' } })))).toThrow('Pod Overhead set without corresponding RuntimeClass defined Overhead')
})

describe('certificate requests', () => {
  const resource = { ...core.pods, group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests', kind: 'CertificateSigningRequest', namespaced: false }
  test('approving takes the right to approve for the signer, by its name or its whole domain', async () => {
    const authorizer: Authorizer = { authorize: ({ user, verb, name }) => ({ decision: user.name === 'alice' && verb === 'approve' && name === 'example.com/*' ? 'allow' : 'noOpinion', reason: '' }) }
    const request = { metadata: { name: 'r' }, spec: { signerName: 'example.com/serving' } }
    const approve = (name: string): unknown => certificateApproval(authorizer).validate?.(attributes(request, { resource, subresource: 'approval', operation: 'UPDATE', oldObject: request as unknown as ApiObject, user: { name, groups: [] }, name: 'r' }))
    await expect(approve('alice')).resolves.toBeUndefined()
    await expect(approve('bob')).rejects.toThrow('user not permitted to approve requests with signerName "example.com/serving"')
  })
  test('nobody asks for a certificate of the administrators\' group', async () => {
    const ask = async (...organizations: string[]): Promise<void> => {
      const { request } = await createCertificateRequest({ commonName: 'bob', organizations })
      const object = { metadata: { name: 'r' }, spec: { signerName: 'kubernetes.io/kube-apiserver-client', request: Buffer.from(request).toString('base64') } }
      await certificateSubjectRestriction.validate?.(attributes(object, { resource, name: 'r' }))
    }
    await expect(ask('devs')).resolves.toBeUndefined()
    await expect(ask('system:masters')).rejects.toThrow('use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed')
  })
})

test('whoever makes what nothing acts on is told so', async () => {
  const said: string[] = []
  const policy = attributes({ metadata: { name: 'p' }, spec: {} }, { resource: networking.networkpolicies, warn: (text) => said.push(text) })
  await notActedOn.validate?.(policy)
  await notActedOn.validate?.(attributes(pod(), { warn: (text) => said.push(text) }))
  expect(said).toEqual(['Berth keeps this NetworkPolicy, and does not act on it yet: the pod network does not enforce network policies'])
})
