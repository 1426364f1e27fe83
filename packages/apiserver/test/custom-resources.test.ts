import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kubectlMissing, startKubectl, type Kubectl } from './support/kubectl.ts'

const definition = (over: object = {}, version: object = {}): string => JSON.stringify({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.fleet.example.com' },
  spec: {
    group: 'fleet.example.com', scope: 'Namespaced', names: { plural: 'boats', singular: 'boat', kind: 'Boat', shortNames: ['bt'], categories: ['all'] },
    versions: [{
      name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.crew', statusReplicasPath: '.status.crew' } },
      additionalPrinterColumns: [{ name: 'Length', type: 'integer', jsonPath: '.spec.length' }, { name: 'Rig', type: 'string', jsonPath: '.spec.rig' }], selectableFields: [{ jsonPath: '.spec.rig' }],
      schema: { openAPIV3Schema: { type: 'object', properties: {
        spec: {
          type: 'object', required: ['length'], 'x-kubernetes-validations': [{ rule: "!has(oldSelf.length) || self.length >= oldSelf.length", message: 'a boat does not shrink' }],
          properties: {
            length: { type: 'integer', minimum: 1, description: 'How long the boat is, in metres.' }, rig: { type: 'string', enum: ['sloop', 'ketch'], default: 'sloop' }, crew: { type: 'integer' },
            masts: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'], items: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, height: { 'x-kubernetes-int-or-string': true } } } },
          },
        },
        status: { type: 'object', properties: { crew: { type: 'integer' }, afloat: { type: 'boolean' } } },
      } } }, ...version,
    }, ...((over as { versions?: object[] }).versions ?? [])],
  },
})
const boat = (name: string, spec: object, apiVersion = 'fleet.example.com/v1'): string => JSON.stringify({ apiVersion, kind: 'Boat', metadata: { name, namespace: 'default' }, spec })

