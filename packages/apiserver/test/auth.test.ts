import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCa, issueCertificate } from '@berth/kube'
import { findKubectl, kubectl, startTestServer, type Answer, type TestServer } from './support/server.ts'

const hasKubectl = findKubectl() !== undefined
let it: TestServer
beforeAll(async () => { it = await startTestServer() })
afterAll(async () => { await it.stop() })

const message = (answer: Answer): string => (answer.body as { message: string }).message
const namespaced = (resource: string, namespace = 'default'): string => `/api/v1/namespaces/${namespace}/${resource}`
const rbac = '/apis/rbac.authorization.k8s.io/v1'

describe('who asks', () => {
  test('is found by client certificate, token or neither; bad credentials are a 401', async () => {
    const alice = await it.certificateFor('alice', 'dev')
    const review = async (asking: object): Promise<unknown> => {
      const answer = await it.ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }, ...asking })
      return answer.status === 201 ? (answer.body as { status: { userInfo: unknown } }).status.userInfo : answer.status
    }
    expect(await review({ cert: alice })).toMatchObject({ username: 'alice', groups: ['dev', 'system:authenticated'] })
    expect(await review({ token: 'bob-token' })).toEqual({ username: 'bob', uid: '2', groups: ['system:authenticated'] })
    expect(await review({})).toBe(403)
    expect(await review({ token: 'wrong' })).toBe(401)
    expect(await review({ cert: await issueCertificate(await createCa('kubernetes'), { commonName: 'alice', organizations: ['system:masters'], usages: ['client'] }) })).toBe(401)
    expect(await review({ token: 'admin-token', headers: { 'impersonate-user': 'eve', 'impersonate-group': ['ops', 'cn=dev,ou=us'] } })).toEqual({ username: 'eve', groups: ['ops', 'cn=dev,ou=us', 'system:authenticated'] })
  })

  test('without credentials may ask for health and version, and nothing else', async () => {
    expect((await it.ask('/healthz')).text).toBe('ok')
    expect((await it.ask('/version')).status).toBe(200)
    expect(message(await it.ask('/api/v1/pods'))).toBe('pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope')
    expect(message(await it.ask('/metrics'))).toBe('forbidden: User "system:anonymous" cannot get path "/metrics"')
  })
})

