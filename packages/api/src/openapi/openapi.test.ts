import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import * as groups from '../resources.ts'
import type { ResourceInfo } from '../resource.ts'
import { apiVersionOf } from '../resource.ts'
import { openApiV3, openApiV3Path } from './document.ts'

interface Node { [key: string]: Node | undefined; parameters?: Array<{ name: string }> & Node; operationId?: string & Node; required?: string[] & Node }
const all: ResourceInfo[] = Object.values(groups).flatMap((group) => Object.values(group) as ResourceInfo[])
const document = (groupVersion: string): { paths: Record<string, Node>; components: { schemas: Record<string, Node> } } =>
  openApiV3(groupVersion, byGroupVersion(all).get(groupVersion) ?? []) as never

function byGroupVersion(resources: readonly ResourceInfo[]): Map<string, ResourceInfo[]> {
  return Map.groupBy(resources, apiVersionOf)
}

/** The document without descriptions, which are there only after a build. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([k, v]) => !(k === 'description' && typeof v === 'string')).map(([k, v]) => [k, plain(v)]))
}

describe('openApiV3', () => {
  it('states fields, their list types, merge keys and defaults', () => {
    const { schemas } = document('v1').components
    expect(plain(schemas['io.k8s.api.core.v1.ContainerPort'])).toEqual({
      type: 'object', required: ['containerPort'],
      properties: {
        name: { type: 'string' }, hostPort: { type: 'integer', format: 'int32' }, containerPort: { type: 'integer', format: 'int32', default: 0 },
        protocol: { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' }, hostIP: { type: 'string' },
      },
    })
    expect(plain(schemas['io.k8s.api.core.v1.PodSpec']?.['properties']?.['containers'])).toEqual({
      type: 'array', items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} },
      'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-patch-merge-key': 'name', 'x-kubernetes-patch-strategy': 'merge',
    })
    expect(schemas['io.k8s.api.core.v1.Pod']?.['x-kubernetes-group-version-kind']).toEqual([{ group: '', kind: 'Pod', version: 'v1' }])
  })

  it('tells kubectl that patches take fieldValidation and dryRun', () => {
    const patch = document('apps/v1').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch']
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', kind: 'Deployment', version: 'v1' })
    expect(patch?.parameters?.map((p) => p.name)).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'force'])
  })

  it('lists only what is served', () => {
    const pods = all.filter((r) => r.group === '' && r.resource === 'pods').map((r) => ({ ...r, subresources: r.subresources.filter((s) => s.name === 'status') }))
    const { paths } = openApiV3('v1', pods) as { paths: Record<string, unknown> }
    expect(Object.keys(paths).filter((p) => !p.includes('/watch/'))).toEqual(['/api/v1/', '/api/v1/namespaces/{namespace}/pods', '/api/v1/namespaces/{namespace}/pods/{name}', '/api/v1/namespaces/{namespace}/pods/{name}/status', '/api/v1/pods'])
  })

  it('leads to no component that is missing', () => {
    for (const groupVersion of byGroupVersion(all).keys()) {
      const { paths, components } = document(groupVersion)
      const text = JSON.stringify({ paths, components })
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(components.schemas).toHaveProperty([name ?? ''])
    }
  })

  it('names the paths under which documents are served', () => {
    expect([openApiV3Path('v1'), openApiV3Path('apps/v1')]).toEqual(['api/v1', 'apis/apps/v1'])
  })
})

const facts = process.env.BERTH_FACTS
const v3 = facts === undefined ? '' : path.join(facts, 'openapi-v3-apps-v1.json')
describe.skipIf(!fs.existsSync(v3))(`against a stock server's documents (${facts === undefined ? 'skipped: BERTH_FACTS names no folder' : 'facts'})`, () => {
  it('is the same for apps/v1', () => {
    const want = JSON.parse(fs.readFileSync(v3, 'utf8')) as { components: { schemas: Record<string, Node> } }
    const got = plain(document('apps/v1')) as typeof want
    for (const schemas of [want.components.schemas, got.components.schemas]) {
      for (const schema of Object.values(schemas)) {
        // Not derived: nothing reads it.
        delete schema['x-kubernetes-unions']
        schema.required?.sort()
      }
    }
    expect(got).toEqual(want)
  })

  it('has the same operations in every group', () => {
    const operations = (paths: Record<string, Node>): string[] => Object.entries(paths).flatMap(([at, methods]) => Object.entries(methods)
      .filter(([, o]) => o?.operationId !== undefined).map(([method, o]) => `${method} ${at} ${String(o?.operationId)} ${String(o?.['x-kubernetes-action'])}`))
    const want = JSON.parse(fs.readFileSync(path.join(facts ?? '', 'openapi-v2.json'), 'utf8')) as { paths: Record<string, Node> }
    const got = [...byGroupVersion(all).keys()].flatMap((gv) => operations(document(gv).paths))
    const outside = /^get (\/apis\/[^/]*\/?|\/api\/|\/version\/|\/openid.*|\/\.well-known.*) /
    expect(got.sort()).toEqual(operations(want.paths).filter((o) => !outside.test(o)).sort())
  })
})
