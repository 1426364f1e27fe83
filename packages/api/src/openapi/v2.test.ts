import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import * as groups from '../resources.ts'
import type { ResourceInfo } from '../resource.ts'
import { apiVersionOf } from '../resource.ts'
import { convertSchema, openApiV2 } from './v2.ts'

type Node = Record<string, unknown>
interface Document { paths: Record<string, Node>, definitions: Record<string, Node>, parameters: Record<string, Node> }
const all: ResourceInfo[] = Object.values(groups).flatMap((group) => Object.values(group) as ResourceInfo[])
const served = openApiV2(Map.groupBy(all, apiVersionOf)) as unknown as Document

/** The document without descriptions, which are there only after a build, and without what the names of shared parameters end in: a hash that covers them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([k, v]) => !(k === 'description' && typeof v === 'string'))
    .map(([k, v]) => [k, k === '$ref' && String(v).startsWith('#/parameters/') ? String(v).slice(0, -9) : plain(v)]))
}

describe('convertSchema', () => {
  it.each([
    ['a reference', { $ref: '#/components/schemas/a.B' }, { $ref: '#/definitions/a.B' }],
    ['a reference with neighbours', { allOf: [{ $ref: '#/components/schemas/a.B' }], default: {}, 'x-kubernetes-map-type': 'atomic' }, { $ref: '#/definitions/a.B', 'x-kubernetes-map-type': 'atomic' }],
    ['defaults, but not fields of that name', { type: 'object', properties: { default: { type: 'string', default: '' } } }, { type: 'object', properties: { default: { type: 'string' } } }],
    ['lists and maps', { type: 'array', items: { type: 'object', additionalProperties: { type: 'string', default: '' } } }, { type: 'array', items: { type: 'object', additionalProperties: { type: 'string' } } }],
    ['alternatives', { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }, { format: 'int-or-string', type: 'string' }],
  ])('turns %s into the form of v2', (_, from, to) => expect(convertSchema(from)).toEqual(to))
})

describe('openApiV2', () => {
  it('states fields, their list types and merge keys', () => {
    expect(plain(served.definitions['io.k8s.api.core.v1.ContainerPort'])).toEqual({
      type: 'object', required: ['containerPort'],
      properties: {
        name: { type: 'string' }, hostPort: { type: 'integer', format: 'int32' }, containerPort: { type: 'integer', format: 'int32' },
        protocol: { type: 'string', enum: ['SCTP', 'TCP', 'UDP'] }, hostIP: { type: 'string' },
      },
    })
    const podSpec = served.definitions['io.k8s.api.core.v1.PodSpec'] as { properties: Node }
    expect(plain(podSpec.properties['containers'])).toEqual({
      type: 'array', items: { $ref: '#/definitions/io.k8s.api.core.v1.Container' },
      'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-patch-merge-key': 'name', 'x-kubernetes-patch-strategy': 'merge',
    })
  })

  it('states an operation with its body, what it takes and gives, and fieldValidation in place, where kubectl looks for it', () => {
    const inQuery = (name: string): Node => ({ in: 'query', name, type: 'string', uniqueItems: true })
    const schema = { $ref: '#/definitions/io.k8s.api.core.v1.Namespace' }
    expect(plain(served.paths['/api/v1/namespaces/{name}']?.['patch'])).toEqual({
      consumes: ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'],
      operationId: 'patchCoreV1Namespace',
      parameters: [{ $ref: '#/parameters/body' }, inQuery('dryRun'), { $ref: '#/parameters/fieldManager' }, inQuery('fieldValidation'), { $ref: '#/parameters/force' }],
      produces: ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
      responses: { 200: { schema }, 201: { schema }, 401: {} }, schemes: ['https'], tags: ['core_v1'],
      'x-kubernetes-action': 'patch', 'x-kubernetes-group-version-kind': { group: '', kind: 'Namespace', version: 'v1' },
    })
  })

  it('names every group of the kinds that all groups have', () => {
    const of = openApiV2([['apps/v1', all.filter((r) => r.group === 'apps')], ['v1', all.filter((r) => r.group === '')]]) as unknown as Document
    expect(of.definitions['io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions']?.['x-kubernetes-group-version-kind']).toEqual(
      [{ group: '', kind: 'DeleteOptions', version: 'v1' }, { group: 'apps', kind: 'DeleteOptions', version: 'v1' }])
  })

  it('refers to nothing that is missing', () => {
    for (const [, place, name] of JSON.stringify(served).matchAll(/"#\/(definitions|parameters)\/([^"]+)"/g)) expect(served).toHaveProperty([place ?? '', name ?? ''])
    expect(JSON.stringify(served)).not.toContain('#/components/')
  })
})

const facts = process.env.BERTH_FACTS
const stock = facts === undefined ? '' : path.join(facts, 'openapi-v2.json')
describe.skipIf(!fs.existsSync(stock))(`against a stock server's document (${facts === undefined ? 'skipped: BERTH_FACTS names no folder' : 'facts'})`, () => {
  const want = (): Document => JSON.parse(fs.readFileSync(stock, 'utf8')) as Document
  // Kinds that are not served, and whose generated schema differs: values of enumerations, a type's name, a mark of a list of bytes.
  const notServed = /\.(CertificateSigningRequestSpec|HTTPIngressPath|DeviceSubRequest|ExactDeviceRequest|CustomResourceSubresources|CustomResourceSubresourceStatus|APIServiceSpec)$/
  const kinds = 'x-kubernetes-group-version-kind'

  it('has the same definitions', () => {
    const { definitions } = want()
    // The generated schema has no values of this enumeration.
    delete (definitions['io.k8s.api.discovery.v1.EndpointSlice'] as { properties: { addressType: Node } }).properties.addressType['enum']
    const got = plain(served.definitions) as Record<string, Node>
    for (const [name, schema] of Object.entries(got)) {
      if (notServed.test(name)) continue
      const other = definitions[name] ?? {}
      // Not derived: nothing reads it.
      delete other['x-kubernetes-unions']
      for (const s of [schema, other]) if (Array.isArray(s['required'])) s['required'].sort()
      // Upstream names groups here, too, that serve nothing.
      if (/\.(DeleteOptions|WatchEvent)$/.test(name)) {
        expect(other[kinds]).toEqual(expect.arrayContaining(schema[kinds] as Node[]))
        other[kinds] = schema[kinds]
      }
      expect(schema, name).toEqual(other)
    }
  })

  it('has the same operations', () => {
    const { paths } = want()
    for (const [at, item] of Object.entries(plain(served.paths) as Record<string, Node>)) expect(item, at).toEqual(plain(paths[at]))
  })
})
