import type { Pod } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { podGarbage } from './plan.ts'

const pod = (name: string, more: { node?: string; phase?: 'Running' | 'Succeeded' | 'Failed'; created?: string; deleting?: boolean; reason?: string } = {}): Pod => ({
  metadata: { name, creationTimestamp: more.created ?? '2026-01-01T00:00:00Z', ...(more.deleting === true ? { deletionTimestamp: 't' } : {}) },
  spec: { nodeName: more.node, containers: [] }, status: { phase: more.phase ?? 'Running', reason: more.reason },
})
const nodes = { exists: (name: string) => name !== 'gone', outOfService: (name: string) => name === 'dead' }
const names = (pods: Pod[]): string[] => pods.map((p) => p.metadata.name)

test('of pods that are over, the evicted and then the oldest go beyond the threshold', () => {
  const pods = [pod('young', { node: 'n', phase: 'Succeeded', created: '2026-01-03T00:00:00Z' }), pod('old', { node: 'n', phase: 'Failed' }), pod('evicted', { node: 'n', phase: 'Failed', reason: 'Evicted', created: '2026-01-04T00:00:00Z' }), pod('runs', { node: 'n' })]
  expect(names(podGarbage(pods, nodes, 1).terminated)).toEqual(['evicted', 'old'])
  expect(podGarbage(pods, nodes, 3).terminated).toEqual([])
  expect(podGarbage(pods, nodes, 0).terminated).toEqual([])
})

test('each kind of lost pod is told apart', () => {
  const got = podGarbage([pod('lost', { node: 'gone' }), pod('waiting'), pod('unscheduled', { deleting: true }), pod('ending', { node: 'n', deleting: true }), pod('stuck', { node: 'dead', deleting: true }), pod('there', { node: 'dead' })], nodes, 10)
  expect([names(got.orphaned), names(got.unscheduled), names(got.outOfService)]).toEqual([['lost'], ['unscheduled'], ['stuck']])
})
