import { expect, test } from 'vitest'
import { createClient } from '../client/create-client.ts'
import { fakeClock } from '../clock/system-clock.ts'
import { TransportError } from '../errors.ts'
import { createWorkQueue } from '../queue/create-work-queue.ts'
import { createMetricsRegistry } from './registry.ts'
import { meteredTransport } from './rest-client-metrics.ts'
import { workQueueMetrics } from './work-queue-metrics.ts'

test('a queue’s waiting, work and retries are counted under upstream’s names', async () => {
  const registry = await createMetricsRegistry()
  const clock = fakeClock()
  const queue = createWorkQueue({ name: 'deployment', clock, observer: (await workQueueMetrics(registry))('deployment') })
  queue.add('a')
  queue.add('b')
  queue.add('a')
  await clock.advance(2000)
  const key = await queue.get()
  await clock.advance(500)
  if (key !== undefined) queue.done(key)
  queue.addRateLimited('c')
  const text = await registry.metrics()
  expect(text).toContain('workqueue_adds_total{name="deployment"} 2\n')
  expect(text).toContain('workqueue_depth{name="deployment"} 1\n')
  expect(text).toContain('workqueue_retries_total{name="deployment"} 1\n')
  expect(text).toContain('workqueue_queue_duration_seconds_sum{name="deployment"} 2\n')
  expect(text).toContain('workqueue_work_duration_seconds_sum{name="deployment"} 0.5\n')
  expect(text).toContain('process_cpu_seconds_total')
})

test('a client’s requests are counted by code and method, failures too', async () => {
  const registry = await createMetricsRegistry()
  let down = false
  const transport = await meteredTransport({
    async request() {
      if (down) throw new TransportError('unreachable', 'down')
      return { status: 200, headers: {}, body: (async function* () { yield Buffer.from('{}') })() }
    },
    async close() {},
  }, registry, '10.0.0.1:6443')
  const client = createClient(transport)
  await client.raw({ method: 'GET', path: '/version' })
  down = true
  await client.raw({ method: 'GET', path: '/version' }).catch(() => {})
  const text = await registry.metrics()
  expect(text).toContain('rest_client_requests_total{code="200",method="GET",host="10.0.0.1:6443"} 1\n')
  expect(text).toContain('rest_client_requests_total{code="<error>",method="GET",host="10.0.0.1:6443"} 1\n')
  expect(text).toContain('rest_client_request_duration_seconds_count{verb="GET",host="10.0.0.1:6443"} 2\n')
})