describe.skipIf(kubectlMissing)('custom resources', () => {
  let kubectl: Kubectl
  beforeAll(async () => {
    kubectl = await startKubectl()
    await kubectl.ok(['create', '-f', '-'], definition())
    await kubectl.ok(['wait', '--for=condition=Established', 'crd/boats.fleet.example.com', '--timeout=10s'])
  }, 60_000)
  afterAll(() => kubectl.stop())

  test('is in discovery with its short name, and explained from its schema', async () => {
    expect(await kubectl.ok(['api-resources', '--api-group=fleet.example.com', '--no-headers'])).toMatch(/^boats\s+bt\s+fleet\.example\.com\/v1\s+true\s+Boat/)
    expect(await kubectl.ok(['explain', 'boats.spec.length'])).toContain('How long the boat is, in metres.')
    expect(await kubectl.ok(['explain', 'boats.metadata.labels'])).toContain('FIELD: labels <map[string]string>')
    const v2 = JSON.parse(await kubectl.ok(['get', '--raw', '/openapi/v2'])) as { definitions: Record<string, unknown> }
    expect(v2.definitions['com.example.fleet.v1.Boat']).toMatchObject({ properties: { spec: { required: ['length'] } } })
  })
  test('gets its defaults, shows its columns, and is found by its selectable fields', async () => {
    await kubectl.ok(['create', '-f', '-'], boat('a', { length: 10 }))
    await kubectl.ok(['create', '-f', '-'], boat('b', { length: 12, rig: 'ketch' }))
    expect(await kubectl.ok(['get', 'bt'])).toMatch(/^NAME\s+LENGTH\s+RIG\na\s+10\s+sloop\nb\s+12\s+ketch\n$/)
    expect(await kubectl.ok(['get', 'boats', '--field-selector=spec.rig=ketch', '-o', 'name'])).toBe('boat.fleet.example.com/b\n')
  })
  const unchecked = '\n* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation\n'
  test.each([
    ['a value below its minimum', { length: 0 }, 'The Boat "x" is invalid: spec.length: Invalid value: 0: spec.length in body should be greater than or equal to 1'],
    ['a wrong type', { length: 'long' }, `The Boat "x" is invalid: \n* spec.length: Invalid value: "string": spec.length in body must be of type integer: "string"${unchecked}`],
    ['a missing field', {}, `The Boat "x" is invalid: \n* spec.length: Required value${unchecked}`],
    ['a value that is not listed', { length: 1, rig: 'raft' }, `The Boat "x" is invalid: \n* spec.rig: Unsupported value: "raft": supported values: "sloop", "ketch"${unchecked}`],
    ['a key twice', { length: 1, masts: [{ id: 'm' }, { id: 'm' }] }, 'The Boat "x" is invalid: spec.masts[1]: Duplicate value: {"id":"m"}'],
    ['an unknown field', { length: 1, sails: 3 }, 'unknown field "spec.sails"'],
  ])('refuses %s', async (_, spec, message) => {
    expect(await kubectl.fails(['create', '-f', '-'], boat('x', spec))).toContain(message)
  })
  test('a rule in CEL sees what was before', async () => {
    expect(await kubectl.fails(['patch', 'boat', 'a', '--type=merge', '-p', '{"spec":{"length":5}}'])).toContain('spec: Invalid value: "object": a boat does not shrink')
    await kubectl.ok(['patch', 'boat', 'a', '--type=merge', '-p', '{"spec":{"length":11}}'])
  })
  test('status is its subresource\'s, scale goes by the paths that were given, and the generation counts spec alone', async () => {
    await kubectl.ok(['patch', 'boat', 'a', '--subresource=status', '--type=merge', '-p', '{"status":{"crew":2,"afloat":true},"spec":{"length":99}}'])
    await kubectl.ok(['patch', 'boat', 'a', '--type=merge', '-p', '{"status":{"crew":9}}'])
    await kubectl.ok(['scale', 'boat/a', '--replicas=7'])
    expect(JSON.parse(await kubectl.ok(['get', 'boat', 'a', '-o', 'json']))).toMatchObject({ metadata: { generation: 3 }, spec: { length: 11, crew: 7 }, status: { crew: 2, afloat: true } })
  })
  test('apply merges lists by their keys, and a strategic merge patch is refused', async () => {
    const masts = (id: string, height: string): string => boat('s', { length: 20, masts: [{ id, height }] })
    await kubectl.ok(['apply', '--server-side', '--field-manager=one', '-f', '-'], masts('main', '20m'))
    await kubectl.ok(['apply', '--server-side', '--field-manager=two', '-f', '-'], masts('mizzen', '9m'))
    expect(await kubectl.ok(['get', 'boat', 's', '-o', 'jsonpath={.spec.masts[*].id}'])).toBe('main mizzen')
    expect(await kubectl.fails(['patch', 'boat', 's', '--type=strategic', '-p', '{"spec":{"length":21}}'])).toMatch(/application\/merge-patch\+json|unsupported|unknown format/i)
  })
  test('another version serves the same objects, and a watch sees them', async () => {
    await kubectl.ok(['apply', '-f', '-'], definition({ versions: [{ name: 'v1beta1', served: true, storage: false, deprecated: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }] }))
    await expect.poll(async () => kubectl.ok(['get', '--raw', '/apis/fleet.example.com']), { timeout: 5000 }).toContain('v1beta1')
    expect(JSON.parse(await kubectl.ok(['get', '--raw', '/apis/fleet.example.com/v1beta1/namespaces/default/boats/b']))).toMatchObject({ apiVersion: 'fleet.example.com/v1beta1', spec: { length: 12 } })
    expect(JSON.parse(await kubectl.ok(['get', '--raw', '/apis/fleet.example.com'])).preferredVersion.version).toBe('v1')
  })
  test('a definition whose names are taken is not established and says so', async () => {
    const other = JSON.parse(definition()) as { metadata: { name: string }; spec: { names: object } }
    other.metadata.name = 'barges.fleet.example.com'
    other.spec.names = { plural: 'barges', singular: 'barge', kind: 'Boat' }
    await kubectl.ok(['create', '-f', '-'], JSON.stringify(other))
    await kubectl.ok(['wait', '--for=condition=NamesAccepted=false', 'crd/barges.fleet.example.com', '--timeout=10s'])
    expect(await kubectl.ok(['get', 'crd', 'barges.fleet.example.com', '-o', 'jsonpath={.status.conditions[?(@.type=="NamesAccepted")].reason}'])).toBe('KindConflict')
    await kubectl.ok(['delete', 'crd', 'barges.fleet.example.com'])
  })
  test('objects and definitions are there after a restart, before the first request', async () => {
    await kubectl.restart()
    expect(await kubectl.ok(['get', 'boats', '-o', 'name'])).toBe('boat.fleet.example.com/a\nboat.fleet.example.com/b\nboat.fleet.example.com/s\n')
  }, 30_000)
  test('deleting the definition deletes its objects first, and then nothing of it is served', async () => {
    await kubectl.ok(['patch', 'boat', 'a', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}'])
    await kubectl.ok(['delete', 'crd', 'boats.fleet.example.com', '--wait=false'])
    await expect.poll(() => kubectl.ok(['get', 'boats', '-o', 'name']), { timeout: 10_000 }).toBe('boat.fleet.example.com/a\n')
    await kubectl.ok(['patch', 'boat', 'a', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'])
    await kubectl.ok(['wait', '--for=delete', 'crd/boats.fleet.example.com', '--timeout=15s'])
    expect(await kubectl.fails(['get', '--raw', '/apis/fleet.example.com/v1'])).toContain('could not find the requested resource')
  }, 40_000)
})
