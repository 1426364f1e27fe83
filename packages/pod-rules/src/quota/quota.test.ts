import { describe, expect, test } from 'vitest'
import type { Pod, ResourceQuota, Service } from '@berth/api/types/core/v1'
import { judgeQuota, quotaMatches, quotaUsage, subtractQuantities, textsOf } from './index.ts'

const pods = { group: '', resource: 'pods' }
const pod = (requests: Record<string, string> = {}, limits: Record<string, string> = {}, spec: Partial<Pod['spec']> = {}): Pod => ({ metadata: { name: 'p', namespace: 'd' }, spec: { containers: [{ name: 'c', image: 'x', resources: { requests, limits } }], ...spec } })
const quota = (hard: Record<string, string>, used: Record<string, string> = {}, spec: ResourceQuota['spec'] = {}): ResourceQuota => ({ metadata: { name: 'q', namespace: 'd' }, spec: { hard, ...spec }, status: { hard, used } })

describe('usage', () => {
  test.each<[string, { group: string; resource: string }, object, Record<string, string>]>([
    ['a pod: compute by request and limit, extended resources by request', pods, pod({ cpu: '500m', memory: '1Gi', 'example.com/gpu': '2' }, { cpu: '1' }), { 'count/pods': '1', pods: '1', cpu: '500m', 'requests.cpu': '500m', memory: '1Gi', 'requests.memory': '1Gi', 'requests.example.com/gpu': '2', 'limits.cpu': '1' }],
    ['a pod that has ended: the object alone', pods, { ...pod({ cpu: '1' }), status: { phase: 'Failed' } }, { 'count/pods': '1' }],
    ['a load balancer: itself and a node port a port', { group: '', resource: 'services' }, { metadata: { name: 's' }, spec: { type: 'LoadBalancer', ports: [{ port: 1 }, { port: 2 }] } } satisfies Service, { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '2' }],
    ['a claim: storage, and both by class', { group: '', resource: 'persistentvolumeclaims' }, { metadata: { name: 'v' }, spec: { storageClassName: 'fast', resources: { requests: { storage: '5Gi' } } } }, { 'count/persistentvolumeclaims': '1', persistentvolumeclaims: '1', 'requests.storage': '5Gi', 'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1', 'fast.storageclass.storage.k8s.io/requests.storage': '5Gi' }],
    ['any other kind: its count', { group: 'apps', resource: 'deployments' }, { metadata: { name: 'd' } }, { 'count/deployments.apps': '1' }],
  ])('%s', (_, resource, object, wanted) => {
    expect(textsOf(quotaUsage(resource, object, 0))).toEqual(wanted)
  })
})

describe('scopes', () => {
  test.each<[ResourceQuota['spec'], Pod, boolean]>([
    [{ scopes: ['BestEffort'] }, pod(), true],
    [{ scopes: ['BestEffort'] }, pod({ cpu: '1' }), false],
    [{ scopes: ['NotTerminating', 'NotBestEffort'] }, pod({ cpu: '1' }), true],
    [{ scopes: ['Terminating'] }, pod({}, {}, { activeDeadlineSeconds: 5 }), true],
    [{ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } }, pod({}, {}, { priorityClassName: 'high' }), true],
    [{ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }] } }, pod({}, {}, { priorityClassName: 'high' }), false],
    [{ scopes: ['CrossNamespacePodAffinity'] }, pod({}, {}, { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'k', namespaceSelector: {} }] } } }), true],
  ])('%o', (spec, object, matches) => {
    expect(quotaMatches(quota({}, {}, spec), pods, object)).toBe(matches)
  })
})

describe('verdicts', () => {
  const judge = (q: ResourceQuota, object: Pod): unknown => judgeQuota(q, pods, object, quotaUsage(pods, object, 0), true)
  test('what fits is allowed, with what is used then', () => {
    const verdict = judgeQuota(quota({ pods: '2', 'requests.cpu': '2' }, { pods: '1', 'requests.cpu': '1' }), pods, pod({ cpu: '500m' }), quotaUsage(pods, pod({ cpu: '500m' }), 0), true)
    expect(verdict.type === 'allowed' && textsOf(verdict.used)).toEqual({ pods: '2', 'requests.cpu': '1500m' })
  })
  test.each<[ResourceQuota, Pod, string]>([
    [quota({ pods: '2', 'requests.cpu': '1' }, { pods: '2', 'requests.cpu': '800m' }), pod({ cpu: '500m' }), 'exceeded quota: q, requested: pods=1,requests.cpu=500m, used: pods=2,requests.cpu=800m, limited: pods=2,requests.cpu=1'],
    [quota({ 'limits.cpu': '2', 'requests.memory': '1Gi' }), pod({ cpu: '1' }), 'failed quota: q: must specify limits.cpu for: c; requests.memory for: c'],
    [{ ...quota({ pods: '1' }), status: {} }, pod(), 'status unknown for quota: q, resources: pods'],
  ])('a refusal says what, in upstream\'s words', (q, object, message) => {
    expect(judge(q, object)).toEqual({ type: 'refused', message })
  })
  test('a change that uses less, or nothing that is limited, passes even where the quota is exceeded', () => {
    const q = quota({ 'requests.cpu': '1' }, { 'requests.cpu': '3' })
    const less = subtractQuantities(quotaUsage(pods, pod({ cpu: '1' }), 0), quotaUsage(pods, pod({ cpu: '2' }), 0))
    expect(judgeQuota(q, pods, pod({ cpu: '1' }), less, false)).toMatchObject({ type: 'allowed' })
    expect(judgeQuota(quota({ 'count/secrets': '1' }), pods, pod(), quotaUsage(pods, pod(), 0), true)).toEqual({ type: 'indifferent' })
  })
})
