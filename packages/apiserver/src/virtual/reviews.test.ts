import { expect, test } from 'vitest'
import { rbac } from '@berth/api'
import { createAuthorization } from '../authorization/index.ts'
import type { ApiObject, UserInfo, VirtualResource } from '../interfaces.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { accessReviews } from './access-reviews.ts'
import { selfSubjectReview, selfSubjectRulesReview } from './self-reviews.ts'

const bob: UserInfo = { name: 'bob', uid: '2', groups: ['dev', 'system:authenticated'], extra: { k: ['v'] } }

async function server(modes = ['Node', 'RBAC']) {
  const store = new MemoryStore()
  const authorization = createAuthorization(modes, store)
  await store.create(rbac.clusterroles, { metadata: { name: 'reader' }, rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }, { verbs: ['get'], nonResourceURLs: ['/metrics'] }] })
  await store.create(rbac.clusterrolebindings, { metadata: { name: 'devs' }, roleRef: { kind: 'ClusterRole', name: 'reader' }, subjects: [{ kind: 'Group', name: 'dev' }] })
  const handlers: VirtualResource[] = [...accessReviews(authorization.authorizer), selfSubjectReview, selfSubjectRulesReview(authorization.index, modes)]
  const ask = async (kind: string, spec: unknown, { namespace = '', user = bob, metadata = {} } = {}): Promise<unknown> => {
    const handler = handlers.find((h) => h.resource.kind === kind)
    try {
      const answer = await handler?.create({ metadata: { name: '', ...metadata }, spec } as ApiObject, { namespace, name: '', parent: undefined, user, dryRun: false, warn: () => {} })
      return answer?.['status']
    } catch (error) {
      return (error as Error).message
    }
  }
  return { ask }
}

const pods = (verb: string, namespace = ''): object => ({ resourceAttributes: { verb, resource: 'pods', ...(namespace && { namespace }) } })

test('an access review answers for the user it names, a self review for who asks', async () => {
  const { ask } = await server()
  const allowed = { allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "devs" of ClusterRole "reader" to Group "dev"' }
  expect(await ask('SubjectAccessReview', { user: 'eve', groups: ['dev'], ...pods('list') })).toEqual(allowed)
  expect(await ask('SubjectAccessReview', { user: 'eve', ...pods('list') })).toEqual({ allowed: false })
  expect(await ask('SubjectAccessReview', { groups: ['dev'], nonResourceAttributes: { verb: 'get', path: '/metrics' } })).toEqual(allowed)
  expect(await ask('LocalSubjectAccessReview', { user: 'eve', groups: ['dev'], ...pods('get', 'a') }, { namespace: 'a' })).toEqual(allowed)
  expect(await ask('SelfSubjectAccessReview', pods('list'))).toEqual(allowed)
  expect(await ask('SelfSubjectAccessReview', pods('delete'))).toEqual({ allowed: false })
})

test('a node is judged by its field selector', async () => {
  const { ask } = await server()
  const node = { user: 'system:node:n1', groups: ['system:nodes'] }
  const listing = (fieldSelector?: object): object => ({ ...node, resourceAttributes: { verb: 'list', resource: 'pods', ...(fieldSelector && { fieldSelector }) } })
  expect(await ask('SubjectAccessReview', listing({ requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] }))).toEqual({ allowed: true })
  expect(await ask('SubjectAccessReview', listing({ rawSelector: 'spec.nodeName=n1' }))).toEqual({ allowed: true })
  expect(await ask('SubjectAccessReview', listing())).toEqual({ allowed: false, reason: 'can only list/watch pods with spec.nodeName field selector' })
})

test.each<[string, unknown, object, string]>([
  ['SubjectAccessReview', { user: 'a' }, {}, '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified'],
  ['SubjectAccessReview', { ...pods('get') }, {}, '.authorization.k8s.io "" is invalid: spec.user: Invalid value: "": at least one of user or group must be specified'],
  ['SelfSubjectAccessReview', { ...pods('get'), nonResourceAttributes: { path: '/x', verb: 'get' } }, {}, 'cannot be specified in combination with resourceAttributes'],
  ['SelfSubjectAccessReview', pods('get'), { metadata: { name: 'x' } }, 'must be empty'],
  ['LocalSubjectAccessReview', { user: 'a', ...pods('get', 'other') }, { namespace: 'p' }, '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace'],
  ['SelfSubjectRulesReview', {}, {}, 'no namespace on request'],
])('a %s that makes no sense is refused: %j', async (kind, spec, context, message) => {
  const { ask } = await server()
  expect(await ask(kind, spec, context)).toContain(message)
})

test('who asks for himself is told his name and his rules', async () => {
  const { ask } = await server()
  expect(await ask('SelfSubjectReview', undefined)).toEqual({ userInfo: { username: 'bob', uid: '2', groups: ['dev', 'system:authenticated'], extra: { k: ['v'] } } })
  expect(await ask('SelfSubjectRulesReview', { namespace: 'a' })).toEqual({
    resourceRules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }], nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }], incomplete: false,
  })
  expect(await ask('SelfSubjectRulesReview', { namespace: 'a' }, { user: { name: 'system:node:n1', groups: ['system:nodes'], uid: '', extra: {} } })).toEqual({
    resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: 'node authorizer does not support user rule resolution',
  })
})
