import { describe, expect, it } from 'vitest'
import { schemaOf } from '../schema/registry.ts'
import type { JsonObject, ObjectSchema } from '../schema/model.ts'
import { ApplyError, serverSideApply } from './apply.ts'
import { updateManagedFields } from './update.ts'

function kind(group: string, name: string): ObjectSchema {
  const schema = schemaOf({ group, version: 'v1', kind: name })
  if (!schema) throw new Error(`no schema of ${name}`)
  return schema
}
const deployment = kind('apps', 'Deployment')
const configMap = kind('', 'ConfigMap')
const service = kind('', 'Service')

interface Entry { manager: string; operation: string; subresource?: string; time?: string; fieldsV1: unknown }
const managersOf = (object: unknown): Entry[] => ((object as { metadata: { managedFields?: Entry[] } }).metadata.managedFields ?? [])
const owned = (object: unknown): Record<string, unknown> => Object.fromEntries(managersOf(object).map((m) => [`${m.manager} ${m.operation}${m.subresource ? ` ${m.subresource}` : ''}`, m.fieldsV1]))
const at = (seconds: number): string => `2026-01-01T00:00:0${seconds}Z`

function update(schema: ObjectSchema, live: unknown, newObject: object, manager = 'u', options: { subresource?: string; time?: string; resetFields?: string[][] } = {}): JsonObject {
  const apiVersion = schema.group === '' ? 'v1' : `${schema.group}/v1`
  return updateManagedFields({ schema, live, newObject: newObject as JsonObject, manager, apiVersion, subresource: '', time: at(0), ...options })
}

function apply(schema: ObjectSchema, live: unknown, applied: object, manager: string, options: { force?: boolean; subresource?: string; time?: string; resetFields?: string[][] } = {}): ReturnType<typeof serverSideApply> {
  const apiVersion = schema.group === '' ? 'v1' : `${schema.group}/v1`
  const full = { apiVersion, kind: schema.kind, ...applied }
  return serverSideApply({ schema, live, applied: full, manager, force: false, apiVersion, subresource: '', time: at(0), ...options })
}

const stored = (object: JsonObject): JsonObject => ({ ...object, metadata: { ...(object['metadata'] as JsonObject), uid: 'u1', resourceVersion: '1' } })
const meta = { name: 'd', namespace: 'n' }

