import { flowcontrol } from '@berth/api'
import type { FlowSchema } from '@berth/api/types/flowcontrol/v1'
import { expect, test } from 'vitest'
import { MemoryStore } from '../test-support/memory-store.ts'
import { flowSchemas, priorityLevels } from './flow-control-config.ts'
import { danglingCondition, flowControlObjectsHook } from './flow-control-hooks.ts'

const log = { info() {}, error() {} }
const signal = AbortSignal.abort()

test('flow schemas and priority levels are made, repaired, and left alone where somebody took them over', async () => {
  const store = new MemoryStore()
  const hook = flowControlObjectsHook(store, log)
  await hook.run(signal)
  expect(store.list(flowcontrol.flowschemas).map(({ metadata }) => metadata.name)).toEqual([
    'catch-all', 'exempt', 'global-default', 'kube-controller-manager', 'kube-scheduler', 'kube-system-service-accounts', 'probes', 'service-accounts', 'system-leader-election', 'system-node-high', 'system-nodes',
  ])
  expect(store.list(flowcontrol.prioritylevelconfigurations)).toHaveLength(priorityLevels.length)
  const [probes, nodes] = ['probes', 'system-nodes'].map((name) => store.get(flowcontrol.flowschemas, name))
  if (!probes || !nodes) throw new Error('schemas are missing')
  await store.update(flowcontrol.flowschemas, { ...probes, spec: { ...probes.spec, matchingPrecedence: 77 } })
  await store.update(flowcontrol.flowschemas, { ...nodes, metadata: { ...nodes.metadata, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } }, spec: { ...nodes.spec, matchingPrecedence: 88 } })
  await store.delete(flowcontrol.prioritylevelconfigurations, 'system')
  await hook.run(signal)
  expect([store.get(flowcontrol.flowschemas, 'probes')?.spec.matchingPrecedence, store.get(flowcontrol.flowschemas, 'system-nodes')?.spec.matchingPrecedence]).toEqual([2, 88])
  expect(store.get(flowcontrol.prioritylevelconfigurations, 'system')?.spec?.limited?.nominalConcurrencyShares).toBe(30)
})

test('no schema of the server’s own dangles', () => {
  const levels = new Set(priorityLevels.map(({ metadata }) => metadata.name))
  expect(flowSchemas.filter(({ spec }) => !levels.has(spec.priorityLevelConfiguration.name))).toEqual([])
})

const schema: FlowSchema = { metadata: { name: 's' }, spec: { priorityLevelConfiguration: { name: 'p' } } }
const now = Date.UTC(2026, 0, 1)
const found = { type: 'Dangling', status: 'False', reason: 'Found', message: 'This FlowSchema references the PriorityLevelConfiguration object named "p" and it exists', lastTransitionTime: '2026-01-01T00:00:00Z' }
const missing = { ...found, status: 'True', reason: 'NotFound', message: 'This FlowSchema references the PriorityLevelConfiguration object named "p" but there is no such object' }

test.each([
  ['nothing is said yet, and it exists', undefined, true, found],
  ['nothing is said yet, and it does not', undefined, false, missing],
  ['it was found, and is gone', found, false, missing],
  ['it was missing, and has come', missing, true, found],
  ['it was found, and still is', found, true, undefined],
  ['it was missing, and still is', missing, false, undefined],
])('a flow schema’s priority level: %s', (_name, condition, exists, wanted) => {
  expect(danglingCondition({ ...schema, ...(condition && { status: { conditions: [condition] } }) }, exists, now)).toEqual(wanted)
})
