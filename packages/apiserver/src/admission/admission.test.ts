import { expect, test } from 'vitest'
import { coordination, core, scheduling } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { AdmissionAttributes, Authorizer, ApiObject } from '../interfaces.ts'
import { admission } from '../test-support/attributes.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { checkAdmissionPlugins, createAdmission } from './index.ts'

const nobody: Authorizer = { authorize: () => ({ decision: 'noOpinion', reason: '' }) }
const everything = { enableAdmissionPlugins: [], disableAdmissionPlugins: [] }

async function cluster(only?: string) {
  const store = new MemoryStore()
  for (const name of ['a', 'kube-system', 'default']) await store.create(core.namespaces, { metadata: { name }, spec: {}, status: { phase: 'Active' } })
  await store.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'a' } })
  const plugins = createAdmission(everything, store, nobody).filter((p) => only === undefined || p.name === only)
  const admit = async (attributes: AdmissionAttributes): Promise<string> => {
    try {
      for (const plugin of plugins) if (plugin.handles(attributes.operation)) await plugin.admit?.(attributes)
      for (const plugin of plugins) if (plugin.handles(attributes.operation)) await plugin.validate?.(attributes)
      return 'admitted'
    } catch (error) {
      return (error as Error).message
    }
  }
  return { store, admit }
}

const podIn = (namespace: string, spec: Partial<Pod['spec']> = {}): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace }, spec: { containers: [{ name: 'c' }], ...spec } })

test('nothing is created in a namespace that is missing or ends; its objects may still be changed and deleted', async () => {
  const { store, admit } = await cluster('NamespaceLifecycle')
  expect(await admit(admission('CREATE', core.pods, podIn('nowhere')))).toBe('namespaces "nowhere" not found')
  expect(await admit(admission('CREATE', core.pods, podIn('a')))).toBe('admitted')
  await store.update(core.namespaces, { metadata: { name: 'a' }, spec: {}, status: { phase: 'Terminating' } })
  expect(await admit(admission('CREATE', core.pods, podIn('a')))).toBe('pods "p" is forbidden: unable to create new content in namespace a because it is being terminated')
  expect(await admit(admission('UPDATE', core.pods, podIn('a')))).toBe('admitted')
  expect(await admit(admission('DELETE', core.pods, podIn('a')))).toBe('admitted')
  expect(await admit(admission('DELETE', core.namespaces, { metadata: { name: 'kube-system' } }, { namespace: 'kube-system' }))).toBe('namespaces "kube-system" is forbidden: this namespace may not be deleted')
  expect(await admit(admission('DELETE', core.namespaces, { metadata: { name: 'a' } }, { namespace: 'a' }))).toBe('admitted')
})

