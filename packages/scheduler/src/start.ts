import { createEventRecorder, createInformers, systemClock, type Informers, type KubeClient, type Logger } from '@berth/kube'
import type { SchedulerConfig } from './config/types.ts'
import { Decider } from './loop/decider.ts'
import { localLoop, type DecisionLoop } from './loop/decision-loop.ts'
import { directOutcomes } from './loop/outcomes.ts'
import { Scheduler } from './loop/scheduler.ts'
import { SchedulerMetrics } from './metrics.ts'
import { startRemoteLoop } from './threads/remote-loop.ts'

/** What `startScheduler` needs: a client of any API server, and a configuration. */
export interface StartSchedulerOptions {
  readonly client: KubeClient
  readonly config: SchedulerConfig
  readonly logger: Logger
  /** Shared informers of the same client; own ones where absent. */
  readonly informers?: Informers
  /** Decides on a thread of its own; on this one, where absent. */
  readonly thread?: { readonly verbosity: number; readonly onDied: (error: Error) => void }
  /** Whether it decides at once; otherwise from `lead` on. True where absent: leader election is the caller's. */
  readonly leads?: boolean
  /** Computes every decision anew, without the engine: for comparison alone. */
  readonly plainPath?: boolean
}

/** Puts a scheduler together; nothing runs before its `start`, nothing is decided before its `lead`. */
export function prepareScheduler({ client, config, logger, informers, thread, plainPath = false }: Omit<StartSchedulerOptions, 'leads'>): Scheduler {
  const stopping = new AbortController()
  const clock = systemClock
  const recorder = createEventRecorder({ client, component: config.profiles[0]?.schedulerName ?? 'default-scheduler', logger })
  const outcomes = directOutcomes({ client, recorder, clock, logger, signal: stopping.signal })
  const local = (): DecisionLoop => {
    const metrics = new SchedulerMetrics()
    return localLoop(new Decider({ client, config, outcomes, metrics, clock, logger, random: Math.random, plainPath }))
  }
  const loop = thread
    ? startRemoteLoop({ client, outcomes, logger, onDied: thread.onDied, settings: { file: config.file, gates: config.gates.overrides, maxUnschedulableMs: config.maxUnschedulableMs, plainPath, verbosity: thread.verbosity } })
    : local()
  return new Scheduler({
    client, config, logger, clock, loop, informers: informers ?? createInformers(client, { logger }),
    onStopped: async () => stopping.abort(),
  })
}

/** Starts a scheduler; resolves when it knows the cluster. */
export async function startScheduler({ leads = true, ...options }: StartSchedulerOptions): Promise<Scheduler> {
  const scheduler = prepareScheduler(options)
  if (leads) scheduler.lead()
  await scheduler.start()
  return scheduler
}
