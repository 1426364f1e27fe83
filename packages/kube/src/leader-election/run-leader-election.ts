import { coordination } from '@berth/api'
import type { Lease, LeaseSpec } from '@berth/api/types/coordination/v1'
import { sleep, systemClock } from '../clock/system-clock.ts'
import { isNotFound, UsageError } from '../errors.ts'
import { silentLogger } from '../logging/create-logger.ts'
import type { LeaderElectionOptions } from './leader-election.ts'

/** client-go's jitter on the pause between tries to acquire. */
const jitterFactor = 1.2

/** What a candidate remembers: the lease as last seen, and since when it has not changed (by our own clock). */
interface Observed {
  lease?: Lease
  spec: string
  at: number
}

/**
 * Takes part in an election until leadership was had and lost, or the signal aborts; then resolves. Clocks of candidates may differ:
 * only the time since a candidate itself saw the lease change counts.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { identity, signal, clock = systemClock, logger = silentLogger() } = options
  const leaseMs = (options.leaseDurationSeconds ?? 15) * 1000
  const renewMs = (options.renewDeadlineSeconds ?? 10) * 1000
  const retryMs = (options.retryPeriodSeconds ?? 2) * 1000
  if (identity === '') throw new UsageError('Lock identity is empty')
  if (leaseMs <= renewMs) throw new UsageError('leaseDuration must be greater than renewDeadline')
  if (renewMs <= jitterFactor * retryMs) throw new UsageError('renewDeadline must be greater than retryPeriod*JitterFactor')
  const observed: Observed = { spec: '', at: 0 }
  const pause = (ms: number): Promise<void> => sleep(clock, ms, signal).catch(() => {})

  logger.info('Attempting to acquire leader lease...', { lock: options.lease })
  while (!signal.aborted && !await attempt(options, observed, leaseMs, renewMs)) await pause(retryMs * (1 + Math.random() * jitterFactor))
  if (signal.aborted) return

  logger.info('Successfully acquired lease', { lock: options.lease })
  const leading = new AbortController()
  options.onStarted(leading.signal)
  let renewed = clock.now()
  for (await pause(retryMs); !signal.aborted; await pause(retryMs)) {
    if (await attempt(options, observed, leaseMs, renewMs)) renewed = clock.now()
    else if (clock.now() - renewed >= renewMs || !holds(observed, identity)) break
  }
  leading.abort(new Error('leader election lost'))
  if (signal.aborted) await release(options, observed)
  else logger.error(new Error('context deadline exceeded'), 'Failed to renew lease', { lock: options.lease })
  options.onStopped()
}

/** One try to take or keep the lease; false where another holds it or the server did not take our write. */
async function attempt(options: LeaderElectionOptions, observed: Observed, leaseMs: number, timeoutMs: number): Promise<boolean> {
  const { client, lease: { namespace, name }, identity, clock = systemClock, logger = silentLogger() } = options
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)])
  const now = microTime(clock.now())
  const wanted: LeaseSpec = { holderIdentity: identity, leaseDurationSeconds: Math.round(leaseMs / 1000), acquireTime: now, renewTime: now, leaseTransitions: 0 }
  try {
    let current: Lease
    try {
      current = await client.get(coordination.leases, name, { namespace, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      see(observed, await client.create(coordination.leases, { metadata: { name, namespace }, spec: wanted }, { signal }), clock.now())
      return true
    }
    see(observed, current, clock.now())
    const spec = current.spec ?? {}
    const held = spec.holderIdentity !== undefined && spec.holderIdentity !== ''
    const theirsMs = (spec.leaseDurationSeconds ?? 0) * 1000
    if (held && spec.holderIdentity !== identity && observed.at + theirsMs > clock.now()) {
      logger.v(4).info('Lease is held by and has not yet expired', { holder: spec.holderIdentity, lock: options.lease })
      return false
    }
    const ours = spec.holderIdentity === identity
    const next: LeaseSpec = {
      ...spec, ...wanted,
      acquireTime: ours ? spec.acquireTime : now,
      leaseTransitions: ours ? spec.leaseTransitions : (spec.leaseTransitions ?? 0) + 1,
    }
    see(observed, await client.update(coordination.leases, { ...current, spec: next }, { signal }), clock.now())
    return true
  } catch (error) {
    if (!options.signal.aborted) logger.error(error, 'Error retrieving or updating lease', { lock: options.lease })
    return false
  }
}

async function release(options: LeaderElectionOptions, observed: Observed): Promise<void> {
  const lease = observed.lease
  if (lease === undefined || !holds(observed, options.identity)) return
  const now = microTime((options.clock ?? systemClock).now())
  const spec: LeaseSpec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now }
  try {
    await options.client.update(coordination.leases, { ...lease, spec }, { signal: AbortSignal.timeout(2000) })
  } catch (error) {
    options.logger?.error(error, 'Failed to release lock', { lock: options.lease })
  }
}

function see(observed: Observed, lease: Lease, now: number): void {
  const spec = JSON.stringify(lease.spec ?? {})
  observed.lease = lease
  if (observed.spec === spec && observed.at !== 0) return
  observed.spec = spec
  observed.at = now
}

function holds(observed: Observed, identity: string): boolean {
  return observed.lease?.spec?.holderIdentity === identity
}

/** A time as MicroTime is written: six digits of fraction. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