test('a pod gets its account, the token volume in every container that has none there, and the pull secrets', async () => {
  const { store, admit } = await cluster('ServiceAccount')
  await store.update(core.serviceaccounts, { metadata: { name: 'default', namespace: 'a' }, imagePullSecrets: [{ name: 'registry' }] })
  const own = { name: 'mine', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
  const pod = podIn('a', { initContainers: [{ name: 'i' }], containers: [{ name: 'c' }, { name: 'd', volumeMounts: [own] }] })
  expect(await admit(admission('CREATE', core.pods, pod))).toBe('admitted')
  const [volume] = pod.spec?.volumes ?? []
  expect(volume).toEqual({
    name: expect.stringMatching(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/),
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  })
  const mount = { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
  expect(pod.spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default', imagePullSecrets: [{ name: 'registry' }], initContainers: [{ name: 'i', volumeMounts: [mount] }], containers: [{ name: 'c', volumeMounts: [mount] }, { name: 'd', volumeMounts: [own] }] })
})

test('no token is mounted where pod or account want none, the pod having the last word', async () => {
  const { store, admit } = await cluster('ServiceAccount')
  await store.create(core.serviceaccounts, { metadata: { name: 'quiet', namespace: 'a' }, automountServiceAccountToken: false })
  const volumes = async (spec: Partial<Pod['spec']>): Promise<number> => {
    const pod = podIn('a', spec)
    expect(await admit(admission('CREATE', core.pods, pod))).toBe('admitted')
    return pod.spec?.volumes?.length ?? 0
  }
  expect(await volumes({ serviceAccountName: 'quiet' })).toBe(0)
  expect(await volumes({ serviceAccountName: 'quiet', automountServiceAccountToken: true })).toBe(1)
  expect(await volumes({ automountServiceAccountToken: false })).toBe(0)
})

test('an account that is missing, and secrets that an account does not allow, are refused', async () => {
  const { store, admit } = await cluster('ServiceAccount')
  expect(await admit(admission('CREATE', core.pods, podIn('a', { serviceAccountName: 'nope' })))).toBe('pods "p" is forbidden: error looking up service account a/nope: serviceaccount "nope" not found')
  await store.create(core.serviceaccounts, { metadata: { name: 'strict', namespace: 'a', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } }, secrets: [{ name: 'ok' }] })
  const withSecret = (secretName: string): Pod => podIn('a', { serviceAccountName: 'strict', volumes: [{ name: 'v', secret: { secretName } }] })
  expect(await admit(admission('CREATE', core.pods, withSecret('ok')))).toBe('admitted')
  expect(await admit(admission('CREATE', core.pods, withSecret('other')))).toContain('volume with secret.secretName="other" is not allowed because service account strict does not reference that secret')
})

test('a pod gets the priority of its class, of the default class, or none; numbers of its own are refused', async () => {
  const { store, admit } = await cluster('Priority')
  await store.create(scheduling.priorityclasses, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' })
  const create = async (spec: Partial<Pod['spec']>): Promise<unknown> => {
    const pod = podIn('a', spec)
    const answer = await admit(admission('CREATE', core.pods, pod))
    return answer === 'admitted' ? [pod.spec?.priorityClassName, pod.spec?.priority, pod.spec?.preemptionPolicy] : answer
  }
  expect(await create({})).toEqual([undefined, 0, 'PreemptLowerPriority'])
  expect(await create({ priorityClassName: 'high' })).toEqual(['high', 1000, 'Never'])
  expect(await create({ priorityClassName: 'high', priority: 1000 })).toEqual(['high', 1000, 'Never'])
  expect(await create({ priorityClassName: 'none' })).toBe('pods "p" is forbidden: no PriorityClass with name none was found')
  expect(await create({ priority: 7 })).toBe('pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name')
  expect(await create({ priorityClassName: 'high', preemptionPolicy: 'PreemptLowerPriority' })).toBe('pods "p" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name')
  const chosen = { metadata: { name: 'usual' }, value: 5, globalDefault: true, preemptionPolicy: 'PreemptLowerPriority' as const }
  await store.create(scheduling.priorityclasses, chosen)
  expect(await create({})).toEqual(['usual', 5, 'PreemptLowerPriority'])
  expect(await admit(admission('CREATE', scheduling.priorityclasses, { ...chosen, metadata: { name: 'second' } }))).toContain('PriorityClass usual is already marked as default. Only one default can exist')
  expect(await admit(admission('UPDATE', scheduling.priorityclasses, chosen))).toBe('admitted')
  expect(await admit(admission('DELETE', scheduling.priorityclasses, { metadata: { name: 'system-node-critical' } }))).toBe('priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted')
})

test.each<[string, NonNullable<Pod['spec']>['tolerations'], string[]]>([
  ['nothing', undefined, ['not-ready:300', 'unreachable:300']],
  ['one of the two', [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }], ['not-ready:5', 'unreachable:300']],
  ['the other effect', [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoSchedule' }], ['not-ready:', 'not-ready:300', 'unreachable:300']],
  ['everything', [{ operator: 'Exists' }], [':']],
])('a pod that tolerates %s tolerates failing nodes for a while', async (_name, tolerations, expected) => {
  const { admit } = await cluster('DefaultTolerationSeconds')
  const pod = podIn('a', tolerations ? { tolerations } : {})
  await admit(admission('CREATE', core.pods, pod))
  expect((pod.spec?.tolerations ?? []).map((t) => `${(t.key ?? '').replace('node.kubernetes.io/', '')}:${t.tolerationSeconds ?? ''}`)).toEqual(expected)
})

test('a pod that asks for a runtime class, or brings the overhead of one, is refused: there is none', async () => {
  const { admit } = await cluster('RuntimeClass')
  expect(await admit(admission('CREATE', core.pods, podIn('a', { runtimeClassName: 'gvisor' })))).toBe('pods "p" is forbidden: pod rejected: RuntimeClass "gvisor" not found')
  expect(await admit(admission('CREATE', core.pods, podIn('a', { overhead: { cpu: '1' } })))).toContain('Pod Overhead set without corresponding RuntimeClass')
  expect(await admit(admission('CREATE', core.pods, podIn('a')))).toBe('admitted')
})

test('a new node is tainted until it is seen ready, once', async () => {
  const { admit } = await cluster('TaintNodesByCondition')
  const node: Node = { metadata: { name: 'n1' }, spec: { taints: [{ key: 'own', effect: 'NoSchedule' }] } }
  await admit(admission('CREATE', core.nodes, node))
  await admit(admission('CREATE', core.nodes, node))
  expect(node.spec?.taints).toEqual([{ key: 'own', effect: 'NoSchedule' }, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
})

const n1 = { user: { name: 'system:node:n1', groups: ['system:nodes'] } }
const mirror = (more: Partial<Pod['metadata']> = {}, spec: Partial<Pod['spec']> = {}): Pod => ({ ...podIn('a', { nodeName: 'n1', ...spec }), metadata: { name: 'p', namespace: 'a', annotations: { 'kubernetes.io/config.mirror': 'x' }, ...more } })
const bound = (nodeName: string): ApiObject => podIn('a', { nodeName }) as unknown as ApiObject

test.each<[string, AdmissionAttributes, string]>([
  ['create a pod', admission('CREATE', core.pods, podIn('a', { nodeName: 'n1' }), n1), 'can only create mirror pods'],
  ['create a mirror pod on another node', admission('CREATE', core.pods, mirror({}, { nodeName: 'n2' }), n1), 'can only create pods with spec.nodeName set to itself'],
  ['create a mirror pod that reads a secret', admission('CREATE', core.pods, mirror({}, { volumes: [{ name: 'v', secret: { secretName: 's' } }] }), n1), 'can not create pods that reference secrets'],
  ['create a mirror pod with an account', admission('CREATE', core.pods, mirror({}, { serviceAccountName: 'default' }), n1), 'can not create pods that reference a service account'],
  ['create a mirror pod of its own', admission('CREATE', core.pods, mirror(), n1), 'admitted'],
  ['delete a pod of another node', admission('DELETE', core.pods, bound('n2'), n1), 'can only delete pods with spec.nodeName set to itself'],
  ['delete a pod of its own', admission('DELETE', core.pods, bound('n1'), n1), 'admitted'],
  ['write the status of a pod of its own', admission('UPDATE', core.pods, bound('n1'), { ...n1, subresource: 'status', oldObject: bound('n1') }), 'admitted'],
  ['write the status of a pod of another node', admission('UPDATE', core.pods, bound('n1'), { ...n1, subresource: 'status', oldObject: bound('n2') }), 'can only update pod status for pods with spec.nodeName set to itself'],
  ['change labels through status', admission('UPDATE', core.pods, { ...bound('n1'), metadata: { name: 'p', namespace: 'a', labels: { x: 'y' } } }, { ...n1, subresource: 'status', oldObject: bound('n1') }), 'cannot update labels through pod status'],
  ['update a pod', admission('UPDATE', core.pods, bound('n1'), { ...n1, oldObject: bound('n1') }), 'unexpected operation "UPDATE"'],
  ['write another node', admission('UPDATE', core.nodes, { metadata: { name: 'n2' } }, n1), 'is not allowed to modify node "n2"'],
  ['create itself with its labels', admission('CREATE', core.nodes, { metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1', 'own/label': 'x' } } }, n1), 'admitted'],
  ['create itself with a restricted label', admission('CREATE', core.nodes, { metadata: { name: 'n1', labels: { 'node-restriction.kubernetes.io/x': '1' } } }, n1), 'is not allowed to set the following labels: node-restriction.kubernetes.io/x'],
  ['change its taints', admission('UPDATE', core.nodes, { metadata: { name: 'n1' }, spec: { taints: [] } }, { ...n1, oldObject: { metadata: { name: 'n1' }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } } }), 'is not allowed to modify taints'],
  ['label itself as a control plane', admission('UPDATE', core.nodes, { metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/control-plane': '' } } }, { ...n1, oldObject: { metadata: { name: 'n1' } } }), 'is not allowed to modify labels: node-role.kubernetes.io/control-plane'],
  ['write its lease', admission('CREATE', coordination.leases, { metadata: { name: 'n1', namespace: 'kube-node-lease' } }, n1), 'admitted'],
  ['write another lease', admission('CREATE', coordination.leases, { metadata: { name: 'n2', namespace: 'kube-node-lease' } }, n1), 'can only access node lease with the same name as the requesting node'],
])('a node may or may not %s', async (_name, attributes, answer) => {
  const { admit } = await cluster('NodeRestriction')
  if (answer === 'admitted') expect(await admit(attributes)).toBe(answer)
  else expect(await admit(attributes)).toContain(answer)
  expect(await admit({ ...attributes, user: { name: 'admin', groups: [] } })).toBe('admitted')
})

test('a node makes tokens for pods that run on it, for the audiences they mount, and for nothing else', async () => {
  const { store, admit } = await cluster('NodeRestriction')
  const volumes = [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { serviceAccountToken: { path: 'v', audience: 'vault' } }] } }]
  await store.create(core.pods, { metadata: { name: 'p', namespace: 'a', uid: '1' }, spec: { nodeName: 'n1', containers: [], volumes } })
  await store.create(core.pods, { metadata: { name: 'q', namespace: 'a', uid: '2' }, spec: { nodeName: 'n2', containers: [], volumes } })
  const ask = (spec: object): Promise<string> => admit(admission('CREATE', core.serviceaccounts, { metadata: { name: 'default', namespace: 'a' }, spec }, { ...n1, subresource: 'token' }))
  const ref = (name: string, uid: string): object => ({ apiVersion: 'v1', kind: 'Pod', name, uid })
  expect(await ask({ boundObjectRef: ref('p', '1') })).toBe('admitted')
  expect(await ask({ boundObjectRef: ref('p', '1'), audiences: ['vault'] })).toBe('admitted')
  expect(await ask({ boundObjectRef: ref('p', '1'), audiences: ['else'] })).toContain('audience "else" not found in pod spec volume')
  expect(await ask({ boundObjectRef: ref('q', '2') })).toContain('node requested token bound to a pod scheduled on a different node')
  expect(await ask({ boundObjectRef: ref('p', '9') })).toContain('does not match the UID in record')
  expect(await ask({})).toContain('node requested token not bound to a pod')
})

test('plugins are disabled by name; unknown names and those that are not built are refused', () => {
  const store = new MemoryStore()
  expect(createAdmission({ ...everything, disableAdmissionPlugins: ['ServiceAccount', 'ResourceQuota'] }, store, nobody).map((p) => p.name)).not.toContain('ServiceAccount')
  expect(() => checkAdmissionPlugins({ ...everything, enableAdmissionPlugins: ['Nonsense'] })).toThrow('enable-admission-plugins plugin "Nonsense" is unknown')
  expect(() => checkAdmissionPlugins({ ...everything, disableAdmissionPlugins: ['Nonsense'] })).toThrow('disable-admission-plugins plugin "Nonsense" is unknown')
  expect(() => checkAdmissionPlugins({ ...everything, enableAdmissionPlugins: ['AlwaysPullImages'] })).toThrow('"AlwaysPullImages" is not built into this server')
})
