// Every path and verb as each identity: 403 where RBAC's objects give no right, as a small oracle of its own reads them; never 403 where they do;
// nothing told of what is there and what is not. Then what a node may reach, and what nobody may grant, be or approve.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCertificateRequest } from '@berth/kube'
import { startTestServer, type TestServer } from './support/server.ts'

interface Rule { verbs?: string[], apiGroups?: string[], resources?: string[], resourceNames?: string[], nonResourceURLs?: string[] }
interface Subject { kind: string, name: string, namespace?: string }
interface Bound { metadata: { name: string, namespace?: string }, rules?: Rule[], roleRef: { kind: string, name: string }, subjects?: Subject[] }
interface User { name: string, groups: string[] }
interface Asked { verb: string, group: string, resource: string, namespace: string, name: string }
interface Listed { name: string, namespaced: boolean, verbs: string[] }

let it: TestServer
let lists: { clusterRoles: Bound[], roles: Bound[], bindings: Bound[] }
/** Every group version with its resources, subresources among them. */
const served: { prefix: string, group: string, resources: Listed[] }[] = []

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const authenticated = (name: string, ...groups: string[]): User => ({ name, groups: [...groups, 'system:authenticated'] })
const identities: User[] = [
  { name: 'system:anonymous', groups: ['system:unauthenticated'] }, authenticated('nobody'), authenticated('system:serviceaccount:own:robot', 'system:serviceaccounts', 'system:serviceaccounts:own'),
  authenticated('viewer'), authenticated('editor'), authenticated('administrator'), authenticated('everything'), authenticated('system:kube-scheduler'), authenticated('system:kube-controller-manager'), authenticated('system:kube-proxy'),
]

const make = async (path: string, body: object): Promise<void> => {
  const answer = await it.admin(path, { body })
  if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`)
}
const items = async (path: string): Promise<Bound[]> => ((await it.admin(path)).body as { items: Bound[] }).items

beforeAll(async () => {
  it = await startTestServer()
  for (const name of ['own', 'other']) {
    await make('/api/v1/namespaces', { metadata: { name } })
    await make(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } })
    await make(`/api/v1/namespaces/${name}/secrets`, { metadata: { name: 'there' }, stringData: { a: 'hidden' } })
  }
  const bind = (name: string, role: string, where: string): Promise<void> => make(`${rbac}${where}`, { metadata: { name: `${name}-${role}` }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }] })
  // What view, edit and admin are made of: no controller runs here that would put it into them.
  for (const user of ['viewer', 'editor', 'administrator']) await bind(user, 'system:aggregate-to-view', '/namespaces/own/rolebindings')
  for (const user of ['editor', 'administrator']) await bind(user, 'system:aggregate-to-edit', '/namespaces/own/rolebindings')
  await bind('administrator', 'system:aggregate-to-admin', '/namespaces/own/rolebindings')
  await bind('everything', 'cluster-admin', '/clusterrolebindings')
  lists = {
    clusterRoles: await items(`${rbac}/clusterroles`), roles: await items(`${rbac}/roles`),
    bindings: [...await items(`${rbac}/clusterrolebindings`), ...await items(`${rbac}/rolebindings`)],
  }
  const groups = ((await it.admin('/apis')).body as { groups: { name: string, versions: { groupVersion: string }[] }[] }).groups
  for (const prefix of ['/api/v1', ...groups.flatMap((g) => g.versions.map((v) => `/apis/${v.groupVersion}`))]) {
    served.push({ prefix, group: prefix === '/api/v1' ? '' : prefix.split('/')[2] ?? '', resources: ((await it.admin(prefix)).body as { resources: Listed[] }).resources })
  }
}, 60_000)
afterAll(() => it.stop())

const isSubject = (user: User, binding: Bound): boolean => (binding.subjects ?? []).some(({ kind, name, namespace }) =>
  (kind === 'User' && name === user.name) || (kind === 'Group' && user.groups.includes(name)) || (kind === 'ServiceAccount' && user.name === `system:serviceaccount:${namespace}:${name}`))
const rulesOf = (user: User, namespace: string): Rule[] => lists.bindings.filter((b) => isSubject(user, b) && (b.metadata.namespace === undefined || b.metadata.namespace === namespace)).flatMap((b) =>
  (b.roleRef.kind === 'ClusterRole' ? lists.clusterRoles : lists.roles).find((r) => r.metadata.name === b.roleRef.name && (b.roleRef.kind === 'ClusterRole' || r.metadata.namespace === b.metadata.namespace))?.rules ?? [])
const holds = (list: string[] | undefined, ...wanted: string[]): boolean => list?.some((each) => each === '*' || wanted.includes(each)) ?? false

/** Whether RBAC's objects allow it. */
function allowed(user: User, { verb, group, resource, namespace, name }: Asked): boolean {
  const subresource = resource.split('/')[1]
  return rulesOf(user, namespace).some((rule) => holds(rule.verbs, verb) && holds(rule.apiGroups, group) && holds(rule.resources, resource, ...(subresource === undefined ? [] : [`*/${subresource}`]))
    && (!rule.resourceNames?.length || rule.resourceNames.includes(name)))
}

const refusal = (user: User, { verb, group, resource, namespace, name }: Asked): string => {
  const [parent = ''] = resource.split('/')
  const what = group === '' ? parent : `${parent}.${group}`
  return `${what}${name === '' ? '' : ` "${name}"`} is forbidden: User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`}`
}

