import { describe, expect, it } from 'vitest'
import { gvkOf } from '../validation/test-support/objects.ts'
import { humanDuration, tableCells, tableColumns } from './index.ts'

const now = new Date('2026-01-02T00:00:00Z')
const metadata = { name: 'x', creationTimestamp: '2026-01-01T23:59:00Z' }
const cells = (kind: string, object: object) => tableCells(gvkOf(kind), { metadata, ...object }, now)

describe('a duration', () => {
  it.each([
    [-2, '<invalid>'], [-1, '0s'], [0, '0s'], [119, '119s'], [120, '2m'], [121, '2m1s'], [599, '9m59s'], [600, '10m'], [10799, '179m'], [10800, '3h'], [10860, '3h1m'], [28800, '8h'], [172799, '47h'], [172800, '2d'],
    [180000, '2d2h'], [8 * 86400, '8d'], [729 * 86400, '729d'], [730 * 86400, '2y'], [731 * 86400, '2y1d'], [8 * 365 * 86400, '8y'],
  ])('of %i s is %s', (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text)
  })
})

describe('a pod\'s row', () => {
  const running = { name: 'c', ready: true, restartCount: 0, state: { running: {} } }
  const waiting = (reason: string, more: object = {}) => ({ name: 'c', ready: false, restartCount: 0, state: { waiting: { reason } }, ...more })
  const ended = (exitCode: number, more: object = {}) => ({ name: 'c', ready: false, restartCount: 0, state: { terminated: { exitCode, ...more } } })
  const status = (more: object): object => ({ phase: 'Running', ...more })

  it.each<[string, object, object, object, [string, string, string]]>([
    ['before it is placed', {}, { phase: 'Pending' }, {}, ['0/1', 'Pending', '0']],
    ['held by a gate', {}, { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }, {}, ['0/1', 'SchedulingGated', '0']],
    ['while its container is made', {}, { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] }, {}, ['0/1', 'ContainerCreating', '0']],
    ['running', {}, status({ containerStatuses: [running] }), {}, ['1/1', 'Running', '0']],
    ['crashing', {}, status({ containerStatuses: [waiting('CrashLoopBackOff', { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T23:58:00Z' } } })] }), {}, ['0/1', 'CrashLoopBackOff', '3 (2m ago)']],
    ['done', {}, { phase: 'Succeeded', containerStatuses: [ended(0, { reason: 'Completed' })] }, {}, ['0/1', 'Completed', '0']],
    ['failed without a word', {}, { phase: 'Failed', containerStatuses: [ended(3)] }, {}, ['0/1', 'ExitCode:3', '0']],
    ['killed by a signal', {}, { phase: 'Failed', containerStatuses: [ended(137, { signal: 9 })] }, {}, ['0/1', 'Signal:9', '0']],
    ['evicted', {}, { phase: 'Failed', reason: 'Evicted' }, {}, ['0/1', 'Evicted', '0']],
    ['half done', { containers: [{ name: 'c' }, { name: 'd' }] }, status({ containerStatuses: [ended(0, { reason: 'Completed' }), { ...running, name: 'd' }] }), {}, ['1/2', 'NotReady', '0']],
    ['in its first init container', { initContainers: [{ name: 'i' }, { name: 'j' }] }, { phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { running: {} } }] }, {}, ['0/1', 'Init:0/2', '0']],
    ['in its second', { initContainers: [{ name: 'i' }, { name: 'j' }] }, { phase: 'Pending', initContainerStatuses: [{ ...ended(0), name: 'i' }, { name: 'j', state: { waiting: { reason: 'PodInitializing' } } }] }, {}, ['0/1', 'Init:1/2', '0']],
    ['with an init container that fails', { initContainers: [{ name: 'i' }] }, { phase: 'Pending', initContainerStatuses: [{ ...ended(1, { reason: 'Error' }), name: 'i', restartCount: 2 }] }, {}, ['0/1', 'Init:Error', '2']],
    ['with a sidecar', { initContainers: [{ name: 's', restartPolicy: 'Always' }] }, status({ initContainerStatuses: [{ ...running, name: 's', started: true, restartCount: 1 }], containerStatuses: [running] }), {}, ['2/2', 'Running', '1']],
    ['going', {}, status({ containerStatuses: [running] }), { deletionTimestamp: '2026-01-01T23:59:59Z' }, ['1/1', 'Terminating', '0']],
    ['done and going', {}, { phase: 'Succeeded', containerStatuses: [ended(0, { reason: 'Completed' })] }, { deletionTimestamp: '2026-01-01T23:59:59Z' }, ['0/1', 'Completed', '0']],
    ['on a lost node', {}, status({ reason: 'NodeLost' }), { deletionTimestamp: '2026-01-01T23:59:59Z' }, ['0/1', 'Unknown', '0']],
  ])('%s', (_, spec, podStatus, meta, expected) => {
    expect(cells('v1/Pod', { metadata: { ...metadata, ...meta }, spec: { containers: [{ name: 'c' }], ...spec }, status: podStatus }).slice(1, 4)).toEqual(expected)
  })

  it('tells age, address, node and gates', () => {
    const pod = { spec: { containers: [{ name: 'c' }], nodeName: 'n', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] }, status: { phase: 'Running', podIPs: [{ ip: '10.1.1.1' }], conditions: [{ type: 'a', status: 'True' }] } }
    expect(cells('v1/Pod', pod)).toEqual(['x', '0/1', 'Running', '0', '60s', '10.1.1.1', 'n', '<none>', '1/2'])
  })
})

describe('a row of', () => {
  const template = { spec: { containers: [{ name: 'c', image: 'i' }, { name: 'd', image: 'j' }] } }

  it.each<[string, object, unknown[]]>([
    ['v1/Node', { metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'b' } }, spec: { unschedulable: true }, status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '1.1.1.1' }], nodeInfo: { kubeletVersion: 'v1.36.3', osImage: 'o' } } },
      ['x', 'Ready,SchedulingDisabled', 'b,worker', '60s', 'v1.36.3', '1.1.1.1', '<none>', 'o', '<unknown>', '<unknown>']],
    ['v1/Service', { spec: { type: 'NodePort', clusterIPs: ['10.96.0.9'], ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }, { port: 53, protocol: 'UDP' }], selector: { b: 'c', a: 'b' } } }, ['x', 'NodePort', '10.96.0.9', '<none>', '80:30080/TCP,53/UDP', '60s', 'a=b,b=c']],
    ['v1/Service', { spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.9'], externalIPs: ['9.9.9.9'] }, status: { loadBalancer: { ingress: [{ ip: '8.8.8.8' }, { hostname: 'a.b' }] } } }, ['x', 'LoadBalancer', '10.96.0.9', '8.8.8.8,a.b,9.9.9.9', '<none>', '60s', '<none>']],
    ['v1/Service', { spec: { type: 'LoadBalancer' } }, ['x', 'LoadBalancer', '<none>', '<pending>', '<none>', '60s', '<none>']],
    ['v1/Service', { spec: { type: 'ExternalName', externalName: 'a.b' } }, ['x', 'ExternalName', '<none>', 'a.b', '<none>', '60s', '<none>']],
    ['autoscaling/v1/Scale', { spec: { replicas: 3 }, status: { replicas: 2 } }, ['x', 3, 2, '60s']],
    ['v1/ConfigMap', { data: { a: '' }, binaryData: { b: '' } }, ['x', 2, '60s']],
    ['v1/Secret', { type: 'Opaque', data: { a: '' } }, ['x', 'Opaque', 1, '60s']],
    ['v1/ServiceAccount', {}, ['x', '60s']],
    ['v1/Namespace', { status: { phase: 'Active' } }, ['x', 'Active', '60s']],
    ['v1/Endpoints', { subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: '::1' }], ports: [{ port: 80 }, { port: 81 }] }] }, ['x', '1.1.1.1:80,[::1]:80,1.1.1.1:81 + 1 more...', '60s']],
    ['v1/Endpoints', {}, ['x', '<none>', '60s']],
    ['v1/Event', { type: 'Warning', reason: 'R', message: 'm \n', involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'f' }, source: { component: 'k', host: 'h' }, firstTimestamp: '2026-01-01T23:50:00Z', lastTimestamp: '2026-01-01T23:59:30Z', count: 4 },
      ['30s', 'Warning', 'R', 'pod/p', 'f', 'k, h', 'm', '10m', 4, 'x']],
    ['events.k8s.io/v1/Event', { type: 'Normal', reason: 'R', note: 'm', regarding: { kind: 'Pod', name: 'p' }, reportingController: 'k', eventTime: '2026-01-01T23:59:30.000000Z' }, ['30s', 'Normal', 'R', 'pod/p', '', 'k', 'm', '30s', 1, 'x']],
    ['apps/v1/Deployment', { spec: { replicas: 3, selector: { matchLabels: { a: 'b' } }, template }, status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 } }, ['x', '2/3', 3, 1, '60s', 'c,d', 'i,j', 'a=b']],
    ['apps/v1/ReplicaSet', { spec: { replicas: 3, selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['c', 'b'] }] }, template }, status: { replicas: 2, readyReplicas: 1 } }, ['x', 3, 2, 1, '60s', 'c,d', 'i,j', 'a in (b,c)']],
    ['discovery.k8s.io/v1/EndpointSlice', { addressType: 'IPv4', ports: [{ port: 80 }, { name: 'a' }], endpoints: [{ addresses: ['1.1.1.1'] }] }, ['x', 'IPv4', '80,a', '1.1.1.1', '60s']],
    ['discovery.k8s.io/v1/EndpointSlice', { addressType: 'IPv4', ports: null, endpoints: null }, ['x', 'IPv4', '<unset>', '<unset>', '60s']],
    ['coordination.k8s.io/v1/Lease', { spec: { holderIdentity: 'me' } }, ['x', 'me', '60s']],
    ['networking.k8s.io/v1/IPAddress', { spec: { parentRef: { resource: 'services', namespace: 'n', name: 's' } } }, ['x', 'services/n/s']],
    ['networking.k8s.io/v1/ServiceCIDR', { spec: { cidrs: ['10.96.0.0/16', 'fd00::/112'] } }, ['x', '10.96.0.0/16,fd00::/112', '60s']],
    ['rbac.authorization.k8s.io/v1/RoleBinding', { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }, { kind: 'ServiceAccount', name: 's', namespace: 'n' }, { kind: 'User', name: 'v' }] }, ['x', 'Role/r', '60s', 'u, v', '', 'n/s']],
    ['rbac.authorization.k8s.io/v1/Role', {}, ['x', '2026-01-01T23:59:00Z']],
    ['scheduling.k8s.io/v1/PriorityClass', { value: 5, preemptionPolicy: 'Never' }, ['x', 5, false, '60s', 'Never']],
  ])('%s', (kind, object, expected) => {
    expect(cells(kind, object)).toEqual(expected)
    expect(tableColumns(gvkOf(kind))).toHaveLength(expected.length)
  })

  it('an object without a creation time has no age', () => {
    expect(tableCells(gvkOf('v1/Namespace'), { metadata: { name: 'x' } }, now)).toEqual(['x', '', '<unknown>'])
  })

  it('has columns with names, types and priorities, the wide ones last of all to be shown', () => {
    expect(tableColumns(gvkOf('v1/Pod')).map(({ name, type, format, priority }) => [name, type, format, priority])).toEqual([
      ['Name', 'string', 'name', 0], ['Ready', 'string', '', 0], ['Status', 'string', '', 0], ['Restarts', 'string', '', 0], ['Age', 'string', '', 0], ['IP', 'string', '', 1], ['Node', 'string', '', 1], ['Nominated Node', 'string', '', 1],
      ['Readiness Gates', 'string', '', 1],
    ])
  })
})