describe('RBAC', () => {
  test('a role and a binding let somebody in as soon as they are written, and out as soon as they are gone', async () => {
    expect(message(await it.ask(namespaced('pods'), { token: 'bob-token' }))).toBe('pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"')
    await it.admin(`${rbac}/namespaces/default/roles`, { body: { metadata: { name: 'r' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] } })
    expect((await it.admin(`${rbac}/namespaces/default/rolebindings`, { body: { metadata: { name: 'b' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }] } })).status).toBe(201)
    expect((await it.ask(namespaced('pods'), { token: 'bob-token' })).status).toBe(200)
    expect((await it.ask(namespaced('pods', 'kube-system'), { token: 'bob-token' })).status).toBe(403)
    await it.admin(`${rbac}/namespaces/default/rolebindings/b`, { method: 'DELETE' })
    expect((await it.ask(namespaced('pods'), { token: 'bob-token' })).status).toBe(403)
  })

  test('who may write roles cannot write himself more rights than he has', async () => {
    await it.admin(`${rbac}/clusterroles`, { body: { metadata: { name: 'role-writer' }, rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create', 'update', 'patch', 'get'] }] } })
    await it.admin(`${rbac}/clusterrolebindings`, { body: { metadata: { name: 'role-writer' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'role-writer' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }] } })
    const answer = await it.ask(`${rbac}/namespaces/default/roles`, { token: 'bob-token', body: { metadata: { name: 'more' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] } })
    expect([answer.status, message(answer)]).toEqual([403, 'roles.rbac.authorization.k8s.io "more" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'])
    const bind = await it.ask(`${rbac}/namespaces/default/rolebindings`, { token: 'bob-token', body: { metadata: { name: 'up' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [] } })
    expect([bind.status, message(bind)]).toEqual([403, expect.stringContaining('{APIGroups:["*"], Resources:["*"], Verbs:["*"]}')])
  })

  test('who may only change things does not create them by a PUT or an apply', async () => {
    await it.admin(`${rbac}/namespaces/default/roles`, { body: { metadata: { name: 'changer' }, rules: [{ apiGroups: ['', 'coordination.k8s.io'], resources: ['configmaps', 'leases'], verbs: ['update', 'patch'] }] } })
    await it.admin(`${rbac}/namespaces/default/rolebindings`, { body: { metadata: { name: 'changer' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'changer' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }] } })
    const applied = await it.ask(`${namespaced('configmaps')}/new?fieldManager=m`, { token: 'bob-token', method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' }, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } } })
    expect([applied.status, message(applied)]).toEqual([403, 'configmaps "new" is forbidden: User "bob" cannot create resource "configmaps" in API group "" in the namespace "default"'])
    const put = await it.ask('/apis/coordination.k8s.io/v1/namespaces/default/leases/new', { token: 'bob-token', method: 'PUT', body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'new' } } })
    expect(put.status).toBe(403)
    await it.admin(namespaced('configmaps'), { body: { metadata: { name: 'there' } } })
    expect((await it.ask(`${namespaced('configmaps')}/there?fieldManager=m`, { token: 'bob-token', method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' }, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'there' }, data: { a: 'b' } } })).status).toBe(200)
  })

  test('the roles and bindings of a stock server are there', async () => {
    const names = ((await it.admin(`${rbac}/clusterroles?limit=500`)).body as { items: { metadata: { name: string } }[] }).items.map((i) => i.metadata.name)
    expect(names).toEqual(expect.arrayContaining(['admin', 'cluster-admin', 'edit', 'view', 'system:node', 'system:kube-scheduler', 'system:node-proxier', 'system:controller:deployment-controller']))
    expect((await it.admin(`${rbac}/namespaces/kube-system/rolebindings/system::extension-apiserver-authentication-reader`)).status).toBe(200)
  })
})

describe('a node', () => {
  test('registers itself, sees its own pods and what they refer to, and nothing else', async () => {
    const n1 = await it.certificateFor('system:node:n1', 'system:nodes')
    const as = { cert: n1 }
    expect((await it.ask('/api/v1/nodes', { ...as, body: { kind: 'Node', apiVersion: 'v1', metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } } } })).status).toBe(201)
    expect(message(await it.ask('/api/v1/nodes', { ...as, body: { kind: 'Node', apiVersion: 'v1', metadata: { name: 'n2' } } }))).toBe('nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"')
    expect((await it.ask('/api/v1/nodes/n1', as)).body).toMatchObject({ spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] } })
    expect((await it.ask('/api/v1/nodes?fieldSelector=metadata.name%3Dn1', as)).status).toBe(200)
    expect((await it.ask('/api/v1/nodes', as)).status).toBe(403)
    await it.admin(namespaced('serviceaccounts'), { body: { metadata: { name: 'default' } } })
    for (const name of ['mine', 'other']) await it.admin(namespaced('secrets'), { body: { metadata: { name } } })
    const created = await it.admin(namespaced('pods'), { body: { metadata: { name: 'p' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 's', secret: { secretName: 'mine' } }] } } })
    expect(created.status).toBe(201)
    const { uid } = (created.body as { metadata: { uid: string } }).metadata
    expect((await it.ask('/api/v1/pods?fieldSelector=spec.nodeName%3Dn1', as)).status).toBe(200)
    expect((await it.ask('/api/v1/pods', as)).status).toBe(403)
    expect((await it.ask(namespaced('secrets/mine'), as)).status).toBe(200)
    expect(message(await it.ask(namespaced('secrets/other'), as))).toBe("secrets \"other\" is forbidden: User \"system:node:n1\" cannot get resource \"secrets\" in API group \"\" in the namespace \"default\": no relationship found between node 'n1' and this object")
    const request = (name: string): object => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } } })
    expect((await it.ask(namespaced('serviceaccounts/default/token'), { ...as, body: request('p') })).status).toBe(201)
    expect(message(await it.ask(namespaced('serviceaccounts/default/token'), { ...as, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } }))).toBe('serviceaccounts "default" is forbidden: node requested token not bound to a pod')
    const n2 = await it.certificateFor('system:node:n2', 'system:nodes')
    expect((await it.ask(namespaced('serviceaccounts/default/token'), { cert: n2, body: request('p') })).status).toBe(403)
    expect((await it.ask(namespaced('pods/p/status'), { cert: n2, method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { phase: 'Failed' } } })).status).toBe(403)
    expect((await it.ask(namespaced('pods/p/status'), { ...as, method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { phase: 'Running' } } })).status).toBe(200)
    expect(message(await it.ask(namespaced('pods/p'), { cert: n2, method: 'DELETE' }))).toBe('pods "p" is forbidden: node "n2" can only delete pods with spec.nodeName set to itself')
    expect((await it.ask(namespaced('pods/p?gracePeriodSeconds=0'), { ...as, method: 'DELETE' })).status).toBe(200)
    expect((await it.ask(namespaced('secrets/mine'), as)).status).toBe(403)
  })
})