/** Asks within the process: authentication is done, all else is as from outside. Streams are left at once. */
async function ask(user: User, method: string, path: string, body?: string): Promise<{ status: number, text: string }> {
  const stop = new AbortController()
  const response = await it.server.handler({ method, path, user, signal: stop.signal, headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }) }, ...(body !== undefined && { body }) })
  const streaming = path.includes('watch') && response.status === 200
  let text = ''
  if (!streaming) for await (const chunk of response.body) text += Buffer.from(chunk).toString()
  stop.abort()
  return { status: response.status, text }
}

const verbs = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const
type Method = keyof typeof verbs
const methods = Object.keys(verbs) as Method[]

/** The requests for one resource or subresource, with what each is authorized as. */
function* requestsOf(prefix: string, group: string, { name, namespaced }: Listed): Generator<{ method: Method, path: string, asked: Asked }> {
  const [resource = '', subresource] = name.split('/')
  for (const namespace of namespaced ? ['own', 'other'] : ['']) {
    const base = `${prefix}${namespace === '' ? '' : `/namespaces/${namespace}`}/${resource}`
    for (const method of methods) {
      // A request for a namespace is one within it.
      const named = { group, resource: name, namespace: resource === 'namespaces' ? 'nothing' : namespace, name: 'nothing' }
      yield { method, path: `${base}/nothing${subresource === undefined ? '' : `/${subresource}`}`, asked: { ...named, verb: verbs[method] } }
      if (subresource !== undefined) continue
      const verb = method === 'GET' ? 'list' : method === 'DELETE' ? 'deletecollection' : verbs[method]
      yield { method, path: base, asked: { group, resource, namespace, name: '', verb } }
    }
    if (subresource === undefined) yield { method: 'GET', path: `${base}?watch=true`, asked: { group, resource, namespace, name: '', verb: 'watch' } }
  }
  if (namespaced && subresource === undefined) {
    yield { method: 'GET', path: `${prefix}/${resource}`, asked: { group, resource, namespace: '', name: '', verb: 'list' } }
    yield { method: 'GET', path: `${prefix}/watch/${resource}`, asked: { group, resource, namespace: '', name: '', verb: 'watch' } }
  }
}

