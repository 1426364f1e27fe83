import { describe, expect, it } from 'vitest'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { withAvailable } from './api-services.ts'
import { automanaged, builtInServices, customServices, nextStep } from './auto-registration.ts'
import { serviceProblem } from './availability.ts'
import { userHeaders } from './front-proxy.ts'
import { resourcesOfAggregated, resourcesOfList } from './remote-discovery.ts'
import { belowPath, mergeSwagger } from './remote-openapi.ts'
import { transportError } from '../proxy/transport-error.ts'

const service = (how: string | undefined, versionPriority = 100): APIService => ({
  metadata: { name: 'v1.a.b', ...(how !== undefined && { labels: { [automanaged]: how } }) }, spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 1000, versionPriority },
})

describe('what is done about an APIService', () => {
  it.each([
    ['nothing where nobody wants one', undefined, undefined, {}, 'nothing'],
    ['created where it is missing', service('onstart'), undefined, {}, 'create'],
    ['not created again after somebody deleted a built-in one', service('onstart'), undefined, { synced: true }, 'nothing'],
    ['created again where it is a custom resource\'s', service('true'), undefined, { synced: true }, 'create'],
    ['left alone where it is somebody\'s own', service('true'), service(undefined), { atStart: true }, 'nothing'],
    ['put right once after a start', service('onstart'), service('onstart', 5), { atStart: true }, 'replace'],
    ['not put right twice', service('onstart'), service('onstart', 5), { atStart: true, synced: true }, 'nothing'],
    ['put right at all times', service('true'), service('true', 5), { synced: true }, 'replace'],
    ['kept as it is', service('true'), service('true'), { synced: true }, 'nothing'],
    ['deleted where its version is built in no more', undefined, service('onstart'), { atStart: true }, 'delete'],
    ['kept where it came after the start', undefined, service('onstart'), {}, 'nothing'],
    ['deleted with its definition', undefined, service('true'), { synced: true }, 'delete'],
  ] as const)('%s', (_name, desired, current, state, expected) => expect(nextStep(desired, current, { synced: false, atStart: false, ...state })).toBe(expected))

  it('is known for every built-in group version, and for served versions of definitions', () => {
    expect(builtInServices(['v1', 'apps/v1', 'apiregistration.k8s.io/v1', 'a.b/v1']).map(({ metadata }) => metadata.name)).toEqual(['v1.', 'v1.apps'])
    const definition = { metadata: { name: 'x.a.b' }, spec: { group: 'a.b', names: { kind: 'X', plural: 'x' }, scope: 'Cluster', versions: [{ name: 'v1', served: true, storage: true }, { name: 'v2', served: false, storage: false }] } }
    expect(customServices([definition, definition]).map(({ metadata, spec }) => [metadata.name, metadata.labels?.[automanaged], spec.groupPriorityMinimum, spec.versionPriority])).toEqual([['v1.a.b', 'true', 1000, 100]])
  })
})

describe('why an APIService is not available', () => {
  const key = { namespace: 'ns', name: 's', port: 443 }
  const of = (spec: object): { metadata: { name: string }, spec: object } => ({ metadata: { name: 's' }, spec })
  const slice = (ready: boolean | undefined, ports: object[]) => ({ metadata: { name: 'x' }, addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], conditions: ready === undefined ? {} : { ready } }], ports })
  it.each([
    ['no Service', undefined, [], 'ServiceNotFound', 'service/s in "ns" is not present'],
    ['another port', of({ ports: [{ port: 80 }] }), [], 'ServicePortError', 'service/s in "ns" is not listening on port 443'],
    ['no slices', of({ ports: [{ port: 443 }] }), [], 'EndpointsNotFound', 'cannot find endpointslices for service/s in "ns"'],
    ['none ready', of({ ports: [{ port: 443, name: 'https' }] }), [slice(false, [{ name: 'https', port: 1 }])], 'MissingEndpoints', 'endpointslices for service/s in "ns" have no addresses with port name "https"'],
    ['another port\'s endpoints', of({ ports: [{ port: 443 }] }), [slice(true, [{ name: 'http', port: 1 }])], 'MissingEndpoints', 'endpointslices for service/s in "ns" have no addresses with port name ""'],
  ])('%s', (_name, found, slices, reason, message) => expect(serviceProblem(key, found as never, slices as never)).toEqual({ status: 'False', reason, message }))
  it.each([
    ['an endpoint of which nothing bad is known', of({ ports: [{ port: 443 }] }), [slice(undefined, [{ port: 1 }])]],
    ['a Service of another type', of({ type: 'ExternalName' }), []],
  ])('not for %s: it is asked', (_name, found, slices) => expect(serviceProblem(key, found as never, slices as never)).toBeUndefined())

  it('moves the time of the condition with its status alone', () => {
    const first = withAvailable(service(undefined), { status: 'False', reason: 'A', message: 'a' }, 't1')
    const second = withAvailable({ ...service(undefined), status: first }, { status: 'False', reason: 'B', message: 'b' }, 't2')
    expect(second.conditions).toEqual([{ type: 'Available', status: 'False', reason: 'B', message: 'b', lastTransitionTime: 't1' }])
    expect(withAvailable({ ...service(undefined), status: second }, { status: 'True', reason: 'C', message: 'c' }, 't3').conditions?.[0]?.lastTransitionTime).toBe('t3')
  })
})

