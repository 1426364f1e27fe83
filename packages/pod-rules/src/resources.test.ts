import { expect, test } from 'vitest'
import type { Container, Pod } from '@berth/api/types/core/v1'
import { podAmounts } from './resources.ts'

const container = (name: string, requests: Record<string, string>, more: Partial<Container> = {}): Container => ({ name, image: 'x', resources: { requests }, ...more })
const pod = (spec: Partial<Pod['spec']>): Pick<Pod, 'spec' | 'status'> => ({ spec: { containers: [], ...spec } })

test.each([
  ['containers add up', pod({ containers: [container('a', { cpu: '100m', memory: '1Gi' }), container('b', { cpu: '1.5' })] }), { cpu: 1600, memory: 1073741824 }],
  ['a larger init container counts instead', pod({ containers: [container('a', { cpu: '100m' })], initContainers: [container('i', { cpu: '2' })] }), { cpu: 2000 }],
  ['a sidecar adds to the containers and to the init steps after it', pod({
    containers: [container('a', { cpu: '100m' })],
    initContainers: [container('s', { cpu: '200m' }, { restartPolicy: 'Always' }), container('i', { cpu: '150m' })],
  }), { cpu: 350 }],
  ['an init step before a sidecar does not have it beside itself', pod({
    containers: [container('a', { cpu: '100m' })],
    initContainers: [container('i', { cpu: '250m' }), container('s', { cpu: '200m' }, { restartPolicy: 'Always' })],
  }), { cpu: 300 }],
  ['overhead comes on top', pod({ containers: [container('a', { cpu: '100m' })], overhead: { cpu: '10m', memory: '5' } }), { cpu: 110, memory: 5 }],
  ['pod-level resources take the place of the sum', pod({ containers: [container('a', { cpu: '100m', 'example.com/gpu': '1' })], resources: { requests: { cpu: '1' } } }), { cpu: 1000, 'example.com/gpu': 1 }],
  ['thousandths of bytes are rounded up', pod({ containers: [container('a', { memory: '1500m' })] }), { memory: 2 }],
])('%s', (_, given, expected) => {
  expect(podAmounts(given)).toEqual(expected)
})

test('what a container does not ask for can be counted with a default', () => {
  expect(podAmounts(pod({ containers: [container('a', { cpu: '300m' }), container('b', {})] }), { missing: { cpu: 100, memory: 200 } })).toEqual({ cpu: 400, memory: 400 })
})

test.each<[string, Pod['status'], number]>([
  ['what is wanted counts where nothing is known', {}, 500],
  ['what is allocated counts while it is more', { containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: '800m' }, resources: { requests: { cpu: '600m' } } }] }, 800],
  ['what is wanted counts while it is more', { containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: '200m' }, resources: { requests: { cpu: '200m' } } }] }, 500],
  ['what cannot be had does not count', { conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }], containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: '200m' }, resources: { requests: { cpu: '200m' } } }] }, 200],
])('while a container is resized, %s', (_, status, cpu) => {
  expect(podAmounts({ ...pod({ containers: [container('a', { cpu: '500m' })] }), status }, { statusResources: true })['cpu']).toBe(cpu)
})

test('while a pod is resized as a whole, the most of what is wanted, allocated and actual counts', () => {
  const given = pod({ containers: [container('a', { cpu: '100m' })], resources: { requests: { cpu: '1' } } })
  expect(podAmounts({ ...given, status: { allocatedResources: { cpu: '2' }, resources: { requests: { cpu: '1500m' } } } }, { statusResources: true })).toEqual({ cpu: 2000 })
  expect(podAmounts({ ...given, status: { allocatedResources: { cpu: '500m' } } }, { statusResources: true })).toEqual({ cpu: 1000 })
})
