import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { describe, expect, test } from 'vitest'
import { desiredEndpoints } from './endpoints.ts'
import { planSlices } from './plan.ts'

const node: Node = { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z' } }, spec: {} }
const nodeOf = (name: string): Node | undefined => name === 'n1' ? node : undefined

function service(spec: Partial<Service['spec']> = {}): Service {
  return { metadata: { name: 'svc', namespace: 'd', uid: 'svc-uid' }, spec: { clusterIP: '10.96.0.5', ipFamilies: ['IPv4'], selector: { app: 'a' }, ports: [{ name: 'web', port: 80, targetPort: 8080 }], ...spec } }
}

function pod(name: string, ip: string | undefined, more: { ready?: boolean; terminating?: boolean; phase?: 'Running' | 'Failed'; spec?: Partial<Pod['spec']>; ips?: string[] } = {}): Pod {
  return {
    metadata: { name, namespace: 'd', uid: `uid-${name}`, ...(more.terminating === true ? { deletionTimestamp: 't' } : {}) },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 9090 }] }], ...more.spec },
    status: { phase: more.phase ?? 'Running', podIP: ip, ...(ip === undefined ? {} : { podIPs: (more.ips ?? [ip]).map((address) => ({ ip: address })) }), conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }] },
  }
}

const only = (svc: Service, ...pods: Pod[]) => [...desiredEndpoints(svc, pods, nodeOf).groups.values()]

describe('an endpoint', () => {
  test.each([
    ['is ready where its pod is', pod('p', '1.1.1.1'), {}, { ready: true, serving: true, terminating: false }],
    ['is not ready where its pod is not', pod('p', '1.1.1.1', { ready: false }), {}, { ready: false, serving: false, terminating: false }],
    ['serves on while its pod ends, but is not ready', pod('p', '1.1.1.1', { terminating: true }), {}, { ready: false, serving: true, terminating: true }],
    ['is ready always where the Service says so', pod('p', '1.1.1.1', { ready: false }), { publishNotReadyAddresses: true }, { ready: true, serving: false, terminating: false }],
  ])('%s', (_name, given, spec, conditions) => {
    const [group] = only(service(spec), given)
    expect(group?.endpoints).toEqual([{ addresses: ['1.1.1.1'], conditions, targetRef: { kind: 'Pod', namespace: 'd', name: 'p', uid: 'uid-p' }, nodeName: 'n1', zone: 'z' }])
  })

  test('is none where the pod has no address, is over, or is on a node that nobody knows', () => {
    const lost = pod('lost', '1.1.1.2', { spec: { nodeName: 'n9' } })
    const got = desiredEndpoints(service(), [pod('new', undefined), pod('over', '1.1.1.1', { phase: 'Failed' }), lost], nodeOf)
    expect(got.groups.size).toBe(0)
    expect(got.skipped).toEqual([{ pod: lost, node: 'n9' }])
    expect(desiredEndpoints(service({ publishNotReadyAddresses: true }), [lost], nodeOf).groups.size).toBe(1)
  })

  test.each([
    ['none', undefined, 'n1', undefined],
    ['its zone', 'PreferClose', 'n1', { forZones: [{ name: 'z' }] }],
    ['its zone', 'PreferSameZone', 'n1', { forZones: [{ name: 'z' }] }],
    ['its node, then its zone', 'PreferSameNode', 'n1', { forZones: [{ name: 'z' }], forNodes: [{ name: 'n1' }] }],
    ['none, where its node has no zone', 'PreferSameZone', 'n2', undefined],
    ['its node alone, where that has no zone', 'PreferSameNode', 'n2', { forNodes: [{ name: 'n2' }] }],
  ])('hints at %s (%s on %s)', (_name, trafficDistribution, nodeName, hints) => {
    const nodes: Record<string, Node> = { n1: node, n2: { metadata: { name: 'n2' }, spec: {} } }
    const [group] = desiredEndpoints(service(trafficDistribution === undefined ? {} : { trafficDistribution }), [pod('p', '1.1.1.1', { spec: { nodeName } })], (name) => nodes[name]).groups.values()
    expect(group?.endpoints[0]?.hints).toEqual(hints)
  })

  test('hints at nothing while it is not ready, or where the Service leaves that to its topology mode', () => {
    const near = service({ trafficDistribution: 'PreferClose' })
    expect(only(near, pod('p', '1.1.1.1', { ready: false }))[0]?.endpoints[0]?.hints).toBeUndefined()
    expect(only({ ...near, metadata: { ...near.metadata, annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } } }, pod('p', '1.1.1.1'))[0]?.endpoints[0]?.hints).toBeUndefined()
  })

  test('has a host name where the pod’s subdomain is the Service', () => {
    const [group] = only(service(), pod('p', '1.1.1.1', { spec: { hostname: 'h', subdomain: 'svc' } }))
    expect(group?.endpoints[0]?.hostname).toBe('h')
  })
})