it('names a user to another server in headers, with the keys of extras escaped', () => {
  expect(userHeaders({ name: 'bob', uid: '', groups: [] })).toEqual({ 'X-Remote-User': 'bob' })
  expect(userHeaders({ name: 'bob', uid: '7', groups: ['a', 'b'], extra: { 'acme.com/p%': ['1'], none: [] } })).toEqual({ 'X-Remote-User': 'bob', 'X-Remote-Uid': '7', 'X-Remote-Group': ['a', 'b'], 'X-Remote-Extra-acme.com%2Fp%25': ['1'] })
})

describe('why a server cannot be reached', () => {
  const failure = (code: string, message = ''): Error => new Error('wrapped', { cause: Object.assign(new Error(message), { code }) })
  it.each([
    [failure('ECONNREFUSED'), 'dial tcp 10.0.0.1:443: connect: connection refused'],
    [failure('EHOSTUNREACH'), 'dial tcp 10.0.0.1:443: connect: no route to host'],
    [failure('ECONNRESET', 'socket hang up'), 'EOF'],
    [failure('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    [failure('CERT_HAS_EXPIRED'), 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'],
    [failure('ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname/IP does not match certificate\'s altnames: Host: a.b.svc. is not in the cert\'s altnames: DNS:x, IP Address:1.2.3.4'), 'tls: failed to verify certificate: x509: certificate is valid for x, 1.2.3.4, not a.b.svc'],
    [new DOMException('late', 'TimeoutError'), 'context deadline exceeded'],
  ])('%s', (error, expected) => expect(transportError(error, '10.0.0.1:443')).toBe(expected))
})

describe('discovery documents of other servers', () => {
  it('a list becomes the aggregated form, subresources under their parents, also under one that is not served', () => {
    expect(resourcesOfList({ resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'PodMetrics', verbs: ['get'] }, { name: 'pods/x', namespaced: true, kind: 'X', verbs: ['get'] }, { name: 'nodes/y', namespaced: false, kind: 'Y', group: 'g', version: 'v2', verbs: ['create'] }] })).toEqual([
      { resource: 'pods', responseKind: { group: '', version: '', kind: 'PodMetrics' }, scope: 'Namespaced', singularResource: 'pod', verbs: ['get'], subresources: [{ subresource: 'x', responseKind: { group: '', version: '', kind: 'X' }, verbs: ['get'] }] },
      { resource: 'nodes', responseKind: {}, scope: 'Cluster', singularResource: '', verbs: [], subresources: [{ subresource: 'y', responseKind: { group: 'g', version: 'v2', kind: 'Y' }, verbs: ['create'] }] },
    ])
  })
  it('a group version that is not in the aggregated form serves nothing', () => {
    expect(resourcesOfAggregated({ items: [{ metadata: { name: 'a.b' }, versions: [{ version: 'v2', resources: [] }] }] }, 'a.b/v1')).toEqual([])
  })
})

describe('OpenAPI v2 of other servers', () => {
  const swagger = { paths: { '/apis/a.b/v1/x': { get: { schema: { $ref: '#/definitions/X' } } }, '/other': {} }, definitions: { X: { properties: { y: { $ref: '#/definitions/Y' }, x: { $ref: '#/definitions/X' } } }, Y: { type: 'string' }, Z: {} } }
  it('is cut down to a group version and what it uses', () => {
    expect(belowPath(swagger, '/apis/a.b/v1/')).toEqual({ paths: { '/apis/a.b/v1/x': swagger.paths['/apis/a.b/v1/x'] }, definitions: { X: swagger.definitions.X, Y: swagger.definitions.Y } })
  })
  it('is merged under other names where ours mean something else', () => {
    const own = { swagger: '2.0', paths: { '/a': {} }, definitions: { X: { type: 'object' }, Y: { type: 'string' } } }
    expect(mergeSwagger(own, [belowPath(swagger, '/apis/a.b/v1/')])).toEqual({
      swagger: '2.0', paths: { '/a': {}, '/apis/a.b/v1/x': { get: { schema: { $ref: '#/definitions/X_v2' } } } },
      definitions: { X: { type: 'object' }, Y: { type: 'string' }, X_v2: { properties: { y: { $ref: '#/definitions/Y' }, x: { $ref: '#/definitions/X_v2' } } } },
    })
  })
})
