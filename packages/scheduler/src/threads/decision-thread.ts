// The decision thread's script: cache, queue and cycle, and nothing that waits for the API but plugins' own requests.
import { parentPort, workerData } from 'node:worker_threads'
import { createClient, createLogger, messagePortTransport, systemClock } from '@berth/kube'
import { schedulerConfigOf, type ConfigFile } from '../config/config.ts'
import { featureGates } from '../config/feature-gates.ts'
import { Decider } from '../loop/decider.ts'
import { openTap } from '../loop/decision-loop.ts'
import type { Outcomes } from '../loop/outcomes.ts'
import { SchedulerMetrics } from '../metrics.ts'
import { errorOfFailure, type Deed, type DecisionThreadData, type FromLoop, type ToLoop } from './protocol.ts'

const { file, gates, maxUnschedulableMs, plainPath, verbosity, api } = workerData as DecisionThreadData
const port = parentPort
if (!port) throw new Error('this script is a worker\'s')

const post = (message: FromLoop): void => port.postMessage(message)
const pending = new Map<number, { resolve(): void; reject(error: Error): void }>()
let deeds: Deed[] = []
let nextId = 1

/** What is decided in one turn goes in one message. */
function send(deed: Deed): void {
  deeds.push(deed)
  if (deeds.length > 1) return
  setImmediate(() => {
    post({ kind: 'do', deeds })
    deeds = []
  })
}

function perform(make: (id: number) => Deed): Promise<void> {
  return new Promise((resolve, reject) => {
    const id = nextId++
    pending.set(id, { resolve, reject })
    send(make(id))
  })
}

const outcomes: Outcomes = {
  bind: (pod, node) => perform((id) => ({ id, do: 'bind', pod, node })),
  patchStatus: (pod, status) => perform((id) => ({ id, do: 'patchStatus', pod, status })),
  deletePod: (pod) => perform((id) => ({ id, do: 'deletePod', pod })),
  event: (pod, type, reason, message) => send({ do: 'event', pod, type, reason, message }),
}

const config = { ...schedulerConfigOf(file as ConfigFile, featureGates(gates)), maxUnschedulableMs }
const metrics = new SchedulerMetrics()
const decider = new Decider({
  config, outcomes, metrics, plainPath,
  client: createClient(messagePortTransport(api), { userAgent: 'berth-scheduler' }),
  clock: systemClock, random: Math.random,
  logger: createLogger({ name: 'scheduler', verbosity }),
})
decider.whenSynced.then(() => post({ kind: 'synced' }), () => undefined)

port.on('message', (message: ToLoop) => {
  switch (message.kind) {
    case 'items': return decider.offer(message.items, () => post({ kind: 'applied' }))
    case 'lead': return decider.lead()
    case 'stop':
      void decider.stop().then(() => {
        post({ kind: 'stopped' })
        port.close()
      })
      return
    case 'ask':
      if (message.what === 'kept') return post({ kind: 'answer', id: message.id, answer: decider.decisions.get(message.pod ?? '') })
      if (message.what === 'resources') return post({ kind: 'answer', id: message.id, answer: decider.resourcesText() })
      void decider.metricsText().then((answer) => post({ kind: 'answer', id: message.id, answer }))
      return
    case 'tap': return openTap(decider, message.port)
    case 'done':
      for (const { id, failure } of message.deeds) {
        const call = pending.get(id)
        pending.delete(id)
        if (failure) call?.reject(errorOfFailure(failure))
        else call?.resolve()
      }
  }
})
