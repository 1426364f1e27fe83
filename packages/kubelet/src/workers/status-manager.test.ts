import type { Pod } from '@berth/api/types/core/v1'
import { createClient, createLogger, inProcessTransport } from '@berth/kube'
import { expect, it } from 'vitest'
import { createMemoryApi } from '../../test/support/memory-api.ts'
import { testPod } from '../pods/test-pods.ts'
import { createStatusManager } from './status-manager.ts'

it('writes what was decided to the object that comes later, and to the next one of the name', async () => {
  const api = createMemoryApi()
  const path = '/api/v1/namespaces/default/pods/fixed-node-1'
  const patches = (): number => api.requests.filter((r) => r === `PATCH ${path}/status`).length
  const stop = new AbortController()
  const statuses = createStatusManager({
    client: createClient(inProcessTransport(api.handler, { name: 'system:node:node-1', groups: ['system:nodes'] })),
    logger: createLogger({ name: 'kubelet', write: () => {} }),
    live: () => api.get<Pod>(path),
  })
  statuses.start(stop.signal)
  const fixed = testPod({}, { name: 'fixed-node-1', namespace: 'default', uid: 'static' })
  statuses.set(fixed, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
  await new Promise((r) => setImmediate(r))
  expect(patches()).toBe(0)

  for (const mirror of ['first', 'second']) {
    api.put(path, { ...fixed, metadata: { ...fixed.metadata, uid: mirror } })
    statuses.again('static')
    await expect.poll(() => api.get<Pod>(path)?.status?.phase, { timeout: 10_000 }).toBe('Running')
    expect(api.get<Pod>(path)?.metadata.uid).toBe(mirror)
  }
  statuses.again('static')
  statuses.again('nobody')
  await new Promise((r) => setTimeout(r, 50))
  expect(patches()).toBe(2)
  stop.abort()
})
