import type { Service } from '@berth/api/types/core/v1'
import type { Endpoint, EndpointSlice } from '@berth/api/types/discovery/v1'
import { describe, expect, test } from 'vitest'
import { type NodePlace, rulesOf } from './frontends.ts'

const place: NodePlace = { nodeName: 'a', zone: 'z1', nodePortAddresses: ['172.30.0.11'], masqueradeAll: false }

function service(spec: Service['spec'], more: Partial<Service> = {}): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec }, ...more }
}

function slice(...endpoints: Partial<Endpoint>[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'web-x', namespace: 'default' }, addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map((endpoint, i) => ({ addresses: [`10.244.1.${i}`], nodeName: 'b', ...endpoint })),
  }
}

const targets = (...last: number[]): string[] => last.map((n) => `10.244.1.${n} . 8080`)
const endpointsAt = (key: string, s: Service, ...slices: EndpointSlice[]): string[] | undefined => rulesOf(s, slices, place)?.frontends.find((frontend) => frontend.key === key)?.endpoints
const clusterIp = '10.96.0.1 . tcp . 80'

describe('endpoints of a cluster IP', () => {
  test.each<{ title: string; endpoints: Partial<Endpoint>[]; want: string[] }>([
    { title: 'those that are ready', endpoints: [{}, { conditions: { ready: false } }, { conditions: { ready: true } }], want: targets(0, 2) },
    { title: 'without any ready one, those that still serve while they terminate', endpoints: [{ conditions: { ready: false, serving: true, terminating: true } }, { conditions: { ready: false, serving: false, terminating: true } }], want: targets(0) },
    { title: 'near ones where all have hints', endpoints: [{ hints: { forZones: [{ name: 'z1' }] } }, { hints: { forZones: [{ name: 'z2' }] } }], want: targets(0) },
    { title: 'all where one has no hint', endpoints: [{ hints: { forZones: [{ name: 'z1' }] } }, {}], want: targets(0, 1) },
    { title: 'all where no hint is for here', endpoints: [{ hints: { forZones: [{ name: 'z2' }] } }, { hints: { forZones: [{ name: 'z3' }] } }], want: targets(0, 1) },
    { title: 'the same node before the same zone', endpoints: [{ hints: { forNodes: [{ name: 'a' }], forZones: [{ name: 'z2' }] } }, { hints: { forNodes: [{ name: 'b' }], forZones: [{ name: 'z1' }] } }], want: targets(0) },
    { title: 'none', endpoints: [], want: [] },
  ])('are $title', ({ endpoints, want }) => {
    expect(endpointsAt(clusterIp, service({}), slice(...endpoints))).toEqual(want)
  })

  test('are those of all slices, each once, and a ready one wins', () => {
    expect(endpointsAt(clusterIp, service({}), slice({ conditions: { ready: false } }), slice({}, {}))).toEqual(targets(0, 1))
  })

  test('are of the port with this name and protocol', () => {
    const other = { ...slice({}), ports: [{ name: 'http', port: 1, protocol: 'UDP' as const }, { name: 'metrics', port: 2 }] }
    expect(endpointsAt(clusterIp, service({}), other)).toEqual([])
  })

  test('are local ones under internalTrafficPolicy Local', () => {
    expect(endpointsAt(clusterIp, service({ internalTrafficPolicy: 'Local' }), slice({ nodeName: 'a' }, {}))).toEqual(targets(0))
  })
})

describe('a service', () => {
  test('has a frontend for each address and port, with the policy of each', () => {
    const s = service({
      type: 'LoadBalancer', externalIPs: ['192.0.2.9'], sessionAffinity: 'ClientIP', loadBalancerSourceRanges: ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.7/32'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }],
    }, { status: { loadBalancer: { ingress: [{ ip: '192.0.2.10' }] } } })
    expect(rulesOf(s, [slice({})], place)?.frontends.map(({ key, masquerade, affinity, sources }) => [key, masquerade, affinity, sources])).toEqual([
      [clusterIp, 'outside', 10800, undefined],
      ['192.0.2.9 . tcp . 80', 'always', 10800, undefined],
      ['192.0.2.10 . tcp . 80', 'always', 10800, ['10.0.0.0/8', '192.0.2.7']],
      ['172.30.0.11 . tcp . 30080', 'always', 10800, undefined],
    ])
  })

  test('with externalTrafficPolicy Local keeps the source, leads outside traffic to local endpoints and inside traffic to all', () => {
    const s = service({ type: 'NodePort', externalTrafficPolicy: 'Local', healthCheckNodePort: 30999, ports: [{ name: 'http', port: 80, nodePort: 30080 }] })
    const rules = rulesOf(s, [slice({ nodeName: 'a' }, {})], place)
    expect(rules?.frontends[1]).toMatchObject({ key: '172.30.0.11 . tcp . 30080', masquerade: 'never', endpoints: targets(0), inside: targets(0, 1) })
    expect(rules?.health).toEqual({ port: 30999, localEndpoints: 1 })
    expect(rulesOf(s, [slice({})], place)).toMatchObject({ noLocal: ['external'], health: { localEndpoints: 0 } })
  })

  test('without endpoints is refused; with endpoints, but none here that it may use, dropped', () => {
    expect(rulesOf(service({}), [], place)?.frontends[0]).toMatchObject({ endpoints: [], otherwise: 'reject' })
    expect(rulesOf(service({ internalTrafficPolicy: 'Local' }), [slice({})], place)?.frontends[0]).toMatchObject({ endpoints: [], otherwise: 'drop' })
  })

  test('lets its local endpoints reach themselves', () => {
    expect(rulesOf(service({}), [slice({ nodeName: 'a' }, {})], place)?.hairpins).toEqual(['10.244.1.0'])
  })

  test.each([
    ['headless', service({ clusterIP: 'None', clusterIPs: ['None'] })],
    ['of type ExternalName', service({ type: 'ExternalName', clusterIP: '', clusterIPs: [] })],
    ['without an address yet', service({ clusterIP: '', clusterIPs: [] })],
    ['of another proxy', service({}, { metadata: { name: 'web', namespace: 'default', labels: { 'service.kubernetes.io/service-proxy-name': 'other' } } })],
  ])('that is %s is not served', (_, s) => {
    expect(rulesOf(s, [slice({})], place)).toBeUndefined()
  })
})
