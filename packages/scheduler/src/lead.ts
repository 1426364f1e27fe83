import crypto from 'node:crypto'
import os from 'node:os'
import { runLeaderElection, type KubeClient, type Logger } from '@berth/kube'
import type { LeaderElectionConfig } from './config/types.ts'

/**
 * Runs what `onLead` begins for as long as this process leads; without an election, until the signal aborts. Resolves with the exit code: 0 where
 * the process was asked to end, 1 where the lease was lost, which ends it, so that nothing is ever decided without leading.
 */
export function whileLeading({ client, election, logger, signal, onLead, onElected }: {
  client: KubeClient
  election: LeaderElectionConfig
  logger: Logger
  signal: AbortSignal
  /** Begins to decide; gives what ends it. */
  onLead: () => Promise<() => Promise<void>>
  onElected: (leads: boolean) => void
}): Promise<number> {
  return new Promise((resolve, reject) => {
    const run = (until: AbortSignal): void => {
      onElected(true)
      onLead().then((stop) => {
        const end = (): void => {
          onElected(false)
          stop().then(() => resolve(signal.aborted ? 0 : 1), reject)
        }
        if (until.aborted) end()
        else until.addEventListener('abort', end, { once: true })
      }, reject)
    }
    if (!election.leaderElect) return run(signal)
    let leads = false
    void runLeaderElection({
      client, logger, signal,
      lease: { namespace: election.namespace, name: election.name },
      identity: `${os.hostname()}_${crypto.randomUUID()}`,
      leaseDurationSeconds: election.leaseDurationMs / 1000,
      renewDeadlineSeconds: election.renewDeadlineMs / 1000,
      retryPeriodSeconds: election.retryPeriodMs / 1000,
      onStarted(until) {
        leads = true
        run(until)
      },
      onStopped: () => logger.info('leaderelection lost'),
    })
    signal.addEventListener('abort', () => {
      if (!leads) resolve(0)
    }, { once: true })
  })
}
