import { schedulerConfigOf, startScheduler } from '@berth/scheduler'
import { runPartThread } from './part-thread.ts'

await runPartThread('scheduler', ({ client, logger }) => startScheduler({ client, logger, config: schedulerConfigOf({}) }))
