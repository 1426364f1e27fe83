import type { EndpointSubset, Pod, Service } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { overCapacity, planEndpoints, subsetsOf, truncate } from './subsets.ts'

const service = (spec: Partial<Service['spec']> = {}): Service => ({ metadata: { name: 's', namespace: 'x', labels: { l: '1' } }, spec: { clusterIP: '10.96.0.9', ports: [{ name: 'web', port: 80, targetPort: 'http', protocol: 'TCP' }], ...spec } })
function pod(name: string, ip: string, ready: boolean, more: Partial<Pod['spec']> = {}, port = 8080): Pod {
  return {
    metadata: { name, namespace: 'x', uid: name }, spec: { nodeName: 'n', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }], ...more },
    status: { podIP: ip, phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}
const brief = (subsets: EndpointSubset[]): unknown => subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => [addresses.map((each) => each.ip), notReadyAddresses.map((each) => each.ip), ports.map((each) => each.port)])

test('pods are told apart by readiness, and by what their port of the name is', () => {
  const pods = [pod('b', '10.0.0.2', true), pod('a', '10.0.0.1', true), pod('c', '10.0.0.3', false), pod('d', '10.0.0.4', true, {}, 9090)]
  expect(brief(subsetsOf(service(), pods))).toEqual([[['10.0.0.1', '10.0.0.2'], ['10.0.0.3'], [8080]], [['10.0.0.4'], [], [9090]]])
  expect(subsetsOf(service(), pods.slice(0, 1))).toEqual([{ addresses: [{ ip: '10.0.0.2', nodeName: 'n', targetRef: { kind: 'Pod', namespace: 'x', name: 'b', uid: 'b' } }], ports: [{ name: 'web', port: 8080, protocol: 'TCP' }] }])
})

test.each([
  ['without an address', service(), { ...pod('a', '', true) }, []],
  ['that is over', service(), { ...pod('a', '10.0.0.1', true), status: { podIP: '10.0.0.1', phase: 'Succeeded' as const } }, []],
  ['without the port', service(), pod('a', '10.0.0.1', true, { containers: [{ name: 'c' }] }), []],
  ['of another family', service({ ipFamilies: ['IPv6'] }), pod('a', '10.0.0.1', true), []],
  ['not ready, which is published anyway', service({ publishNotReadyAddresses: true }), pod('a', '10.0.0.1', false), [[['10.0.0.1'], [], [8080]]]],
  ['of a headless Service without ports', service({ clusterIP: 'None', ports: [] }), pod('a', '10.0.0.1', true), [[['10.0.0.1'], [], []]]],
] as [string, Service, Pod, unknown][])('a pod %s', (_, of, one, expected) => {
  expect(brief(subsetsOf(of, [one]))).toEqual(expected)
})

test('over a thousand addresses are cut, those not ready first, and the annotation says so', () => {
  const pods = Array.from({ length: 1100 }, (_each, index) => pod(`p${index}`, `10.0.${index >> 8}.${index & 255}`, index < 900))
  const [subset] = truncate(subsetsOf(service(), pods)).subsets
  expect([subset?.addresses?.length, subset?.notReadyAddresses?.length]).toEqual([900, 100])
  const made = planEndpoints(service(), pods, undefined)
  expect(made?.metadata.annotations).toEqual({ [overCapacity]: 'truncated' })
  expect(made === undefined ? '' : planEndpoints(service(), pods, made)).toBeUndefined()
  expect(made === undefined ? '' : planEndpoints(service(), pods.slice(0, 1), made)?.metadata.annotations).toBeUndefined()
})

test('labels are the Service’s, with those that tell of it', () => {
  expect(planEndpoints(service(), [], undefined)?.metadata.labels).toEqual({ l: '1', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' })
  expect(planEndpoints(service({ clusterIP: 'None' }), [], undefined)?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '')
})
