import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { core, discovery, networking, rbac, scheduling } from '@berth/api'
import type { ClusterRole, ClusterRoleBinding } from '@berth/api/types/rbac/v1'
import type { ApiServerOptions } from '../interfaces.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { memoryCommitter } from '../storage/committer.ts'
import { groupCommitStorage } from '../storage/group-commit-storage.ts'
import { kubernetesServiceHook } from './kubernetes-service-hook.ts'
import { namespacesHook } from './namespaces-hook.ts'
import { priorityClassesHook } from './priority-classes-hook.ts'
import { rbacHook, reconciledBinding, reconciledRole } from './rbac-hook.ts'
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from './rbac-policy.ts'
import { serviceCidrHook } from './service-cidr-hook.ts'

const facts = process.env['BERTH_FACTS'] ? join(process.env['BERTH_FACTS'], 'bootstrap-rbac.json') : ''
const hasFacts = facts !== '' && existsSync(facts)
if (!hasFacts) console.log('skipped: the roles of a stock server, as BERTH_FACTS is not set')
const log = { info() {}, error() {} }
const signal = AbortSignal.abort()

test.skipIf(!hasFacts)('the roles and bindings are those of a stock server', () => {
  const stock = JSON.parse(readFileSync(facts, 'utf8')) as { clusterRoles: (ClusterRole & { name: string })[], clusterRoleBindings: (ClusterRoleBinding & { name: string })[] }
  const sorted = <T extends { name: string }>(list: T[]): T[] => list.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const flatRole = ({ metadata, rules, aggregationRule }: ClusterRole): object => ({ name: metadata.name, labels: metadata.labels, annotations: metadata.annotations, ...(aggregationRule ? { aggregationRule } : { rules }) })
  const flatBinding = ({ metadata, roleRef, subjects }: ClusterRoleBinding): object => ({ name: metadata.name, labels: metadata.labels, annotations: metadata.annotations, roleRef, ...(subjects && { subjects }) })
  expect(sorted(bootstrapClusterRoles().map(flatRole) as never)).toEqual(sorted(stock.clusterRoles))
  expect(sorted(bootstrapClusterRoleBindings().map(flatBinding) as never)).toEqual(sorted(stock.clusterRoleBindings))
})

test('a role that lacks rules gets them, and keeps what somebody added', () => {
  const live: ClusterRole = { metadata: { name: 'r', labels: { mine: 'x' } }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, { verbs: ['*'], apiGroups: ['own'], resources: ['*'] }] }
  const wanted: ClusterRole = { metadata: { name: 'r', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }, rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }] }
  expect(reconciledRole(live, wanted)).toEqual({
    metadata: { name: 'r', labels: { mine: 'x', 'kubernetes.io/bootstrapping': 'rbac-defaults' }, annotations: {} },
    rules: [...(live.rules ?? []), { verbs: ['list'], apiGroups: [''], resources: ['pods'] }],
  })
})

test('a binding that lacks subjects gets them; one of another role is made anew', () => {
  const wanted: ClusterRoleBinding = { metadata: { name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'r' }, subjects: [{ kind: 'Group', name: 'a' }] }
  expect(reconciledBinding({ ...wanted, subjects: [{ kind: 'User', name: 'u' }] }, wanted)).toMatchObject({ subjects: [{ kind: 'User', name: 'u' }, { kind: 'Group', name: 'a' }] })
  expect(reconciledBinding({ ...wanted, roleRef: { kind: 'ClusterRole', name: 'other' } }, wanted)).toBe('recreate')
})

test('the defaults of RBAC are made, repaired, and left alone where autoupdate is off', async () => {
  const store = new MemoryStore()
  const hook = rbacHook(store)
  await hook.run(signal)
  expect(store.list(rbac.clusterroles)).toHaveLength(bootstrapClusterRoles().length)
  expect(store.get(rbac.rolebindings, 'system::leader-locking-kube-scheduler', 'kube-system')).toMatchObject({ roleRef: { kind: 'Role', name: 'system::leader-locking-kube-scheduler' } })
  const [view, node] = ['system:aggregate-to-view', 'system:node'].map((name) => store.get(rbac.clusterroles, name))
  if (!view || !node) throw new Error('the roles are missing')
  await store.update(rbac.clusterroles, { ...view, rules: [] })
  await store.update(rbac.clusterroles, { ...node, rules: [], metadata: { ...node.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } } })
  await store.delete(rbac.clusterrolebindings, 'cluster-admin')
  await hook.run(signal)
  expect(store.get(rbac.clusterroles, 'system:aggregate-to-view')?.rules?.length).toBeGreaterThan(5)
  expect(store.get(rbac.clusterroles, 'system:node')?.rules).toEqual([])
  expect(store.get(rbac.clusterrolebindings, 'cluster-admin')?.subjects).toEqual([{ kind: 'Group', name: 'system:masters', apiGroup: 'rbac.authorization.k8s.io' }])
})

test('namespaces, priority classes and the ServiceCIDR are made once, and made again when they are gone', async () => {
  const store = new MemoryStore()
  const hooks = [namespacesHook(store, log), priorityClassesHook(store), serviceCidrHook(store, '10.96.0.0/16', log)]
  for (const hook of hooks) await hook.run(signal)
  expect(store.list(core.namespaces).map((n) => n.metadata.name)).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system'])
  expect(store.list(scheduling.priorityclasses).map((c) => [c.metadata.name, c.value])).toEqual([['system-cluster-critical', 2000000000], ['system-node-critical', 2000001000]])
  expect(store.get(networking.servicecidrs, 'kubernetes')).toMatchObject({ spec: { cidrs: ['10.96.0.0/16'] }, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
  const { uid } = store.get(core.namespaces, 'default')?.metadata ?? {}
  await store.delete(core.namespaces, 'kube-public')
  for (const hook of hooks) await hook.run(signal)
  expect(store.get(core.namespaces, 'kube-public')).toBeDefined()
  expect(store.get(core.namespaces, 'default')?.metadata.uid).toBe(uid)
})

test('the Service kubernetes leads to the advertised address, and follows it; a loopback address is published nowhere', async () => {
  const store = new MemoryStore()
  const at = (advertiseAddress: string, port: number): Parameters<typeof kubernetesServiceHook>[0] => ({ store, storage: groupCommitStorage(memoryCommitter()), log, port: () => port, options: { advertiseAddress, bindAddress: '0.0.0.0', serviceClusterIpRange: '10.96.0.0/16' } as ApiServerOptions })
  await kubernetesServiceHook(at('127.0.0.1', 6443)).run(signal)
  expect(store.get(core.services, 'kubernetes', 'default')?.spec).toMatchObject({ clusterIP: '10.96.0.1', ports: [{ port: 443, targetPort: 6443 }] })
  expect(store.list(discovery.endpointslices)).toEqual([])
  await kubernetesServiceHook(at('172.30.0.1', 6443)).run(signal)
  await kubernetesServiceHook(at('172.30.0.2', 7443)).run(signal)
  expect(store.get(core.services, 'kubernetes', 'default')?.spec?.ports).toMatchObject([{ targetPort: 7443 }])
  expect(store.get(discovery.endpointslices, 'kubernetes', 'default')).toMatchObject({ addressType: 'IPv4', endpoints: [{ addresses: ['172.30.0.2'], conditions: { ready: true } }], ports: [{ name: 'https', port: 7443 }] })
  expect(store.get(core.endpoints, 'kubernetes', 'default')?.subsets).toEqual([{ addresses: [{ ip: '172.30.0.2' }], ports: [{ name: 'https', port: 7443, protocol: 'TCP' }] }])
})
