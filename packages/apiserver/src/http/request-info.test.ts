import { describe, expect, it } from 'vitest'
import { parseRequestInfo, splitTarget } from './request-info.ts'

describe('a request path', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['GET', '/api/v1/namespaces/a/pods/b', { verb: 'get', apiGroup: '', apiVersion: 'v1', namespace: 'a', resource: 'pods', name: 'b', subresource: '' }],
    ['GET', '/api/v1/namespaces/a/pods', { verb: 'list', namespace: 'a', resource: 'pods', name: '' }],
    ['GET', '/api/v1/pods?watch=1', { verb: 'watch', namespace: '', resource: 'pods' }],
    ['GET', '/api/v1/watch/namespaces/a/pods', { verb: 'watch', namespace: 'a', resource: 'pods' }],
    ['GET', '/apis/apps/v1/namespaces/a/deployments/d/scale', { verb: 'get', apiGroup: 'apps', resource: 'deployments', name: 'd', subresource: 'scale' }],
    ['DELETE', '/api/v1/namespaces/a/pods', { verb: 'deletecollection' }],
    ['DELETE', '/api/v1/namespaces/a', { verb: 'delete', resource: 'namespaces', name: 'a', namespace: 'a' }],
    ['PUT', '/api/v1/namespaces/a/finalize', { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['GET', '/api/v1/nodes/n/proxy/metrics/cadvisor', { resource: 'nodes', name: 'n', subresource: 'proxy', parts: ['nodes', 'n', 'proxy', 'metrics', 'cadvisor'] }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx', { verb: 'list', name: 'x', fieldSelector: 'metadata.name=x' }],
    ['PUT', '/api/v1/watch/namespaces/a/pods/b/status', { verb: 'watch', prefix: 'watch', name: 'b', subresource: 'status' }],
    ['constructor', '/api/v1/pods', { verb: '' }],
    ['GET', '/api/v1/namespaces/a/../b/secrets', { namespace: 'a', resource: '..', name: 'b' }],
    ['GET', '/healthz', { isResourceRequest: false, verb: 'get' }],
    ['GET', '/apis/apps/v1', { isResourceRequest: false }],
    ['GET', '/api/v1/namespaces/a%2Fb/pods', { namespace: 'a/b' }],
  ])('%s %s is understood', (method, target, want) => {
    const { path, query } = splitTarget(target)
    expect(parseRequestInfo(method, path, query)).toMatchObject(want)
  })
})

describe('a request target', () => {
  it.each<[string, string, string]>([
    ['/a/../b?x=1', '/a/../b', 'x=1'], ['//host/path', '//host/path', ''], ['http://host/path?q=%', '/path', 'q=%25'], ['https://host', '/', ''], ['*', '*', ''], ['//[', '//[', ''], ['/a#b?c', '/a', ''], ['/%zz', '/%zz', ''],
  ])('%s is taken as it stands', (target, path, query) => {
    const split = splitTarget(target)
    expect([split.path, split.query.toString()]).toEqual([path, query])
  })
})
