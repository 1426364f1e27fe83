import { expect, test } from 'vitest'
import { core, storage } from '@berth/api'
import type { PersistentVolume, Pod } from '@berth/api/types/core/v1'
import type { AuthorizationAttributes, UserInfo } from '../../interfaces.ts'
import { ask } from '../../test-support/attributes.ts'
import { MemoryStore } from '../../test-support/memory-store.ts'
import { createAuthorization } from '../index.ts'

const n1: UserInfo = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const pod: Pod = {
  metadata: { name: 'p', namespace: 'a' },
  spec: {
    nodeName: 'n1', serviceAccountName: 'runner', imagePullSecrets: [{ name: 'pull' }],
    containers: [{ name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }], envFrom: [{ configMapRef: { name: 'all' } }] }],
    initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'init' } }] }],
    volumes: [
      { name: 's', secret: { secretName: 'vol' } }, { name: 'm', configMap: { name: 'conf' } }, { name: 'p', persistentVolumeClaim: { claimName: 'claim' } },
      { name: 'j', projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'kube-root-ca.crt' } }] } },
    ],
  },
}

async function cluster(): Promise<{ store: MemoryStore, may(verb: string, resource: string, more?: Partial<AuthorizationAttributes>, user?: UserInfo): Promise<[string, string]> }> {
  const store = new MemoryStore()
  const { authorizer } = createAuthorization(['Node'], store)
  await store.create(core.pods, pod)
  return {
    store,
    async may(verb, resource, more = {}, user = n1) {
      const { decision, reason } = await authorizer.authorize(ask(user, verb, resource, more))
      return [decision, reason]
    },
  }
}

const inA = (name: string): Partial<AuthorizationAttributes> => ({ namespace: 'a', name })
const allowed = ['allow', '']
const refused = (reason: string): [string, string] => ['noOpinion', reason]
const unrelated = refused("no relationship found between node 'n1' and this object")

