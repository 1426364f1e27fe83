import { createEventRecorder, createInformers, systemClock, type Informers, type KubeClient, type Logger } from '@berth/kube'
import type { SchedulerConfig } from './config/config.ts'
import { Scheduler } from './loop/scheduler.ts'

/** What `startScheduler` needs: a client of any API server, and a configuration. */
export interface StartSchedulerOptions {
  readonly client: KubeClient
  readonly config: SchedulerConfig
  readonly logger: Logger
  /** Shared informers of the same client; own ones where absent. */
  readonly informers?: Informers
}

/** Starts a scheduler that decides at once (leader election is the caller's); resolves when it knows the cluster. */
export async function startScheduler({ client, config, logger, informers }: StartSchedulerOptions): Promise<Scheduler> {
  const recorder = createEventRecorder({ client, component: config.profiles[0]?.schedulerName ?? 'default-scheduler', logger })
  const scheduler = new Scheduler({ client, config, logger, recorder, informers: informers ?? createInformers(client, { logger }), clock: systemClock, random: Math.random })
  await scheduler.start()
  return scheduler
}
