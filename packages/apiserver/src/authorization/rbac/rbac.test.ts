import { expect, test } from 'vitest'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '@berth/api/types/rbac/v1'
import { rbac } from '@berth/api'
import type { ApiObject, UserInfo } from '../../interfaces.ts'
import { ask } from '../../test-support/attributes.ts'
import { MemoryStore } from '../../test-support/memory-store.ts'
import { authorizationForbidden } from '../forbidden.ts'
import { createAuthorization } from '../index.ts'
import { ruleAllows, uncoveredRules } from './rules.ts'

const bob: UserInfo = { name: 'bob', groups: ['dev', 'system:authenticated'] }
const account: UserInfo = { name: 'system:serviceaccount:a:runner', groups: ['system:serviceaccounts', 'system:serviceaccounts:a'] }

test.each<[string, PolicyRule, Parameters<typeof ask>, boolean]>([
  ['verb, group and resource match', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, [bob, 'get', 'pods'], true],
  ['another verb does not', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, [bob, 'list', 'pods'], false],
  ['another group does not', { verbs: ['get'], apiGroups: ['apps'], resources: ['pods'] }, [bob, 'get', 'pods'], false],
  ['* stands for every verb, group and resource', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, [bob, 'delete', 'secrets/x', { apiGroup: 'y' }], true],
  ['a resource is not its subresources', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, [bob, 'get', 'pods/log'], false],
  ['a subresource is not its resource', { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }, [bob, 'get', 'pods'], false],
  ['*/scale is the scale of everything', { verbs: ['update'], apiGroups: ['apps'], resources: ['*/scale'] }, [bob, 'update', 'deployments/scale', { apiGroup: 'apps' }], true],
  ['resource names limit', { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }, [bob, 'get', 'secrets', { name: 'b' }], false],
  ['resource names allow', { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }, [bob, 'get', 'secrets', { name: 'a' }], true],
  ['resource names do not allow a list', { verbs: ['list'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }, [bob, 'list', 'secrets'], false],
  ['a path matches', { verbs: ['get'], nonResourceURLs: ['/healthz'] }, [bob, 'get', '', { resourceRequest: false, path: '/healthz' }], true],
  ['a path prefix matches', { verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, [bob, 'get', '', { resourceRequest: false, path: '/healthz/ping' }], true],
  ['a path that is not under the prefix does not', { verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, [bob, 'get', '', { resourceRequest: false, path: '/version' }], false],
  ['rules for resources say nothing of paths', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, [bob, 'get', '', { resourceRequest: false, path: '/metrics' }], false],
])('%s', (_name, rule, question, allowed) => {
  expect(ruleAllows(rule, ask(...question))).toBe(allowed)
})

test.each<[string, PolicyRule[], PolicyRule[], PolicyRule[]]>([
  ['the same rule', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], []],
  ['parts of it held in several rules', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, { verbs: ['list'], apiGroups: [''], resources: ['pods'] }], [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }], []],
  ['a verb more', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], [{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['pods'] }], [{ verbs: ['delete'], apiGroups: [''], resources: ['pods'] }]],
  ['named objects do not cover all', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]],
  ['all cover named objects', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }], []],
  ['*/log covers pods/log', [{ verbs: ['get'], apiGroups: [''], resources: ['*/log'] }], [{ verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }], []],
  ['a path prefix covers a path below it', [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }], [{ verbs: ['get'], nonResourceURLs: ['/a/b', '/c'] }], [{ verbs: ['get'], nonResourceURLs: ['/c'] }]],
])('what is missing to grant: %s', (_name, held, wanted, missing) => {
  expect(uncoveredRules(held, wanted)).toEqual(missing)
})

