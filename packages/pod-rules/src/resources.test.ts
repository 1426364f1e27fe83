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
