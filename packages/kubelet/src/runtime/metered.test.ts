import type { CriClient } from '@berth/cri'
import { expect, test } from 'vitest'
import { createMetrics } from '../metrics.ts'
import { meteredClient, operationType } from './metered.ts'

test.each([['runPodSandbox', 'run_podsandbox'], ['createContainer', 'create_container'], ['imageFsInfo', 'image_fs_info'], ['listPodSandbox', 'list_podsandbox']])('%s is the operation %s', (method, operation) => {
  expect(operationType(method)).toBe(operation)
})

test('calls are counted and timed, failures counted apart', async () => {
  const metrics = createMetrics()
  const client = meteredClient({ startContainer: async () => ({}), stopContainer: async () => { throw new Error('no') } } as unknown as CriClient, metrics)
  await client.startContainer({ containerId: 'a' })
  await expect(client.stopContainer({ containerId: 'a', timeout: 0n })).rejects.toThrow('no')
  const text = await metrics.registry.metrics()
  expect(text).toContain('kubelet_runtime_operations_total{operation_type="start_container"} 1')
  expect(text).toContain('kubelet_runtime_operations_errors_total{operation_type="stop_container"} 1')
  expect(text).toContain('kubelet_runtime_operations_duration_seconds_count{operation_type="start_container"} 1')
})
