// Ways around authorization: paths that are authorized as one thing must not be served as another.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type Answer, type Asking, type TestServer } from './support/server.ts'

let it: TestServer
/** Everything in the namespace `own`, by a Role and by the ClusterRole cluster-admin. */
let owner: { certificate: string, key: string }
/** Reads everything everywhere: get, list and watch of every resource and subresource. */
let reader: { certificate: string, key: string }
/** May watch the one Secret `shown` in `own`. */
let narrow: { certificate: string, key: string }

const rbac = '/apis/rbac.authorization.k8s.io/v1'

beforeAll(async () => {
  it = await startTestServer()
  const make = async (path: string, body: object): Promise<void> => {
    const answer = await it.admin(path, { body })
    expect(answer.status, answer.text).toBe(201)
  }
  const bind = (name: string, role: string, where: string): Promise<void> => make(`${rbac}${where}`, {
    kind: where === '/clusterrolebindings' ? 'ClusterRoleBinding' : 'RoleBinding', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: `${name}-${role}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role === 'cluster-admin' || role === 'reader' ? 'ClusterRole' : 'Role', name: role }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
  })
  for (const name of ['own', 'other']) await make('/api/v1/namespaces', { metadata: { name } })
  await make('/api/v1/nodes', { metadata: { name: 'n1' }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }] } })
  await make(`${rbac}/namespaces/own/roles`, { metadata: { name: 'everything' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] })
  await make(`${rbac}/namespaces/own/roles`, { metadata: { name: 'narrow' }, rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['shown'], verbs: ['get', 'list', 'watch'] }] })
  await make(`${rbac}/clusterroles`, { metadata: { name: 'reader' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }] })
  await bind('owner', 'everything', '/namespaces/own/rolebindings')
  await bind('owner', 'cluster-admin', '/namespaces/own/rolebindings')
  await bind('narrow', 'narrow', '/namespaces/own/rolebindings')
  await bind('reader', 'reader', '/clusterrolebindings')
  for (const name of ['shown', 'hidden']) await make('/api/v1/namespaces/own/secrets', { metadata: { name }, stringData: { value: `value of ${name}` } })
  await make('/api/v1/namespaces/own/serviceaccounts', { metadata: { name: 'default' } })
  await make('/api/v1/namespaces/own/pods', { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  await make('/apis/apps/v1/namespaces/own/deployments', {
    metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
  })
  owner = await it.certificateFor('owner')
  reader = await it.certificateFor('reader')
  narrow = await it.certificateFor('narrow')
})
afterAll(() => it.stop())

const merge = { 'content-type': 'application/merge-patch+json' }

describe('who has every right in one namespace', () => {
  test.each<[string, string, object | undefined]>([
    ['GET', '/api/v1/namespaces/own/nodes/n1', undefined],
    ['GET', '/api/v1/namespaces/own/nodes/n1/proxy/pods', undefined],
    ['GET', '/api/v1/namespaces/own/nodes/n1/status', undefined],
    ['PATCH', '/api/v1/namespaces/own/nodes/n1/status', { status: { phase: 'Running' } }],
    ['PUT', '/api/v1/namespaces/own/nodes/n1/status', { metadata: { name: 'n1' } }],
    ['GET', '/api/v1/namespaces/own/namespaces', undefined],
    ['POST', '/api/v1/namespaces/own/namespaces', { metadata: { name: 'mine' } }],
    ['GET', '/api/v1/namespaces/own/namespaces/other', undefined],
    ['DELETE', '/api/v1/namespaces/own/namespaces/other', undefined],
    ['PUT', '/api/v1/namespaces/own/namespaces/other/finalize', { metadata: { name: 'other' }, spec: { finalizers: [] } }],
    ['GET', '/api/v1/watch/namespaces/own/namespaces', undefined],
    ['GET', `${rbac}/namespaces/own/clusterrolebindings`, undefined],
    ['POST', `${rbac}/namespaces/own/clusterrolebindings`, { metadata: { name: 'x' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [] }],
    ['POST', '/apis/authorization.k8s.io/v1/namespaces/own/subjectaccessreviews', { spec: { user: 'x', resourceAttributes: { verb: 'get', resource: 'pods' } } }],
    ['GET', '/api/v1/namespaces/own/../other/secrets', undefined],
    ['GET', '/api/v1/namespaces/own/%2e%2e/other/secrets', undefined],
    ['GET', '/api/v1/namespaces/own/secrets/..%2f..%2fother%2fsecrets', undefined],
  ])('reaches nothing outside of it by %s %s', async (method, path, body) => {
    const answer = await raw(path, { method, cert: owner, ...(body && { body }), ...(method === 'PATCH' && { headers: merge }) })
    expect([400, 403, 404, 405], answer.text).toContain(answer.status)
  })

  test('still has the namespace itself', async () => {
    expect((await it.ask('/api/v1/namespaces/own', { cert: owner })).status).toBe(200)
    expect((await it.ask('/api/v1/namespaces/own/status', { cert: owner })).status).toBe(200)
    expect((await it.ask('/api/v1/namespaces/other', { cert: owner })).status).toBe(403)
  })

  test('asks about rights in it only', async () => {
    const review = (namespace: string): object => ({ metadata: { namespace }, spec: { user: 'x', resourceAttributes: { namespace, verb: 'get', resource: 'pods' } } })
    const ask = (namespace: string): Promise<Answer> => it.ask('/apis/authorization.k8s.io/v1/namespaces/own/localsubjectaccessreviews', { cert: owner, body: review(namespace) })
    expect((await ask('own')).status).toBe(201)
    expect(await ask('other')).toMatchObject({ status: 400, body: { message: 'the namespace of the provided object does not match the namespace sent on the request' } })
  })
})

describe('who may read everything', () => {
  test.each<[string, string, object | undefined]>([
    ['PUT', '/apis/apps/v1/watch/namespaces/own/deployments/d/scale', { metadata: { name: 'd' }, spec: { replicas: 5 } }],
    ['PATCH', '/apis/apps/v1/watch/namespaces/own/deployments/d/scale', { spec: { replicas: 5 } }],
    ['PATCH', '/api/v1/watch/namespaces/own/pods/p/status', { status: { phase: 'Failed' } }],
    ['POST', '/api/v1/watch/namespaces/own/serviceaccounts/default/token', { spec: {} }],
    ['POST', '/api/v1/watch/namespaces/own/pods/p/eviction', { metadata: { name: 'p' } }],
    ['POST', '/api/v1/watch/namespaces/own/pods/p/exec?command=id', undefined],
    ['POST', '/api/v1/watch/namespaces/own/bindings', { metadata: { name: 'p' }, target: { name: 'n1' } }],
    ['POST', '/api/v1/watch/namespaces/own/configmaps', { metadata: { name: 'made' } }],
    ['DELETE', '/api/v1/watch/namespaces/own/pods/p', undefined],
    ['DELETE', '/api/v1/proxy/namespaces/own/pods/p', undefined],
    ['POST', '/apis/authentication.k8s.io/v1/watch/tokenreviews', { spec: { token: 'admin-token' } }],
  ])('changes and learns nothing by %s %s', async (method, path, body) => {
    const answer = await it.ask(path, { method, cert: reader, ...(body && { body }), ...(method === 'PATCH' && { headers: merge }) })
    expect([403, 404, 405], answer.text).toContain(answer.status)
  })

  test('gets into a pod by no WebSocket', async () => {
    const answer = await it.ask('/api/v1/namespaces/own/pods/p/exec?command=id', { cert: reader })
    expect(answer.status).not.toBe(101)
    expect((await it.admin('/apis/apps/v1/namespaces/own/deployments/d')).body).toMatchObject({ spec: { replicas: 1 } })
  })
})

test('who may watch one object by its name sees that one alone', async () => {
  const seen = await it.ask('/api/v1/watch/namespaces/own/secrets/shown?timeoutSeconds=1', { cert: narrow })
  expect(seen.status).toBe(200)
  const names = seen.text.trim().split('\n').map((line) => (JSON.parse(line) as { object: { metadata: { name: string } } }).object.metadata.name)
  expect(names).toEqual(['shown'])
  expect((await it.ask('/api/v1/watch/namespaces/own/secrets?timeoutSeconds=1', { cert: narrow })).status).toBe(403)
  expect((await it.ask('/api/v1/namespaces/own/secrets?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dhidden', { cert: narrow })).status).toBe(403)
})

test('names of every object are no names of fields, types or subresources', async () => {
  const at = '/api/v1/namespaces/own/pods/p'
  expect((await it.admin(`${at}/constructor`)).status).toBe(404)
  expect((await it.admin(`${at}/__proto__`, { method: 'PUT', body: {} })).status).toBe(404)
  expect((await it.admin('/api/v1/pods?fieldSelector=__proto__%3Da')).status).toBe(400)
  expect((await it.admin('/api/v1/pods?fieldSelector=toString%3Da')).status).toBe(400)
  expect((await it.admin(at, { method: 'PATCH', body: {}, headers: { 'content-type': 'constructor' } })).status).toBe(415)
  expect((await it.admin(at, { headers: { accept: 'constructor' } })).status).toBe(406)
  expect((await it.admin('/api/v1/namespaces/own/configmaps?fieldValidation=constructor', { body: { metadata: { name: 'c' } } })).status).toBe(422)
  for (const key of ['__proto__', 'constructor', 'tostring', 'hasownproperty']) {
    const answer = await it.admin('/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: {}, headers: { 'impersonate-user': 'eve', [`impersonate-extra-${key}`]: 'x' } })
    expect(answer.status, answer.text).toBe(201)
    expect(Object.entries((answer.body as { status: { userInfo: { extra: object } } }).status.userInfo.extra)).toEqual([[key, ['x']]])
  }
})

/** As `ask`, with the path as it stands: URL would resolve dots. */
async function raw(path: string, asking: Asking): Promise<Answer> {
  return path.includes('..') || path.includes('%2e') ? it.ask(path, { ...asking, rawPath: true }) : it.ask(path, asking)
}