const meta = (name: string, namespace?: string): { name: string, namespace?: string } => ({ name, ...(namespace && { namespace }) })
const clusterRole = (name: string, rules: PolicyRule[]): ClusterRole => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: meta(name), rules })
const role = (namespace: string, name: string, rules: PolicyRule[]): Role => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: meta(name, namespace), rules })
const clusterBinding = (name: string, to: string, ...subjects: Subject[]): ClusterRoleBinding => ({ metadata: meta(name), roleRef: { kind: 'ClusterRole', name: to }, subjects })
const binding = (namespace: string, name: string, kind: string, to: string, ...subjects: Subject[]): RoleBinding => ({ metadata: meta(name, namespace), roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: to }, subjects })
const pods: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }

test('bindings give rights to users, groups and service accounts, cluster-wide or in their namespace, and follow changes', async () => {
  const store = new MemoryStore()
  const { authorizer } = createAuthorization(['RBAC'], store)
  const may = async (user: UserInfo, namespace: string): Promise<string> => (await authorizer.authorize(ask(user, 'get', 'pods', { namespace }))).decision
  await store.create(rbac.clusterroles, clusterRole('reader', [pods]))
  expect(await may(bob, 'a')).toBe('noOpinion')
  await store.create(rbac.rolebindings, binding('a', 'devs', 'ClusterRole', 'reader', { kind: 'Group', name: 'dev' }))
  expect([await may(bob, 'a'), await may(bob, 'b'), await may(bob, '')]).toEqual(['allow', 'noOpinion', 'noOpinion'])
  await store.create(rbac.roles, role('b', 'own', [pods]))
  await store.create(rbac.rolebindings, binding('b', 'run', 'Role', 'own', { kind: 'ServiceAccount', name: 'runner', namespace: 'a' }))
  expect([await may(account, 'b'), await may(account, 'a')]).toEqual(['allow', 'noOpinion'])
  await store.create(rbac.clusterrolebindings, clusterBinding('all', 'reader', { kind: 'User', name: 'bob' }))
  expect(await may(bob, '')).toBe('allow')
  await store.update(rbac.clusterrolebindings, clusterBinding('all', 'reader', { kind: 'User', name: 'eve' }))
  expect(await may(bob, '')).toBe('noOpinion')
  await store.update(rbac.clusterroles, clusterRole('reader', []))
  expect(await may(bob, 'a')).toBe('noOpinion')
  await store.delete(rbac.rolebindings, 'run', { namespace: 'b' })
  expect(await may(account, 'b')).toBe('noOpinion')
})

test('an answer says which binding allowed it, and names roles that are missing', async () => {
  const store = new MemoryStore()
  const { authorizer } = createAuthorization(['RBAC'], store)
  await store.create(rbac.clusterroles, clusterRole('reader', [pods]))
  await store.create(rbac.rolebindings, binding('a', 'devs', 'ClusterRole', 'reader', { kind: 'Group', name: 'dev' }))
  await store.create(rbac.rolebindings, binding('b', 'lost', 'ClusterRole', 'nowhere', { kind: 'User', name: 'bob' }))
  expect(await authorizer.authorize(ask(bob, 'get', 'pods', { namespace: 'a' }))).toEqual({ decision: 'allow', reason: 'RBAC: allowed by RoleBinding "devs/a" of ClusterRole "reader" to Group "dev"' })
  const question = ask(bob, 'get', 'pods', { namespace: 'b', name: 'x' })
  const { decision, reason } = await authorizer.authorize(question)
  expect([decision, reason]).toEqual(['noOpinion', 'RBAC: clusterrole.rbac.authorization.k8s.io "nowhere" not found'])
  expect(authorizationForbidden(question, reason).message).toBe('pods "x" is forbidden: User "bob" cannot get resource "pods" in API group "" in the namespace "b": RBAC: clusterrole.rbac.authorization.k8s.io "nowhere" not found')
})

