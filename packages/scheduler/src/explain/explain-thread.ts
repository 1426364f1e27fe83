// The explain thread's script: a cache of its own, fed by the decision loop's tap, and the plain path. It is started by the first question.
import { parentPort, workerData } from 'node:worker_threads'
import { createLogger, systemClock } from '@berth/kube'
import { schedulerConfigOf, type ConfigFile } from '../config/config.ts'
import { featureGates } from '../config/feature-gates.ts'
import { ExplainError } from '../errors.ts'
import { makeProfile } from '../framework/profile.ts'
import type { FeedItem } from '../loop/feed-item.ts'
import { Explainer } from './explainer.ts'
import { answerOf } from './question.ts'
import type { ExplainReply, ExplainRequest, ExplainThreadData } from './thread-protocol.ts'

const { file, gates, verbosity, tap } = workerData as ExplainThreadData
const port = parentPort
if (!port) throw new Error('this script is a worker\'s')
const logger = createLogger({ name: 'explain', verbosity })
const config = schedulerConfigOf(file as ConfigFile, featureGates(gates))
const kept = new Map<string, ExplainRequest['kept']>()
const explainer = new Explainer({
  clock: systemClock, kept: (pod) => kept.get(pod),
  profiles: (snapshot) => new Map(config.profiles.map((profile) => [profile.schedulerName, makeProfile({ ...profile, gates: config.gates, snapshot })])),
})

function take(item: FeedItem): void {
  switch (item.type) {
    case 'waiting': return explainer.waiting(item.pod)
    case 'settled': return explainer.settled(item.key)
    case 'synced': return port?.postMessage({ type: 'synced' } satisfies ExplainReply)
    default: explainer.change(item)
  }
}

tap.on('message', (items: FeedItem[]) => {
  for (const item of items) {
    try {
      take(item)
    } catch (error) {
      // A pod whose amounts cannot be read does not count, here as there.
      logger.error(error, 'Failed to take in a change', { type: item.type })
    }
  }
})

port.on('message', ({ id, question, kept: decision }: ExplainRequest) => {
  if (question.ask === 'why') kept.set(question.pod, decision)
  try {
    port.postMessage({ type: 'answer', id, answer: answerOf(explainer, question) } satisfies ExplainReply)
  } catch (error) {
    if (!(error instanceof ExplainError)) logger.error(error, 'A question could not be answered', { ask: question.ask })
    port.postMessage({ type: 'failure', id, code: error instanceof ExplainError ? error.code : undefined, message: (error as Error).message } satisfies ExplainReply)
  } finally {
    kept.clear()
  }
})
