import { beforeEach, describe, expect, test } from 'vitest'
import { admissionregistration, apps, core } from '@berth/api'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '@berth/api/types/admissionregistration/v1'
import type { AdmissionAttributes, AdmissionPlugin, ApiObject, Authorizer } from '../../interfaces.ts'
import { admissionChain } from '../../registry/admission-chain.ts'
import { MemoryStore } from '../../test-support/memory-store.ts'
import { mutatingAdmissionPolicy } from './mutating-admission-policy.ts'

const authorizer: Authorizer = { authorize: ({ user, verb }) => ({ decision: user.name === 'alice' && verb === 'delete' ? 'allow' : 'noOpinion', reason: '' }) }
const rule = { apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE' as const, 'UPDATE' as const], resources: ['*'] }
type Spec = NonNullable<MutatingAdmissionPolicy['spec']>
type BindingSpec = NonNullable<MutatingAdmissionPolicyBinding['spec']>

const apply = (expression: string): Spec['mutations'] => [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }]
const patch = (expression: string): Spec['mutations'] => [{ patchType: 'JSONPatch', jsonPatch: { expression } }]
const deployment = (): ApiObject => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'a:1', env: [{ name: 'X', value: '1' }] }] } } },
})
const warnings: string[] = []
const request = (object = deployment(), over: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
  operation: 'CREATE', resource: apps.deployments, subresource: '', kind: { group: 'apps', version: 'v1', kind: 'Deployment' }, namespace: 'shop', name: 'web', object, oldObject: undefined, options: {},
  user: { name: 'alice', groups: ['system:authenticated'] }, dryRun: false, warn: (text) => warnings.push(text), ...over,
})

let store: MemoryStore
beforeEach(async () => {
  store = new MemoryStore()
  await store.create(core.namespaces, { metadata: { name: 'shop', labels: { team: 'a' } }, spec: {} })
})

async function policy(name: string, spec: Partial<Spec>, binding: Partial<BindingSpec> = {}): Promise<void> {
  await store.create(admissionregistration.mutatingadmissionpolicies, { metadata: { name }, spec: { matchConstraints: { resourceRules: [rule] }, failurePolicy: 'Fail', reinvocationPolicy: 'Never', ...spec } } as MutatingAdmissionPolicy)
  await store.create(admissionregistration.mutatingadmissionpolicybindings, { metadata: { name: `${name}-binding` }, spec: { policyName: name, ...binding } } as MutatingAdmissionPolicyBinding)
}

async function mutate(attributes = request(), others: AdmissionPlugin[] = []): Promise<ApiObject | undefined> {
  await admissionChain([mutatingAdmissionPolicy(store, authorizer), ...others]).mutate(attributes)
  return attributes.object
}

