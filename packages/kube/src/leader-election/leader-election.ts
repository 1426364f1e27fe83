import type { KubeClient } from '../client/client.ts'
import type { Clock } from '../clock/clock.ts'
import type { Logger } from '../logging/logger.ts'

/** client-go's leader election on a Lease. Durations are seconds, as in LeaderElectionConfiguration. */
export interface LeaderElectionOptions {
  client: KubeClient
  lease: { namespace: string; name: string }
  /** Must differ between candidates: the host name and something random. */
  identity: string
  /** How long others wait after the last renewal they saw; 15 when absent. */
  leaseDurationSeconds?: number
  /** How long the leader tries to renew before it gives up; 10 when absent. */
  renewDeadlineSeconds?: number
  /** Pause between tries; 2 when absent. */
  retryPeriodSeconds?: number
  /** Called once when leading; the signal aborts when leadership is lost or the election ends. */
  onStarted(signal: AbortSignal): void
  /** Called once when leadership is over (never where it was not gained). */
  onStopped(): void
  /** Ends the election; a held lease is released. */
  signal: AbortSignal
  clock?: Clock
  logger?: Logger
}