describe.each(identities)('$name', (user) => {
  test('is refused exactly what the roles bound to it do not give', async () => {
    let refused = 0
    let given = 0
    for (const { prefix, group, resources } of served) {
      for (const resource of resources) {
        for (const { method, path, asked } of requestsOf(prefix, group, resource)) {
          const body = method === 'GET' ? undefined : method === 'DELETE' ? '' : '{}'
          const answer = await ask(user, method, `${path}${path.includes('?') ? '&' : '?'}dryRun=All`, body)
          const at = `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`
          expect(answer.status, at).not.toBe(401)
          if (allowed(user, asked)) {
            given++
            // What admission or escalation refuses is worded otherwise.
            expect(answer.text, at).not.toContain(`cannot ${asked.verb} resource`)
          } else {
            refused++
            expect(answer.status, at).toBe(403)
            expect((JSON.parse(answer.text) as { message: string }).message, at).toBe(refusal(user, asked))
          }
        }
      }
    }
    expect(refused + given).toBeGreaterThan(1000)
    expect(refused > 0).toBe(user.name !== 'everything')
  })

  test('is refused paths that are no resources likewise', async () => {
    const paths = ['/', '/healthz', '/livez/ping', '/readyz', '/version', '/version/', '/api', '/apis', '/apis/apps', '/apis/apps/v1', '/openapi/v2', '/openapi/v3', '/openapi/v3/apis/apps/v1', '/metrics', '/debug/pprof', '/logs', '/openid/v1/jwks', '/.well-known/openid-configuration', '/nothing', '/apis/none.example.com/v1', '//metrics', '/metrics/../healthz']
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await ask(user, method, path)
        const may = rulesOf(user, '').some((rule) => holds(rule.verbs, method.toLowerCase()) && (rule.nonResourceURLs ?? []).some((url) => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))))
        if (may) expect([200, 301, 404, 405], `${method} ${path}`).toContain(answer.status)
        else expect([answer.status, (JSON.parse(answer.text) as { message: string }).message], `${method} ${path}`).toEqual([403, `forbidden: User "${user.name}" cannot ${method.toLowerCase()} path "${path}"`])
      }
    }
  })

  test('learns by no refusal what is there', async () => {
    const answers = async (name: string): Promise<string[]> => {
      const out: string[] = []
      for (const path of [`/api/v1/namespaces/other/secrets/${name}`, `/api/v1/namespaces/${name === 'there' ? 'other' : 'nowhere'}/secrets`, `/api/v1/namespaces/other/pods/${name}/log`, `${rbac}/clusterroles/${name === 'there' ? 'cluster-admin' : 'nothing'}`]) {
        for (const method of methods) {
          const answer = await ask(user, method, `${path}?dryRun=All`, method === 'GET' ? undefined : '{}')
          if (answer.status === 403 && answer.text.includes(' cannot ')) out.push(answer.text.replaceAll(/there|nothing|cluster-admin|nowhere|other/g, 'X'))
        }
      }
      return out
    }
    expect(await answers('there')).toEqual(await answers('nothing'))
  })
})

test('wrong credentials are 401 on every path, and say no more', async () => {
  for (const path of ['/', '/healthz', '/version', '/api/v1/pods', '/api/v1/namespaces/own/secrets/there', '/apis/none/v1/x', '/metrics', '/openapi/v2', '/nothing']) {
    for (const token of ['wrong', 'a.b.c', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"system:serviceaccount:own:default","iss":"https://kubernetes.default.svc.cluster.local"}').toString('base64url')}.`]) {
      const answer = await it.ask(path, { token })
      expect([path, answer.status, answer.body]).toEqual([path, 401, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 }])
    }
  }
})

