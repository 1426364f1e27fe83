import { expect, test } from 'vitest'
import type { ResourceQuota } from '@berth/api/types/core/v1'
import { textsOf } from '@berth/pod-rules'
import { countedKinds, resourceOfName, usedOf } from './plan.ts'

test.each([
  ['pods', '', 'pods'], ['limits.cpu', '', 'pods'], ['requests.example.com/gpu', '', 'pods'], ['requests.storage', '', 'persistentvolumeclaims'],
  ['fast.storageclass.storage.k8s.io/requests.storage', '', 'persistentvolumeclaims'], ['services.nodeports', '', 'services'], ['count/jobs.batch', 'batch', 'jobs'], ['count/widgets.example.com', 'example.com', 'widgets'],
])('%s is used by objects of group %o, resource %s', (name, group, resource) => {
  expect(resourceOfName(name)).toEqual({ group, resource })
})

test('a quota\'s use is what its kinds\' objects use, and nothing of what is not there', () => {
  const quota: ResourceQuota = { metadata: { name: 'q', namespace: 'd' }, spec: { hard: { pods: '5', 'requests.cpu': '4', 'count/jobs.batch': '2', secrets: '1' } } }
  expect(countedKinds(quota)).toEqual([{ group: '', resource: 'pods' }, { group: 'batch', resource: 'jobs' }, { group: '', resource: 'secrets' }])
  const pod = (cpu: string, phase: string): object => ({ metadata: { name: 'p' }, spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] }, status: { phase } })
  const pods = { group: '', resource: 'pods' }
  const objects = [{ kind: pods, object: pod('500m', 'Running') }, { kind: pods, object: pod('1', 'Pending') }, { kind: pods, object: pod('2', 'Succeeded') }, { kind: { group: 'batch', resource: 'jobs' }, object: { metadata: { name: 'j' } } }]
  expect(textsOf(usedOf(quota, objects, 0))).toEqual({ pods: '2', 'requests.cpu': '1500m', 'count/jobs.batch': '1', secrets: '0' })
})