test.each<[string, Partial<Parameters<typeof authorizationForbidden>[0]>, string]>([
  ['a collection in the cluster', { verb: 'list', resource: 'nodes' }, 'nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope'],
  ['a subresource in a group', { verb: 'update', resource: 'deployments', subresource: 'scale', apiGroup: 'apps', namespace: 'a', name: 'd' }, 'deployments.apps "d" is forbidden: User "bob" cannot update resource "deployments/scale" in API group "apps" in the namespace "a"'],
  ['a path', { verb: 'get', resourceRequest: false, path: '/metrics' }, 'forbidden: User "bob" cannot get path "/metrics"'],
])('a refusal names %s as upstream does', (_name, question, message) => {
  expect(authorizationForbidden(ask(bob, 'get', '', question), '').message).toBe(message)
})

test('nobody grants what he does not hold, unless he may escalate or bind', async () => {
  const store = new MemoryStore()
  const { hooks } = createAuthorization(['RBAC'], store)
  await store.create(rbac.clusterroles, clusterRole('writer', [{ verbs: ['create', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] }, pods]))
  await store.create(rbac.clusterrolebindings, clusterBinding('bob', 'writer', { kind: 'User', name: 'bob' }))
  await store.create(rbac.clusterroles, clusterRole('strong', [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'] }]))
  const write = async (resource: string, object: unknown, user = bob): Promise<string> => {
    const hook = hooks.find((h) => h.resource === resource)
    try {
      await hook?.beginCreate?.(object as ApiObject, { user, dryRun: false, warn: () => {} })
      return 'written'
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(await write('roles', role('a', 'r', [pods]))).toBe('written')
  expect(await write('roles', role('a', 'r', [{ verbs: ['get', 'delete', 'watch'], apiGroups: [''], resources: ['pods'] }]))).toBe(
    'roles.rbac.authorization.k8s.io "r" is forbidden: user "bob" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch"]}')
  expect(await write('rolebindings', binding('a', 'up', 'ClusterRole', 'strong', { kind: 'User', name: 'bob' }))).toContain('is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}')
  expect(await write('rolebindings', binding('a', 'up', 'ClusterRole', 'none', { kind: 'User', name: 'bob' }))).toBe('rolebindings.rbac.authorization.k8s.io "none" not found')
  expect(await write('rolebindings', binding('a', 'up', 'ClusterRole', 'strong'), { name: 'root', groups: ['system:masters'] })).toBe('written')
  await store.update(rbac.clusterroles, clusterRole('writer', [{ verbs: ['bind', 'escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'clusterroles'], resourceNames: ['strong', 'r'] }]))
  expect(await write('rolebindings', binding('a', 'up', 'ClusterRole', 'strong'))).toBe('written')
  expect(await write('roles', role('a', 'r', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]))).toBe('written')
})

test('an update that only the garbage collector would make is not checked', async () => {
  const { hooks } = createAuthorization(['RBAC'], new MemoryStore())
  const hook = hooks.find((h) => h.resource === 'roles')
  const old = role('a', 'r', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]) as unknown as ApiObject
  const context = { user: bob, dryRun: false, warn: () => {} }
  await hook?.beginUpdate?.({ ...old, metadata: { ...old.metadata, finalizers: [] } }, old, context)
  await expect(hook?.beginUpdate?.({ ...old, metadata: { ...old.metadata, labels: { a: 'b' } } }, old, context)).rejects.toThrow('attempting to grant')
})

test('AlwaysAllow, AlwaysDeny and system:masters decide as their names say; unknown modes are refused', async () => {
  const store = new MemoryStore()
  const question = ask(bob, 'get', 'pods')
  expect((await createAuthorization(['AlwaysAllow'], store).authorizer.authorize(question)).decision).toBe('allow')
  expect(await createAuthorization(['AlwaysDeny'], store).authorizer.authorize(question)).toEqual({ decision: 'noOpinion', reason: 'Everything is forbidden.' })
  expect((await createAuthorization(['AlwaysDeny'], store).authorizer.authorize(ask({ name: 'root', groups: ['system:masters'] }, 'get', 'pods'))).decision).toBe('allow')
  expect(() => createAuthorization(['Nonsense'], store)).toThrow('authorization-mode "Nonsense" is not a valid mode')
})
