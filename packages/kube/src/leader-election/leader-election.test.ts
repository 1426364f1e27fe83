import { coordination, type ResourceInfo } from '@berth/api'
import type { Lease } from '@berth/api/types/coordination/v1'
import { expect, test } from 'vitest'
import type { KubeClient } from '../client/client.ts'
import { fakeClock } from '../clock/system-clock.ts'
import { ApiError } from '../errors.ts'
import { runLeaderElection } from './run-leader-election.ts'

/** One lease behind get, create and update, with the server's conflicts; `down` makes it refuse everything. */
function leaseServer(): { client: KubeClient; lease: () => Lease | undefined; down: boolean } {
  let lease: Lease | undefined
  let version = 0
  const refuse = (code: number, reason: string): never => { throw new ApiError(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, code, reason }) }
  const state = {
    down: false,
    lease: () => lease,
    client: {
      async get(resource: ResourceInfo) {
        expect(resource).toBe(coordination.leases)
        if (state.down) refuse(503, 'ServiceUnavailable')
        return lease ?? refuse(404, 'NotFound')
      },
      async create(_resource: ResourceInfo, object: Lease) {
        if (lease !== undefined) refuse(409, 'AlreadyExists')
        return store(object)
      },
      async update(_resource: ResourceInfo, object: Lease) {
        if (state.down) refuse(503, 'ServiceUnavailable')
        if (object.metadata.resourceVersion !== lease?.metadata.resourceVersion) refuse(409, 'Conflict')
        return store(object)
      },
    } as unknown as KubeClient,
  }
  const store = (object: Lease): Lease => {
    version += 1
    lease = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } })
    return lease
  }
  return state
}

test('one leads and renews; another takes over when it stops, and the lease counts the change', async () => {
  const clock = fakeClock(Date.parse('2026-01-01T00:00:00Z'))
  const server = leaseServer()
  const log: string[] = []
  const candidate = (identity: string): { stop: AbortController; done: Promise<void> } => {
    const stop = new AbortController()
    const done = runLeaderElection({ client: server.client, lease: { namespace: 'kube-system', name: 'x' }, identity, clock, signal: stop.signal, onStarted: () => log.push(`${identity} leads`), onStopped: () => log.push(`${identity} stopped`) })
    return { stop, done }
  }
  const a = candidate('a')
  await clock.advance(0)
  const b = candidate('b')
  await clock.advance(60_000)
  expect(log).toEqual(['a leads'])
  expect(server.lease()?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0, acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:01:00.000000Z' })
  a.stop.abort()
  await clock.advance(1)
  await a.done
  expect(server.lease()?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
  await clock.advance(5_000)
  expect(log).toEqual(['a leads', 'a stopped', 'b leads'])
  expect(server.lease()?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
  b.stop.abort()
  await clock.advance(1)
  await b.done
})

test('a leader that cannot renew stops before its lease runs out for others', async () => {
  const clock = fakeClock()
  const server = leaseServer()
  let aborted = false
  let stoppedAt = 0
  const done = runLeaderElection({
    client: server.client, lease: { namespace: 'n', name: 'x' }, identity: 'a', clock, signal: new AbortController().signal,
    onStarted: (signal) => signal.addEventListener('abort', () => { aborted = true }),
    onStopped: () => { stoppedAt = clock.now() },
  })
  await clock.advance(4_000)
  server.down = true
  await clock.advance(15_000)
  await done
  expect(aborted).toBe(true)
  expect(stoppedAt).toBe(14_000)
})

test('a holder that dies is replaced only after its lease has not changed for its whole duration', async () => {
  const clock = fakeClock(1_000_000)
  const server = leaseServer()
  await server.client.create(coordination.leases, { metadata: { name: 'x', namespace: 'n' }, spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2099-01-01T00:00:00.000000Z', leaseTransitions: 4 } })
  let at = 0
  const stop = new AbortController()
  const done = runLeaderElection({ client: server.client, lease: { namespace: 'n', name: 'x' }, identity: 'b', clock, signal: stop.signal, onStarted: () => { at = clock.now() }, onStopped() {} })
  await clock.advance(30_000)
  expect(at - 1_000_000).toBeGreaterThanOrEqual(15_000)
  expect(at - 1_000_000).toBeLessThan(20_000)
  expect(server.lease()?.spec?.leaseTransitions).toBe(5)
  stop.abort()
  await clock.advance(1)
  await done
})

test('durations that could give two leaders are refused', async () => {
  const base = { client: leaseServer().client, lease: { namespace: 'n', name: 'x' }, identity: 'a', signal: new AbortController().signal, onStarted() {}, onStopped() {} }
  await expect(runLeaderElection({ ...base, leaseDurationSeconds: 10 })).rejects.toThrow('leaseDuration must be greater than renewDeadline')
  await expect(runLeaderElection({ ...base, renewDeadlineSeconds: 2 })).rejects.toThrow('renewDeadline must be greater than retryPeriod*JitterFactor')
})