describe('mutations', () => {
  test.each<[string, Partial<Spec>, object]>([
    ['a configuration is merged into the object', { mutations: apply('Object{metadata: Object.metadata{labels: {"team": "a"}}, spec: Object.spec{replicas: object.spec.replicas + 2}}') },
      { metadata: { labels: { app: 'web', team: 'a' } }, spec: { replicas: 3 } }],
    ['lists are merged by their keys', { mutations: apply('Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, env: [Object.spec.template.spec.containers.env{name: "Y", value: "2"}]})}}}}') },
      { spec: { template: { spec: { containers: [{ name: 'main', image: 'a:1', env: [{ name: 'X', value: '1' }, { name: 'Y', value: '2' }] }] } } } }],
    ['a sidecar is put in', { mutations: apply('Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{initContainers: [Object.spec.template.spec.initContainers{name: "mesh", image: "mesh:1", restartPolicy: "Always"}]}}}}') },
      { spec: { template: { spec: { initContainers: [{ name: 'mesh', image: 'mesh:1', restartPolicy: 'Always' }], containers: [{ name: 'main' }] } } } }],
    ['a JSON patch is applied', { mutations: patch('[JSONPatch{op: "replace", path: "/spec/replicas", value: 5}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/x"), value: "y"}]') },
      { spec: { replicas: 5 }, metadata: { labels: { app: 'web', 'example.com/x': 'y' } } }],
    ['a test that fails leaves the object as it is', { mutations: patch('[JSONPatch{op: "test", path: "/spec/replicas", value: 7}, JSONPatch{op: "replace", path: "/spec/replicas", value: 5}]') }, { spec: { replicas: 1 } }],
    ['a patch may make objects', { mutations: patch('[JSONPatch{op: "add", path: "/spec/template/spec/securityContext", value: Object.spec.template.spec.securityContext{runAsNonRoot: true}}]') }, { spec: { template: { spec: { securityContext: { runAsNonRoot: true } } } } }],
    ['mutations follow each other', { mutations: [...apply('Object{spec: Object.spec{replicas: 2}}') ?? [], ...patch('[JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas * 10}]') ?? []] }, { spec: { replicas: 20 } }],
    ['variables are computed once and in their order', { variables: [{ name: 'n', expression: 'object.spec.replicas' }, { name: 'm', expression: 'variables.n + 1' }], mutations: apply('Object{spec: Object.spec{replicas: variables.m}}') }, { spec: { replicas: 2 } }],
    ['conditions leave requests out', { matchConditions: [{ name: 'c', expression: "request.operation == 'UPDATE'" }], mutations: apply('Object{spec: Object.spec{replicas: 2}}') }, { spec: { replicas: 1 } }],
    ['the namespace, the user and his rights can be asked for', { mutations: apply("Object{metadata: Object.metadata{annotations: {'team': namespaceObject.metadata.labels.team, 'by': request.userInfo.username, 'may': string(authorizer.group('').resource('pods').check('delete').allowed())}}}") },
      { metadata: { annotations: { team: 'a', by: 'alice', may: 'true' } } }],
    ['what fails may be ignored', { failurePolicy: 'Ignore', mutations: apply('Object{spec: Object.spec{replicas: object.spec.nope}}') }, { spec: { replicas: 1 } }],
  ])('%s', async (_, spec, expected) => {
    await policy('p', spec)
    expect(await mutate()).toMatchObject(expected)
  })

  test('nothing is done where nothing binds the policy, on deletes, and to the policies themselves', async () => {
    await policy('p', { mutations: apply('Object{spec: Object.spec{replicas: 2}}') }, { policyName: 'other' })
    expect((await mutate())?.['spec']).toMatchObject({ replicas: 1 })
    await policy('q', { mutations: apply('Object{metadata: Object.metadata{labels: {"a": "b"}}}') })
    expect(mutatingAdmissionPolicy(store, authorizer).handles('DELETE')).toBe(false)
    const own = request({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicy', metadata: { name: 'x' } }, { resource: admissionregistration.mutatingadmissionpolicies, kind: { group: 'admissionregistration.k8s.io', version: 'v1', kind: 'MutatingAdmissionPolicy' } })
    expect((await mutate(own))?.metadata.labels).toBeUndefined()
  })
})

describe('failures refuse the request, in upstream\'s words:', () => {
  const denied = (message: string): object => ({ code: 403, reason: 'Invalid', message: `policy 'p' with binding 'p-binding' denied request: ${message}` })
  test.each<[string, Partial<Spec>, object]>([
    ['an expression that fails', { mutations: apply('Object{spec: Object.spec{replicas: object.spec.nope}}') }, denied("expression 'Object{spec: Object.spec{replicas: object.spec.nope}}' resulted in error: no such key: nope")],
    ['a part of another name', { mutations: apply('Object{spec: Object.specs{replicas: 1}}') }, denied('type mismatch: unexpected type name "Object.specs", expected "Object.spec", which matches field name path from root Object type')],
    ['a field that is not declared', { mutations: apply('Object{spec: Object.spec{replica: 1}}') }, denied('error applying patch: failed to convert patch object to typed object: .spec.replica: field not declared in schema')],
    ['an atomic map', { mutations: apply('Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}}') }, denied('error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector')],
    ['a patch that does not fit', { mutations: patch('[JSONPatch{op: "remove", path: "/spec/nope"}]') }, denied('JSON Patch: doc is missing key: /spec/nope')],
    ['a condition that fails', { matchConditions: [{ name: 'c', expression: 'object.nope == 1' }], mutations: apply('Object{}') }, denied("expression 'object.nope == 1' resulted in error: no such key: nope")],
    ['an unknown field that a patch adds, whatever is said of failures', { failurePolicy: 'Ignore', mutations: patch('[JSONPatch{op: "add", path: "/spec/nope", value: 1}]') },
      { code: 500, message: 'Internal error occurred: strict decoding error: unknown field "spec.nope"' }],
    ['parameters of a kind that nobody serves', { paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' }, mutations: apply('Object{}') },
      { code: 403, reason: 'Forbidden', message: "policy \"p\" denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'" }],
  ])('%s', async (_, spec, expected) => {
    await policy('p', spec)
    await expect(mutate()).rejects.toMatchObject(expected)
  })
})

describe('parameters', () => {
  const spec = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, mutations: apply('Object{metadata: Object.metadata{annotations: {params.metadata.name: params.data.value}}}') }
  const parameter = (name: string, labels = {}) => store.create(core.configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', labels }, data: { value: `of ${name}` } })

  test('a policy runs once for each that a binding names or selects', async () => {
    await parameter('one', { use: 'yes' })
    await parameter('two', { use: 'yes' })
    await parameter('three')
    await policy('p', spec, { paramRef: { selector: { matchLabels: { use: 'yes' } }, parameterNotFoundAction: 'Deny' } })
    expect((await mutate())?.metadata.annotations).toEqual({ one: 'of one', two: 'of two' })
    await policy('q', spec, { paramRef: { name: 'three', parameterNotFoundAction: 'Deny' } })
    expect((await mutate())?.metadata.annotations).toEqual({ one: 'of one', two: 'of two', three: 'of three' })
  })

  test('what is not found is denied or allowed, as the binding says', async () => {
    await policy('p', spec, { paramRef: { name: 'gone', parameterNotFoundAction: 'Allow' } })
    expect((await mutate())?.metadata.annotations).toBeUndefined()
    await policy('q', spec, { paramRef: { name: 'gone', parameterNotFoundAction: 'Deny' } })
    await expect(mutate()).rejects.toMatchObject({ message: "policy 'q' with binding 'q-binding' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction" })
  })
})

describe('the second round', () => {
  const count = patch('[JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas + 1}]')
  const note = (annotation: string, value: string) => apply(`Object{metadata: Object.metadata{annotations: {"${annotation}": ${value}}}}`)

  test('a policy that never wants it runs once', async () => {
    await policy('p', { mutations: count })
    expect((await mutate())?.['spec']).toMatchObject({ replicas: 2 })
  })

  test('one that wants it sees what came after its turn', async () => {
    await policy('a', { reinvocationPolicy: 'IfNeeded', mutations: note('seen', 'string(object.spec.replicas)') })
    await policy('b', { mutations: count })
    expect(await mutate()).toMatchObject({ metadata: { annotations: { seen: '2' } }, spec: { replicas: 2 } })
  })

  test('plugins that are built in see the object again', async () => {
    const rounds: unknown[] = []
    const builtIn: AdmissionPlugin = { name: 'BuiltIn', handles: () => true, admit: ({ object }) => { rounds.push((object?.['spec'] as { replicas: number } | undefined)?.replicas) } }
    await mutate(request(), [builtIn])
    expect(rounds).toEqual([1])
    await policy('p', { mutations: count })
    await mutate(request(), [builtIn])
    expect(rounds).toEqual([1, 2, 2])
  })

  test('what a plugin changed after the policies makes those run again that want it', async () => {
    await policy('p', { reinvocationPolicy: 'IfNeeded', mutations: note('seen', 'string(object.spec.replicas)') })
    const late: AdmissionPlugin = { name: 'Late', handles: () => true, admit: ({ object }) => { Object.assign(object?.['spec'] ?? {}, { replicas: 9 }) } }
    expect(await mutate(request(), [late])).toMatchObject({ metadata: { annotations: { seen: '9' } } })
  })
})