describe('a service account', () => {
  test('asks with a token that is bound to a pod, until the pod is gone', async () => {
    await it.admin(namespaced('serviceaccounts', 'kube-public'), { body: { metadata: { name: 'default' } } })
    await it.admin(namespaced('pods', 'kube-public'), { body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } } })
    const answer = await it.admin(namespaced('serviceaccounts/default/token', 'kube-public'), { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } } } })
    const { token } = (answer.body as { status: { token: string } }).status
    const who = await it.ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', { token, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' } })
    expect(who.body).toMatchObject({ status: { userInfo: { username: 'system:serviceaccount:kube-public:default', groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-public', 'system:authenticated'] } } })
    const review = await it.admin('/apis/authentication.k8s.io/v1/tokenreviews', { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } } })
    expect(review.body).toMatchObject({ status: { authenticated: true, user: { username: 'system:serviceaccount:kube-public:default', extra: { 'authentication.kubernetes.io/pod-name': ['p'] } } } })
    expect((await it.admin(namespaced('pods/p?gracePeriodSeconds=0', 'kube-public'), { method: 'DELETE' })).status).toBe(200)
    expect((await it.ask('/version', { token })).status).toBe(401)
  })

  test('its issuer publishes keys that its tokens are signed with', async () => {
    const jwks = await it.admin('/openid/v1/jwks')
    const { token } = ((await it.admin(namespaced('serviceaccounts/default/token', 'kube-public'), { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } })).body as { status: { token: string } }).status
    const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
    expect((jwks.body as { keys: { kid: string }[] }).keys.map((k) => k.kid)).toContain(kid)
    expect((await it.admin('/.well-known/openid-configuration')).body).toMatchObject({ issuer: 'https://kubernetes.default.svc.cluster.local', id_token_signing_alg_values_supported: ['ES256'] })
  })
})

describe.skipIf(!hasKubectl)('kubectl', () => {
  test('auth whoami, auth can-i and create token', async () => {
    const admin = await it.kubeconfigFor('carol', 'system:masters')
    const bob = await it.kubeconfigFor('dave')
    expect((await kubectl(admin, ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'])).stdout).toBe('carol')
    expect((await kubectl(admin, ['auth', 'can-i', '*', '*'])).stdout).toContain('yes')
    expect(await kubectl(bob, ['auth', 'can-i', 'delete', 'pods'])).toMatchObject({ code: 1, stdout: 'no\n' })
    const rules = (await kubectl(bob, ['auth', 'can-i', '--list'])).stdout
    expect(rules).toMatch(/selfsubjectreviews\.authentication\.k8s\.io\s+\[\]\s+\[\]\s+\[create\]/)
    expect((await kubectl(admin, ['create', 'token', 'default', '-n', 'kube-public'])).stdout).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
    expect((await kubectl(bob, ['get', 'secrets'])).stderr).toContain('Error from server (Forbidden): secrets is forbidden: User "dave" cannot list resource "secrets" in API group "" in the namespace "default"')
  })
})