describe('updateManagedFields', () => {
  it('gives a created object to its manager: structs by their fields, keyed lists by item, atomic values whole, system fields to nobody', () => {
    const spec = {
      replicas: 1, selector: { matchLabels: { app: 'x' } }, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
      template: { metadata: { labels: { app: 'x' } }, spec: {
        containers: [{ name: 'a', image: 'i', env: [{ name: 'X', value: '1' }], ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {}, args: ['x'] }],
        nodeSelector: { a: 'b' }, tolerations: [{ key: 'k' }], securityContext: {}, volumes: [{ name: 'v', emptyDir: {} }],
      } },
    }
    const created = update(deployment, undefined, { metadata: { ...meta, uid: 'x', creationTimestamp: at(0), finalizers: ['f/x'] }, spec })
    expect(managersOf(created)).toEqual([{
      manager: 'u', operation: 'Update', apiVersion: 'apps/v1', time: at(0), fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:finalizers': { '.': {}, 'v:"f/x"': {} } },
        'f:spec': {
          'f:replicas': {}, 'f:selector': {}, 'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': { 'k:{"name":"a"}': {
                '.': {}, 'f:args': {}, 'f:env': { '.': {}, 'k:{"name":"X"}': { '.': {}, 'f:name': {}, 'f:value': {} } }, 'f:image': {}, 'f:name': {},
                'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } }, 'f:resources': {},
              } },
              'f:nodeSelector': {}, 'f:securityContext': {}, 'f:tolerations': {}, 'f:volumes': { '.': {}, 'k:{"name":"v"}': { '.': {}, 'f:emptyDir': {}, 'f:name': {} } },
            },
          },
        },
      },
    }])
  })

  it('gives a list that is always written, and was sent empty, to who sent it', () => {
    const node = schemaOf({ group: 'storage.k8s.io', version: 'v1', kind: 'CSINode' })
    if (!node) throw new Error('CSINodes have a schema')
    const fields = (spec: object) => updateManagedFields({ schema: node, live: undefined, newObject: { metadata: { name: 'n' }, spec }, manager: 'm', apiVersion: 'storage.k8s.io/v1', subresource: '', time: '2026-01-01T00:00:00Z' } as never) as { metadata: { managedFields?: { fieldsV1: object }[] } }
    expect(fields({ drivers: [] }).metadata.managedFields?.[0]?.fieldsV1).toEqual({ 'f:spec': { 'f:drivers': {} } })
    expect(fields({}).metadata.managedFields).toBeUndefined()
  })

  it('takes items that cannot be told apart as one value', () => {
    const created = update(service, undefined, { metadata: meta, spec: { ports: [{ port: 80, protocol: 'TCP', name: 'a' }, { port: 80, protocol: 'TCP', name: 'b' }] } })
    expect(owned(created)).toEqual({ 'u Update': { 'f:spec': { 'f:ports': { '.': {}, 'k:{"port":80,"protocol":"TCP"}': {} } } } })
  })

  it('moves a changed field to who changed it, and drops a removed one from all', () => {
    const first = stored(update(configMap, undefined, { metadata: meta, data: { a: '1', b: '1', c: '1' } }, 'one'))
    const second = update(configMap, first, { ...first, data: { a: '2', b: '1', d: '1' } }, 'two', { time: at(5) })
    expect(owned(second)).toEqual({
      'one Update': { 'f:data': { '.': {}, 'f:b': {} } },
      'two Update': { 'f:data': { 'f:a': {}, 'f:d': {} } },
    })
    expect(managersOf(second).map((m) => m.time)).toEqual([at(0), at(5)])
  })

  it('leaves the time alone where nothing changed', () => {
    const first = stored(update(configMap, undefined, { metadata: meta, data: { a: '1' } }))
    expect(managersOf(update(configMap, first, first, 'u', { time: at(9) }))).toEqual(managersOf(first))
    expect(managersOf(update(configMap, first, { ...first, metadata: { ...(first['metadata'] as JsonObject), resourceVersion: '2', generation: 3 } }, 'other', { time: at(9) }))).toEqual(managersOf(first))
  })

  it('keeps a subresource apart, and ignores the fields that its strategy resets', () => {
    const first = stored(update(deployment, undefined, { metadata: meta, spec: { replicas: 1 } }, 'u', { resetFields: [['status']] }))
    const second = update(deployment, first, { ...first, spec: { replicas: 5 }, status: { replicas: 1 } }, 'u', { subresource: 'status', resetFields: [['spec']] })
    expect(owned(second)).toEqual({ 'u Update': { 'f:spec': { 'f:replicas': {} } }, 'u Update status': { 'f:status': { 'f:replicas': {} } } })
  })

  it('does not track an object again whose managers are gone', () => {
    const first = stored(update(configMap, undefined, { metadata: meta, data: { a: '1' } }))
    const emptied = stored(update(configMap, first, { metadata: first['metadata'] }, 'u'))
    expect(managersOf(emptied)).toEqual([])
    expect(managersOf(update(configMap, emptied, { ...emptied, data: { a: '1' } }))).toEqual([])
    const reset = update(configMap, first, { ...first, metadata: { ...meta, uid: 'u1', managedFields: [{}] }, data: { a: '2' } })
    expect(managersOf(reset)).toEqual([])
  })

  it('takes the managers a client sends, but not through a subresource and not unreadable ones', () => {
    const first = stored(update(configMap, undefined, { metadata: meta, data: { a: '1' } }, 'one'))
    const entries = [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:a': {} } } }]
    const withEntries = (managedFields: unknown): JsonObject => ({ ...first, metadata: { ...(first['metadata'] as JsonObject), managedFields } } as JsonObject)
    expect(owned(update(configMap, first, withEntries(entries)))).toEqual({ 'x Update': { 'f:data': { 'f:a': {} } } })
    expect(Object.keys(owned(update(configMap, first, withEntries(entries), 'u', { subresource: 'status' })))).toEqual(['one Update'])
    expect(Object.keys(owned(update(configMap, first, withEntries([{ manager: 'x', operation: 'Nope', apiVersion: 'v1' }]))))).toEqual(['one Update'])
    expect(Object.keys(owned(update(configMap, first, withEntries([]))))).toEqual(['one Update'])
  })

  it('puts the oldest of many updaters together', () => {
    let object = stored(update(configMap, undefined, { metadata: meta, data: { k0: '0' } }, 'm0', { time: '2026-01-01T00:00:00Z' }))
    for (let i = 1; i <= 12; i++) object = update(configMap, object, { ...object, data: { ...(object['data'] as JsonObject), [`k${i}`]: '1' } }, `m${i}`, { time: `2026-01-01T00:00:${10 + i}Z` })
    const names = managersOf(object).map((m) => m.manager)
    expect(names).toHaveLength(10)
    expect(names[0]).toBe('ancient-changes')
    expect(owned(object)['ancient-changes Update']).toEqual({ 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} } })
  })
})