test.each<[verb: string, resource: string, more: Partial<AuthorizationAttributes>, answer: string[]]>([
  ...['pull', 'env', 'init', 'vol', 'projected'].map((name): [string, string, Partial<AuthorizationAttributes>, string[]] => ['get', 'secrets', inA(name), allowed]),
  ...['all', 'conf', 'kube-root-ca.crt'].map((name): [string, string, Partial<AuthorizationAttributes>, string[]] => ['watch', 'configmaps', inA(name), allowed]),
  ['get', 'secrets', inA('other'), unrelated],
  ['get', 'secrets', { namespace: 'b', name: 'vol' }, unrelated],
  ['list', 'secrets', { namespace: 'a' }, refused('No Object name found')],
  ['list', 'secrets', {}, refused('can only read namespaced object of this type')],
  ['update', 'secrets', inA('vol'), refused('can only read resources of this type')],
  ['get', 'persistentvolumeclaims', inA('claim'), allowed],
  ['create', 'serviceaccounts/token', inA('runner'), allowed],
  ['create', 'serviceaccounts/token', inA('default'), unrelated],
  ['get', 'serviceaccounts', inA('runner'), allowed],
  ['delete', 'serviceaccounts', inA('runner'), refused('can only create tokens for individual service accounts')],
  ['get', 'nodes', { name: 'n1' }, allowed],
  ['get', 'nodes', { name: 'n2' }, refused("node 'n1' cannot read 'n2', only its own Node object")],
  ['list', 'nodes', {}, refused("node 'n1' cannot read all nodes, only its own Node object")],
  ['patch', 'nodes/status', { name: 'n1' }, allowed],
  ['delete', 'nodes', { name: 'n1' }, refused('')],
  ['get', 'pods', inA('p'), allowed],
  ['get', 'pods', inA('q'), unrelated],
  ['list', 'pods', { fieldSelector: 'spec.nodeName=n1' }, allowed],
  ['watch', 'pods', { fieldSelector: 'spec.nodeName==n1,status.phase!=Failed' }, allowed],
  ['list', 'pods', { fieldSelector: 'spec.nodeName=n2' }, refused('can only list/watch pods with spec.nodeName field selector')],
  ['list', 'pods', {}, refused('can only list/watch pods with spec.nodeName field selector')],
  ['update', 'pods/status', inA('p'), allowed],
  ['update', 'pods', inA('p'), refused('')],
  ['update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'n1' }, allowed],
  ['update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'n2' }, refused('can only access node lease with the same name as the requesting node')],
  ['get', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-system', name: 'n1' }, refused('can only access leases in the "kube-node-lease" system namespace')],
  ['list', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease' }, refused('can only get, create, update, patch, or delete a node lease')],
  ['list', 'services', {}, allowed],
  ['create', 'events', { namespace: 'a' }, allowed],
  ['list', 'deployments', { apiGroup: 'apps' }, refused('')],
])('a node asks to %s %s %o', async (verb, resource, more, answer) => {
  const { may } = await cluster()
  expect(await may(verb, resource, more)).toEqual(answer)
})

test('access ends with the last pod that needs it, and begins when a pod is bound', async () => {
  const { store, may } = await cluster()
  const second: Pod = { ...pod, metadata: { name: 'q', namespace: 'a' }, spec: { ...pod.spec, containers: [] } }
  await store.create(core.pods, second)
  await store.delete(core.pods, 'p', { namespace: 'a' })
  expect(await may('get', 'secrets', inA('vol'))).toEqual(allowed)
  expect(await may('get', 'secrets', inA('env'))).toEqual(unrelated)
  await store.delete(core.pods, 'q', { namespace: 'a' })
  expect(await may('get', 'secrets', inA('vol'))).toEqual(unrelated)
  const { nodeName: _, ...unbound } = pod.spec ?? { containers: [] }
  await store.create(core.pods, { metadata: { name: 'r', namespace: 'a' }, spec: unbound })
  expect(await may('get', 'secrets', inA('vol'))).toEqual(unrelated)
  await store.update(core.pods, { metadata: { name: 'r', namespace: 'a' }, spec: { ...unbound, nodeName: 'n1' } })
  expect(await may('get', 'secrets', inA('vol'))).toEqual(allowed)
})

test('a mirror pod gives its node nothing to read', async () => {
  const { store, may } = await cluster()
  await store.create(core.pods, { metadata: { name: 'm', namespace: 'b', annotations: { 'kubernetes.io/config.mirror': 'x' } }, spec: { ...pod.spec, containers: [] } })
  expect(await may('get', 'secrets', { namespace: 'b', name: 'vol' })).toEqual(unrelated)
})

test('who is no node gets no opinion: neither other users nor members of the group without the name', async () => {
  const { may } = await cluster()
  expect(await may('get', 'secrets', inA('vol'), { name: 'bob', groups: [] })).toEqual(refused(''))
  expect(await may('get', 'secrets', inA('vol'), { name: 'system:node:n1', groups: [] })).toEqual(refused(''))
  expect(await may('get', 'services', {}, { name: 'bob', groups: ['system:nodes'] })).toEqual(refused(''))
  expect(await may('list', 'services', {}, { name: 'system:node:', groups: ['system:nodes'] })).toEqual(refused('unknown node for user "system:node:"'))
})

test('a node reads the volumes behind the claims of its pods, the secrets of those volumes, and what is attached to it', async () => {
  const { store, may } = await cluster()
  const volume = (name: string, claim: string): PersistentVolume => ({
    metadata: { name }, spec: { claimRef: { namespace: 'a', name: claim }, csi: { driver: 'd', volumeHandle: name, nodeStageSecretRef: { name: `of-${name}`, namespace: 'storage' } } },
  })
  await store.create(core.persistentvolumes, volume('mine', 'claim'))
  await store.create(core.persistentvolumes, volume('other', 'unused'))
  await store.create(storage.volumeattachments, { metadata: { name: 'here' }, spec: { attacher: 'd', nodeName: 'n1', source: {} } })
  await store.create(storage.volumeattachments, { metadata: { name: 'there' }, spec: { attacher: 'd', nodeName: 'n2', source: {} } })
  expect(await may('get', 'persistentvolumes', { name: 'mine' })).toEqual(allowed)
  expect(await may('get', 'persistentvolumes', { name: 'other' })).toEqual(unrelated)
  expect(await may('list', 'persistentvolumes')).toEqual(refused('can only get individual resources of this type'))
  expect(await may('get', 'secrets', { namespace: 'storage', name: 'of-mine' })).toEqual(allowed)
  expect(await may('get', 'secrets', { namespace: 'storage', name: 'of-other' })).toEqual(unrelated)
  expect(await may('get', 'volumeattachments', { apiGroup: 'storage.k8s.io', name: 'here' })).toEqual(allowed)
  expect(await may('get', 'volumeattachments', { apiGroup: 'storage.k8s.io', name: 'there' })).toEqual(unrelated)
  await store.delete(core.persistentvolumes, 'mine')
  expect(await may('get', 'persistentvolumes', { name: 'mine' })).toEqual(unrelated)
})