describe('a node', () => {
  const node: User = authenticated('system:node:n1', 'system:nodes')
  beforeAll(async () => {
    for (const name of ['n1', 'n2']) await make('/api/v1/nodes', { metadata: { name } })
    for (const name of ['s1', 's2']) await make('/api/v1/namespaces/own/secrets', { metadata: { name } })
    for (const name of ['a1', 'a2']) await make('/api/v1/namespaces/own/serviceaccounts', { metadata: { name } })
    for (const n of ['1', '2']) {
      await make('/api/v1/namespaces/own/pods', { metadata: { name: `p${n}` }, spec: { nodeName: `n${n}`, serviceAccountName: `a${n}`, containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 's', secret: { secretName: `s${n}` } }] } })
      await make('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', { metadata: { name: `n${n}` } })
    }
  })

  test.each<[Method, string, string | undefined, number, string]>([
    ['GET', '/api/v1/nodes/n1', undefined, 200, ''],
    ['GET', '/api/v1/nodes/n2', undefined, 403, "node 'n1' cannot read 'n2', only its own Node object"],
    ['GET', '/api/v1/nodes', undefined, 403, "node 'n1' cannot read all nodes, only its own Node object"],
    ['GET', '/api/v1/namespaces/own/secrets/s1', undefined, 200, ''],
    ['GET', '/api/v1/namespaces/own/secrets/s2', undefined, 403, "no relationship found between node 'n1' and this object"],
    ['GET', '/api/v1/namespaces/own/secrets', undefined, 403, 'No Object name found'],
    ['GET', '/api/v1/secrets', undefined, 403, 'can only read namespaced object of this type'],
    ['GET', '/api/v1/watch/namespaces/own/secrets/s2', undefined, 403, 'no relationship found'],
    ['GET', '/api/v1/namespaces/own/secrets?fieldSelector=metadata.name%3Ds1', undefined, 200, ''],
    ['GET', '/api/v1/namespaces/own/secrets?fieldSelector=metadata.name%3Ds2', undefined, 403, 'no relationship found'],
    ['GET', '/api/v1/namespaces/own/secrets?fieldSelector=metadata.name!%3Ds2', undefined, 403, 'No Object name found'],
    ['PUT', '/api/v1/namespaces/own/secrets/s1', '{"metadata":{"name":"s1"}}', 403, 'can only read resources of this type'],
    ['GET', '/api/v1/namespaces/own/pods/p1', undefined, 200, ''],
    ['GET', '/api/v1/namespaces/own/pods/p2', undefined, 403, 'no relationship found'],
    ['GET', '/api/v1/pods', undefined, 403, 'can only list/watch pods with spec.nodeName field selector'],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1', undefined, 200, ''],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn2', undefined, 403, 'can only list/watch pods with spec.nodeName field selector'],
    ['PATCH', '/api/v1/namespaces/own/pods/p1/status', '{"status":{"phase":"Running"}}', 200, ''],
    ['PATCH', '/api/v1/namespaces/own/pods/p2/status', '{"status":{"phase":"Running"}}', 403, 'can only update pod status for pods with spec.nodeName set to itself'],
    ['PATCH', '/api/v1/namespaces/own/pods/p1', '{"metadata":{"labels":{"a":"b"}}}', 403, 'cannot patch resource'],
    ['DELETE', '/api/v1/namespaces/own/pods/p2', '', 403, 'can only delete pods with spec.nodeName set to itself'],
    ['POST', '/api/v1/namespaces/own/pods/p2/eviction', '{"metadata":{"name":"p2"}}', 403, 'can only evict pods with spec.nodeName set to itself'],
    ['GET', '/api/v1/namespaces/own/pods/p1/exec', undefined, 403, 'cannot get resource "pods/exec"'],
    ['POST', '/api/v1/namespaces/own/pods', '{"metadata":{"name":"x"},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i"}]}}', 403, 'can only create mirror pods'],
    ['PATCH', '/api/v1/nodes/n2/status', '{"status":{}}', 403, 'is not allowed to modify node "n2"'],
    ['PATCH', '/api/v1/nodes/n1', '{"metadata":{"labels":{"node-restriction.kubernetes.io/a":"b"}}}', 403, 'is not allowed to modify labels'],
    ['PATCH', '/api/v1/nodes/n1', '{"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}}', 403, 'is not allowed to modify taints'],
    ['DELETE', '/api/v1/nodes/n1', '', 403, 'cannot delete resource "nodes"'],
    ['POST', '/api/v1/namespaces/own/serviceaccounts/a2/token', '{"spec":{}}', 403, 'no relationship found'],
    ['POST', '/api/v1/namespaces/own/serviceaccounts/a1/token', '{"spec":{}}', 403, 'node requested token not bound to a pod'],
    ['PATCH', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1', '{"spec":{"holderIdentity":"n1"}}', 200, ''],
    ['PATCH', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2', '{"spec":{"holderIdentity":"n1"}}', 403, 'can only access node lease with the same name as the requesting node'],
    ['GET', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x', undefined, 403, 'can only access leases in the "kube-node-lease" system namespace'],
    ['POST', `${rbac}/clusterroles`, '{}', 403, 'cannot create resource "clusterroles"'],
  ])('%s %s %s is answered with %i %s', async (method, path, body, status, says) => {
    const answer = await ask(node, method, `${path}${path.includes('?') ? '&' : '?'}dryRun=All`, body)
    expect(answer.status, answer.text).toBe(status)
    expect(answer.text).toContain(JSON.stringify(says).slice(1, -1))
  })
})

