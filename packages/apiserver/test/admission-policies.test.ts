import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { start, type Send } from './support/harness.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
const boats = '/apis/fleet.example.com/v1/namespaces/default/boats'
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.fleet.example.com' },
  spec: {
    group: 'fleet.example.com', scope: 'Namespaced', names: { plural: 'boats', singular: 'boat', kind: 'Boat' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: {
      length: { type: 'integer', default: 7 }, port: { type: 'string', maxLength: 10 }, crew: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, rank: { type: 'string' } } } },
    } } } } } }],
  },
}
const rule = (apiGroup: string, resource: string) => ({ apiGroups: [apiGroup], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: [resource] })

describe('admission policies', () => {
  let running: Awaited<ReturnType<typeof start>>
  let send: Send
  const made = async (path: string, body: object): Promise<void> => {
    const { status, text } = await send('POST', path, body)
    if (status !== 201) throw new Error(text)
  }
  beforeAll(async () => {
    running = await start()
    send = running.send
    await made('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
    await vi.waitUntil(async () => (await send('GET', boats)).status === 200, { timeout: 10_000 })
  })
  afterAll(() => running.stop())

  async function mutating(name: string, constraints: object, mutations: object[], spec: object = {}, binding: object = {}): Promise<void> {
    await made(`${group}/mutatingadmissionpolicies`, { metadata: { name }, spec: { matchConstraints: { resourceRules: [constraints] }, reinvocationPolicy: 'IfNeeded', failurePolicy: 'Fail', mutations, ...spec } })
    await made(`${group}/mutatingadmissionpolicybindings`, { metadata: { name }, spec: { policyName: name, ...binding } })
  }
  const apply = (expression: string): object => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })

  test('a mutating policy completes custom resources by their schema', async () => {
    await mutating('boats', rule('fleet.example.com', 'boats'), [apply('Object{spec: Object.spec{port: "Kiel", crew: [Object.spec.crew{name: "cook"}]}}')])
    const { status, body } = await send('POST', boats, { apiVersion: 'fleet.example.com/v1', kind: 'Boat', metadata: { name: 'a' }, spec: { crew: [{ name: 'ann', rank: 'captain' }] } })
    expect({ status, spec: body['spec'] }).toEqual({ status: 201, spec: { length: 7, port: 'Kiel', crew: [{ name: 'ann', rank: 'captain' }, { name: 'cook' }] } })
    expect(await send('PATCH', `${boats}/a`, { spec: { port: 'Rostock' } }, { 'content-type': 'application/merge-patch+json' })).toMatchObject({ status: 200, body: { spec: { port: 'Kiel' } } })
  })

  test('what it makes is validated', async () => {
    await mutating('far', rule('fleet.example.com', 'boats'), [apply('Object{spec: Object.spec{port: "Wilhelmshaven"}}')], { matchConditions: [{ name: 'far', expression: 'object.metadata.name == "far"' }] })
    expect(await send('POST', boats, { apiVersion: 'fleet.example.com/v1', kind: 'Boat', metadata: { name: 'far' }, spec: {} })).toMatchObject({ status: 422, body: { message: expect.stringContaining('spec.port: Too long: may not be more than 10') } })
  })

  test('a sidecar that it puts into a pod gets what plugins give to every container', async () => {
    await made('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    await mutating('mesh', rule('', 'pods'), [apply('Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: "mesh", image: "mesh:1", restartPolicy: "Always"}]}}')])
    const { status, body } = await send('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'a' }] } })
    expect(status).toBe(201)
    expect(body['spec']?.['initContainers']?.[0]).toMatchObject({ name: 'mesh', imagePullPolicy: 'IfNotPresent', volumeMounts: [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] })
  })

  test('the scale of a workload is changed as a scale', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'main', image: 'a' }] } }
    await made('/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } })
    await mutating('scale', rule('apps', 'deployments/scale'), [{ patchType: 'JSONPatch', jsonPatch: { expression: 'object.spec.replicas > 5 ? [JSONPatch{op: "replace", path: "/spec/replicas", value: 5}] : [JSONPatch{op: "test", path: "/spec/replicas", value: object.spec.replicas}]' } }])
    const scale = '/apis/apps/v1/namespaces/default/deployments/d/scale'
    expect(await send('PATCH', scale, { spec: { replicas: 50 } }, { 'content-type': 'application/merge-patch+json' })).toMatchObject({ status: 200, body: { kind: 'Scale', spec: { replicas: 5 } } })
    expect(await send('GET', '/apis/apps/v1/namespaces/default/deployments/d')).toMatchObject({ body: { spec: { replicas: 5 } } })
  })

  test('a dry run shows what would be, and parameters are custom resources', async () => {
    await mutating('params', rule('', 'configmaps'), [apply('Object{metadata: Object.metadata{labels: {"port": params.spec.port}}}')],
      { paramKind: { apiVersion: 'fleet.example.com/v1', kind: 'Boat' } }, { paramRef: { name: 'a', namespace: 'default', parameterNotFoundAction: 'Deny' } })
    expect(await send('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', { metadata: { name: 'c' } })).toMatchObject({ status: 201, body: { metadata: { labels: { port: 'Kiel' } } } })
    expect((await send('GET', '/api/v1/namespaces/default/configmaps/c')).status).toBe(404)
  })

  test('a validating policy sees what the mutating ones made, and warns or denies', async () => {
    await made(`${group}/validatingadmissionpolicies`, { metadata: { name: 'v' }, spec: { matchConstraints: { resourceRules: [rule('fleet.example.com', 'boats')] }, validations: [{ expression: 'object.spec.port != "Kiel"', messageExpression: '"not in " + object.spec.port', reason: 'Forbidden' }] } })
    await made(`${group}/validatingadmissionpolicybindings`, { metadata: { name: 'v' }, spec: { policyName: 'v', validationActions: ['Warn'] } })
    const create = (name: string) => send('POST', boats, { apiVersion: 'fleet.example.com/v1', kind: 'Boat', metadata: { name }, spec: {} })
    const warned = await create('w')
    expect(warned).toMatchObject({ status: 201, headers: { warning: '299 - "Validation failed for ValidatingAdmissionPolicy \'v\' with binding \'v\': not in Kiel"' } })
    expect((await send('PATCH', `${group}/validatingadmissionpolicybindings/v`, { spec: { validationActions: ['Deny'] } }, { 'content-type': 'application/merge-patch+json' })).status).toBe(200)
    expect(await create('x')).toMatchObject({ status: 403, body: { reason: 'Forbidden', message: 'boats.fleet.example.com "x" is forbidden: ValidatingAdmissionPolicy \'v\' with binding \'v\' denied request: not in Kiel' } })
  })
})