test('a named target port is each pod’s own; pods with other numbers are another group; without the port there is none', () => {
  const named = service({ ports: [{ name: 'web', port: 80, targetPort: 'http', appProtocol: 'http' }] })
  const other = pod('b', '1.1.1.2', { spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 7070 }] }] } })
  const none = pod('c', '1.1.1.3', { spec: { containers: [{ name: 'c', image: 'i' }] } })
  expect(only(named, pod('a', '1.1.1.1'), other, none).map((group) => group.ports)).toEqual([
    [{ name: 'web', port: 9090, protocol: 'TCP', appProtocol: 'http' }], [{ name: 'web', port: 7070, protocol: 'TCP', appProtocol: 'http' }], [],
  ])
})

test('two families have slices of their own', () => {
  const groups = only(service({ ipFamilies: ['IPv4', 'IPv6'] }), pod('a', '1.1.1.1', { ips: ['1.1.1.1', 'fd00::1'] }))
  expect(groups.map((group) => [group.addressType, group.endpoints[0]?.addresses])).toEqual([['IPv4', ['1.1.1.1']], ['IPv6', ['fd00::1']]])
})

describe('the plan', () => {
  const pods = (count: number, from = 0): Pod[] => Array.from({ length: count }, (_, i) => pod(`p${from + i}`, `1.1.1.${from + i}`))
  const plan = (existing: EndpointSlice[], wanted: Pod[], svc = service()) => planSlices(svc, desiredEndpoints(svc, wanted, nodeOf), existing, 3)
  /** The slices there would be after a plan is carried out. */
  const carryOut = (existing: EndpointSlice[], wanted: Pod[], svc = service()): EndpointSlice[] => {
    const { create, update, delete: gone } = plan(existing, wanted, svc)
    const left = existing.filter((slice) => !gone.includes(slice)).map((slice) => update.find((u) => u.metadata.name === slice.metadata.name) ?? slice)
    return [...left, ...create.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `s${existing.length + i}` } }))]
  }
  const sizes = (slices: EndpointSlice[]): number[] => slices.map((slice) => slice.endpoints?.length ?? 0)

  test('makes as few slices as hold all, with the Service’s name, and is done when carried out', () => {
    const made = carryOut([], pods(7))
    expect(sizes(made)).toEqual([3, 3, 1])
    expect(made[0]).toMatchObject({ addressType: 'IPv4', ports: [{ name: 'web', port: 8080, protocol: 'TCP' }], metadata: { generateName: 'svc-', namespace: 'd', labels: { 'kubernetes.io/service-name': 'svc', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } } })
    expect(plan(made, pods(7))).toEqual({ create: [], update: [], delete: [] })
  })

  test('changes only the slice that a pod is in, and fills it with what is new', () => {
    const made = carryOut([], pods(6))
    const { create, update, delete: gone } = plan(made, [...pods(5), pod('new', '2.2.2.2')])
    expect([create, gone, update.map((slice) => slice.metadata.name)]).toEqual([[], [], ['s1']])
    expect(update[0]?.endpoints?.map((endpoint) => endpoint.addresses[0])).toEqual(['1.1.1.3', '1.1.1.4', '2.2.2.2'])
  })

  test('deletes a slice that became empty, but keeps one where nothing is left', () => {
    const made = carryOut([], pods(4))
    expect(plan(made, pods(3)).delete.map((slice) => slice.metadata.name)).toEqual(['s1'])
    const empty = carryOut(made, [])
    expect(sizes(empty)).toEqual([0])
    expect(plan(empty, [])).toEqual({ create: [], update: [], delete: [] })
    const filled = plan(empty, pods(1))
    expect([filled.create, filled.delete, filled.update.length]).toEqual([[], [], 1])
  })

  test('labels a headless Service’s slices, and follows the Service’s own labels', () => {
    const made = carryOut([], pods(1))
    const headless = { ...service({ clusterIP: 'None' }), metadata: { ...service().metadata, labels: { team: 'x', 'kubernetes.io/service-name': 'forged' } } }
    const [slice] = plan(made, pods(1), headless).update
    expect(slice?.metadata.labels).toEqual({ team: 'x', 'kubernetes.io/service-name': 'svc', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io', 'service.kubernetes.io/headless': '' })
  })

  test('deletes slices of a family that the Service no longer has', () => {
    const dual = service({ ipFamilies: ['IPv4', 'IPv6'] })
    const made = carryOut([], [pod('a', '1.1.1.1', { ips: ['1.1.1.1', 'fd00::1'] })], dual)
    expect(plan(made, [pod('a', '1.1.1.1')]).delete.map((slice) => slice.addressType)).toEqual(['IPv6'])
  })
})