describe('nobody', () => {
  const everything = '{"metadata":{"name":"x"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}'
  const binding = (role: string): string => JSON.stringify({ metadata: { name: 'x' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'administrator' }] })
  test.each<[Method, string, string, number, string]>([
    ['POST', `${rbac}/namespaces/own/roles`, everything, 403, 'is attempting to grant RBAC permissions not currently held'],
    ['POST', `${rbac}/namespaces/own/rolebindings`, binding('cluster-admin'), 403, 'is attempting to grant RBAC permissions not currently held'],
    ['POST', `${rbac}/namespaces/own/rolebindings`, binding('system:node'), 403, 'is attempting to grant RBAC permissions not currently held'],
    ['POST', `${rbac}/namespaces/own/rolebindings`, binding('system:aggregate-to-edit'), 201, ''],
    ['POST', `${rbac}/namespaces/own/rolebindings`, binding('there-is-none'), 404, 'not found'],
  ])('grants what he does not hold: %s %s %s is %i', async (method, path, body, status, says) => {
    const answer = await ask(authenticated('administrator'), method, `${path}?dryRun=All`, body)
    expect(answer.status, answer.text).toBe(status)
    expect(answer.text).toContain(says)
  })

  test('becomes somebody else without the right to be', async () => {
    const cert = await it.certificateFor('bob')
    const as = async (headers: Record<string, string>): Promise<[number, string]> => {
      const answer = await it.ask('/api/v1/namespaces/own/pods', { cert, headers })
      return [answer.status, (answer.body as { message: string }).message]
    }
    expect(await as({ 'impersonate-user': 'admin' })).toEqual([403, 'users "admin" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope'])
    expect(await as({ 'impersonate-user': 'system:serviceaccount:own:robot' })).toEqual([403, 'serviceaccounts "robot" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "own"'])
    await make(`${rbac}/clusterroles`, { metadata: { name: 'impersonator' }, rules: [{ apiGroups: [''], resources: ['users'], resourceNames: ['eve'], verbs: ['impersonate'] }] })
    await make(`${rbac}/clusterrolebindings`, { metadata: { name: 'impersonator' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'impersonator' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }] })
    const eve = { 'impersonate-user': 'eve' }
    expect((await as(eve))[1]).toContain('User "eve" cannot list resource "pods"')
    expect((await as({ ...eve, 'impersonate-group': 'system:masters' }))[1]).toBe('groups "system:masters" is forbidden: User "bob" cannot impersonate resource "groups" in API group "" at the cluster scope')
    expect((await as({ ...eve, 'impersonate-uid': '1' }))[1]).toContain('cannot impersonate resource "uids" in API group "authentication.k8s.io"')
    expect((await as({ ...eve, 'impersonate-extra-scopes': 'all' }))[1]).toContain('cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io"')
    expect((await as({ 'impersonate-group': 'system:masters' }))[0]).toBe(400)
  })

  test('creates by a patch or an update with the right to those alone', async () => {
    const user = authenticated('patcher')
    await make(`${rbac}/namespaces/own/roles`, { metadata: { name: 'patcher' }, rules: [{ apiGroups: ['', 'coordination.k8s.io'], resources: ['configmaps', 'leases'], verbs: ['get', 'patch', 'update'] }] })
    await make(`${rbac}/namespaces/own/rolebindings`, { metadata: { name: 'patcher' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'patcher' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'patcher' }] })
    const response = await it.server.handler({ method: 'PATCH', path: '/api/v1/namespaces/own/configmaps/new?fieldManager=f', user, headers: { 'content-type': 'application/apply-patch+yaml' }, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"}}' })
    expect(response.status).toBe(403)
    const put = await ask(user, 'PUT', '/apis/coordination.k8s.io/v1/namespaces/own/leases/new', '{"metadata":{"name":"new"}}')
    expect([put.status, put.text]).toEqual([403, expect.stringContaining('cannot create resource \\"leases\\"')])
  })

  test('approves a request for a signer that is not his', async () => {
    const user = authenticated('approver')
    await make(`${rbac}/clusterroles`, { metadata: { name: 'approver' }, rules: [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'], verbs: ['*'] }] })
    await make(`${rbac}/clusterrolebindings`, { metadata: { name: 'approver' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'approver' }] })
    const { request } = await createCertificateRequest({ commonName: 'x' })
    await make('/apis/certificates.k8s.io/v1/certificatesigningrequests', { metadata: { name: 'c' }, spec: { request: Buffer.from(request).toString('base64'), signerName: 'example.com/s', usages: ['client auth'] } })
    const patch = (subresource: string, status: object): Promise<{ status: number, text: string }> => ask(user, 'PATCH', `/apis/certificates.k8s.io/v1/certificatesigningrequests/c/${subresource}`, JSON.stringify({ status }))
    const approval = await patch('approval', { conditions: [{ type: 'Approved', status: 'True', reason: 'r', message: 'm' }] })
    expect([approval.status, approval.text]).toEqual([403, expect.stringContaining('user not permitted to approve requests with signerName \\"example.com/s\\"')])
    const signing = await patch('status', { certificate: Buffer.from(it.server.certificates.servingCa).toString('base64') })
    expect([signing.status, signing.text]).toEqual([403, expect.stringContaining('user not permitted to sign requests with signerName \\"example.com/s\\"')])
  })
})