describe('serverSideApply', () => {
  const container = (fields: object): object => ({ spec: { template: { spec: { containers: [fields] } } }, metadata: meta })

  it('owns what the configuration says: no dots for structs, a dot for each item, keys completed by their defaults', () => {
    const { object } = apply(deployment, undefined, container({ name: 'a', image: 'a:1', ports: [{ containerPort: 80 }], env: [{ name: 'E', value: '1' }] }), 'one')
    expect(owned(object)).toEqual({ 'one Apply': { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': {
      '.': {}, 'f:env': { 'k:{"name":"E"}': { '.': {}, 'f:name': {}, 'f:value': {} } }, 'f:image': {}, 'f:name': {},
      'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
    } } } } } } })
  })

  it('removes what its manager no longer applies, and keeps what others own', () => {
    const one = stored(apply(deployment, undefined, container({ name: 'a', image: 'a:1', env: [{ name: 'E', value: '1' }, { name: 'F', value: '1' }] }), 'one').object)
    const two = stored(apply(deployment, one, container({ name: 'a', env: [{ name: 'F', value: '1' }] }), 'two').object)
    const { object } = apply(deployment, two, container({ name: 'a', image: 'a:2' }), 'one')
    expect(object).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'a', image: 'a:2', env: [{ name: 'F', value: '1' }] }] } } } })
    expect((object['spec'] as { template: { spec: { containers: Array<{ env: unknown[] }> } } }).template.spec.containers[0]?.env).toHaveLength(1)
  })

  it('removes a whole item with what was defaulted into it', () => {
    const one = stored(apply(deployment, undefined, container({ name: 'a', image: 'a:1' }), 'one').object)
    const containers = (object: JsonObject): unknown[] => (object['spec'] as { template: { spec: { containers?: unknown[] } } }).template.spec.containers ?? []
    const two = stored(apply(deployment, one, container({ name: 'side', image: 's' }), 'two').object)
    const defaulted = structuredClone(two)
    ;(containers(defaulted)[1] as Record<string, unknown>)['imagePullPolicy'] = 'Always'
    expect(containers(apply(deployment, defaulted, { metadata: meta }, 'two').object)).toEqual([{ name: 'a', image: 'a:1', imagePullPolicy: 'IfNotPresent', resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' }])
  })

  it('answers a conflict in upstream words, and takes the field when forced', () => {
    const one = stored(apply(deployment, undefined, { metadata: meta, spec: { replicas: 1, paused: true } }, 'one').object)
    const alone = apply(deployment, one, { metadata: meta, spec: { replicas: 3 } }, 'two')
    expect(alone.conflicts).toEqual({
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' }],
    })
    const both = apply(deployment, one, { metadata: meta, spec: { replicas: 3, paused: false } }, 'two')
    expect(both.conflicts?.message).toBe('Apply failed with 2 conflicts: conflicts with "one":\n- .spec.paused\n- .spec.replicas')
    const forced = apply(deployment, one, { metadata: meta, spec: { replicas: 3 } }, 'two', { force: true })
    expect(forced.object).toMatchObject({ spec: { replicas: 3, paused: true } })
    expect(owned(forced.object)).toEqual({ 'one Apply': { 'f:spec': { 'f:paused': {} } }, 'two Apply': { 'f:spec': { 'f:replicas': {} } } })
  })

  it('names an updater and its version, and a subresource, in conflicts', () => {
    const first = stored(update(deployment, undefined, { metadata: meta, spec: { replicas: 1 } }, 'kubectl-edit'))
    expect(apply(deployment, first, { metadata: meta, spec: { replicas: 3 } }, 'two').conflicts?.message).toBe('Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas')
    const scaled = update(deployment, first, { ...first, spec: { replicas: 2 } }, 'scaler', { subresource: 'scale' })
    expect(apply(deployment, scaled, { metadata: meta, spec: { replicas: 3 } }, 'two').conflicts?.message).toBe('Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas')
  })

  it('shares a field with whoever applies the same value', () => {
    const one = stored(apply(configMap, undefined, { metadata: meta, data: { a: '1' } }, 'one').object)
    const two = apply(configMap, one, { metadata: meta, data: { a: '1' } }, 'two')
    expect(owned(two.object)).toEqual({ 'one Apply': { 'f:data': { 'f:a': {} } }, 'two Apply': { 'f:data': { 'f:a': {} } } })
    expect(apply(configMap, stored(two.object), { metadata: meta }, 'one').object).toMatchObject({ data: { a: '1' } })
  })

  it('changes nothing, not even a time, where the same values are written differently', () => {
    const written = container({ name: 'a', image: 'a:1', resources: { limits: { cpu: '0.1', memory: '1024Mi' } } })
    const live = stored(apply(deployment, undefined, written, 'one').object)
    expect(live).toMatchObject({ spec: { template: { spec: { containers: [{ resources: { limits: { cpu: '100m', memory: '1Gi' } } }] } } } })
    const again = apply(deployment, live, written, 'one', { time: at(9) }).object
    expect(managersOf(again)).toEqual(managersOf(live))
  })

  it('gives an untracked object to before-first-apply', () => {
    const untracked = { metadata: { ...meta, uid: 'u1' }, data: { a: '1' } }
    const { object } = apply(configMap, untracked, { metadata: meta, data: { b: '2' } }, 'one')
    expect(owned(object)).toEqual({ 'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {} } }, 'one Apply': { 'f:data': { 'f:b': {} } } })
  })

  it('lets kubectl take over from its client-side apply, and keeps the annotation up to date', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
    const last = { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: { a: '1', b: '1' } }
    const live = stored(update(configMap, undefined, { ...last, metadata: { ...meta, annotations: { [annotation]: JSON.stringify(last) } } }, 'kubectl-client-side-apply'))
    const taken = apply(configMap, live, { metadata: meta, data: { a: '2' } }, 'kubectl')
    expect(taken.conflicts).toBeUndefined()
    expect(taken.object).toMatchObject({ data: { a: '2', b: '1' }, metadata: { annotations: { [annotation]: '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"d","namespace":"n"}}\n' } } })
    expect(apply(configMap, live, { metadata: meta, data: { a: '2' } }, 'other').conflicts).toBeDefined()
    const changedSince = stored(update(configMap, live, { ...live, data: { a: '9', b: '1' } }, 'somebody'))
    expect(apply(configMap, changedSince, { metadata: meta, data: { a: '2' } }, 'kubectl').conflicts?.message).toContain('conflict with "somebody"')
  })

  it('keeps live items in place and puts new ones after, in the applied order', () => {
    const spec = (...names: string[]): object => ({ metadata: meta, spec: { template: { spec: { containers: names.map((name) => ({ name })) } } } })
    const names = (object: JsonObject): string[] => (object['spec'] as { template: { spec: { containers: Array<{ name: string }> } } }).template.spec.containers.map((c) => c.name)
    const live = stored(apply(deployment, undefined, spec('a', 'b', 'c'), 'one').object)
    expect(names(apply(deployment, live, spec('d', 'b'), 'two').object)).toEqual(['a', 'd', 'b', 'c'])
    expect(names(apply(deployment, live, spec('c', 'a'), 'two').object)).toEqual(['b', 'c', 'a'])
  })

  it.each<[string, object, number, string]>([
    ['items that cannot be told apart', { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } } }, 500, 'failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]'],
    ['an unknown field', { spec: { nope: 1 } }, 500, 'failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema'],
    ['a wrong type', { spec: { replicas: '3' } }, 500, 'failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got *value.valueUnstructured'],
    ['managers of its own', { metadata: { ...meta, managedFields: [] } }, 400, 'metadata.managedFields must be nil'],
  ])('refuses %s', (_, fields, code, message) => {
    const attempt = (): unknown => apply(deployment, undefined, { metadata: meta, ...fields }, 'one')
    expect(attempt).toThrow(ApplyError)
    expect(attempt).toThrow(expect.objectContaining({ code, message }))
  })
})
