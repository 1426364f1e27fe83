import { schedulerConfigOf, startServedScheduler, type ServedSchedulerOptions } from '@berth/scheduler'
import { runPartThread } from './part-thread.ts'

await runPartThread('scheduler', ({ client, logger, settings, verbosity }) => startServedScheduler({
  client, logger, verbosity, config: schedulerConfigOf({}), serving: settings['schedulerServing'] as ServedSchedulerOptions['serving'],
}))
