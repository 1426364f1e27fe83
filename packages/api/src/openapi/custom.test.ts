import { describe, expect, it } from 'vitest'
import { schemaForV2 } from './custom.ts'
import { openApiV2, openApiV3 } from './index.ts'
import type { DescribedResource } from './index.ts'
import type { JsonObject } from '../schema/model.ts'

const schema: JsonObject = {
  type: 'object', description: 'A boat.',
  properties: { spec: { type: 'object', required: ['crew'], properties: { crew: { type: 'integer' }, port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } } } },
}
const boats: DescribedResource = {
  group: 'fleet.example.com', version: 'v1', resource: 'boats', singular: 'boat', kind: 'Boat', namespaced: true, shortNames: [], categories: [], verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [{ name: 'status', group: '', version: '', kind: 'Boat', verbs: ['get', 'patch', 'update'] }, { name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] }], schema,
}
interface Document { paths: Record<string, Record<string, { requestBody?: { content: object } }>>, components: { schemas: Record<string, { properties: Record<string, { properties?: object }> }> } }

describe('documents of custom resources', () => {
  const v3 = openApiV3('fleet.example.com/v1', [boats]) as unknown as Document
  const base = '/apis/fleet.example.com/v1/namespaces/{namespace}/boats'

  it('have their schema with what every object has', () => {
    expect(v3.components.schemas['com.example.fleet.v1.Boat']).toMatchObject({
      description: 'A boat.', 'x-kubernetes-group-version-kind': [{ group: 'fleet.example.com', kind: 'Boat', version: 'v1' }],
      properties: {
        apiVersion: { type: 'string' }, metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
        spec: { required: ['crew'], properties: { template: { required: ['kind', 'apiVersion'], properties: { metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] } } } } },
      },
    })
    expect(v3.components.schemas['com.example.fleet.v1.BoatList']).toMatchObject({ required: ['items'], properties: { items: { items: { $ref: '#/components/schemas/com.example.fleet.v1.Boat' } } } })
    expect(v3.components.schemas).toHaveProperty(['io.k8s.api.autoscaling.v1.Scale'])
  })

  it('have their paths, without the old watches, protobuf and strategic merge patches', () => {
    expect(Object.keys(v3.paths).sort()).toEqual(['/apis/fleet.example.com/v1/', '/apis/fleet.example.com/v1/boats', base, `${base}/{name}`, `${base}/{name}/scale`, `${base}/{name}/status`])
    expect(Object.keys(v3.paths[`${base}/{name}`]?.['patch']?.requestBody?.content ?? {})).toEqual(['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'])
    expect(JSON.stringify(v3.paths[base])).not.toContain('protobuf')
  })

  it('are in the v2 document, where one may ask for them', () => {
    const v2 = openApiV2([['fleet.example.com/v1', [boats]]]) as { definitions: Record<string, unknown>, paths: object }
    expect(v2.definitions['com.example.fleet.v1.Boat']).toMatchObject({ properties: { metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }, spec: { properties: { port: { 'x-kubernetes-int-or-string': true } } } } })
    expect(JSON.stringify(v2.definitions['com.example.fleet.v1.Boat'])).not.toContain('anyOf')
    expect(v2.paths).toHaveProperty([`${base}/{name}`])
  })

  it('say nothing of a kind whose schema says nothing', () => {
    const document = openApiV3('fleet.example.com/v1', [{ ...boats, schema: {} }]) as unknown as Document
    expect(document.components.schemas['com.example.fleet.v1.Boat']).toEqual({ type: 'object', 'x-kubernetes-group-version-kind': [{ group: 'fleet.example.com', kind: 'Boat', version: 'v1' }] })
  })
})

describe('a schema for v2', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['has no alternatives', { type: 'object', oneOf: [{ required: ['a'] }], not: {}, properties: { a: { type: 'string', allOf: [{ pattern: 'x' }] } } }, { type: 'object', properties: { a: { type: 'string' } } }],
    ['has no type where a value may be null, and does not require it', { type: 'object', required: ['a', 'b'], properties: { a: { type: 'object', nullable: true, properties: { x: { type: 'string' } } }, b: { type: 'string' } } },
      { type: 'object', required: ['b'], properties: { a: {}, b: { type: 'string' } } }],
    ['has no type where anything may be', { type: 'object', properties: { a: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { x: { type: 'string' } } } } }, { type: 'object', properties: { a: { 'x-kubernetes-preserve-unknown-fields': true } } }],
    ['is empty where anything may be at its root', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } }, {}],
    ['keeps items and additional properties', { type: 'object', additionalProperties: { type: 'array', items: { type: 'string', anyOf: [{}] } } }, { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } }],
  ])('%s', (_, given, expected) => {
    expect(schemaForV2(given)).toEqual(expected)
  })
})
