import { MessageChannel, Worker } from 'node:worker_threads'
import { serveMessagePort, type KubeClient, type Logger } from '@berth/kube'
import type { DecisionLoop } from '../loop/decision-loop.ts'
import type { DecisionRecord } from '../loop/decision-log.ts'
import type { FeedItem } from '../loop/feed-item.ts'
import type { Outcomes } from '../loop/outcomes.ts'
import { failureOf, type Deed, type DecisionThreadData, type Done, type FromLoop, type ToLoop } from './protocol.ts'

/** How many items pass at a time, and how many slices may be on their way: what is read there at once is never much. */
const sliceSize = 250
const slicesOnTheWay = 2
const stopMs = 5000
/** What comes shortly after a message waits for the next: waking a thread costs more than what it is told. Milliseconds. */
const pauseMs = 4

export interface RemoteLoopOptions {
  readonly settings: Omit<DecisionThreadData, 'api'>
  readonly outcomes: Outcomes
  readonly client: KubeClient
  readonly logger: Logger
  /** The thread ended by itself: whoever started it had better end, too. */
  readonly onDied: (error: Error) => void
}

/** The decision loop on a thread of its own: items go there in slices, each when an earlier one has been applied; outcomes come back and are done here. */
export function startRemoteLoop({ settings, outcomes, client, logger, onDied }: RemoteLoopOptions): DecisionLoop {
  const api = new MessageChannel()
  const unserve = serveMessagePort(api.port1, (request) => client.raw(request))
  const workerData: DecisionThreadData = { ...settings, api: api.port2 }
  const worker = new Worker(new URL('./decision-thread.ts', import.meta.url), { name: 'decisions', workerData, transferList: [api.port2] })
  const synced = Promise.withResolvers<void>()
  synced.promise.catch(() => undefined)
  const stopped = Promise.withResolvers<void>()
  const asked = new Map<number, (answer: unknown) => void>()
  let waiting: FeedItem[] = []
  let onTheWay = 0
  let nextId = 1
  let scheduled = false
  let stopping = false
  let lastPassed = -Infinity
  let done: Done[] = []

  const post = (message: ToLoop, transfer: readonly MessagePortLike[] = []): void => worker.postMessage(message, [...transfer])
  const pass = (): void => {
    scheduled = false
    while (waiting.length > 0 && onTheWay < slicesOnTheWay) {
      const items = waiting.length <= sliceSize ? waiting : waiting.slice(0, sliceSize)
      waiting = waiting.length <= sliceSize ? [] : waiting.slice(sliceSize)
      onTheWay++
      lastPassed = performance.now()
      post({ kind: 'items', items })
    }
  }
  /** The first goes at once; what comes in one turn, or in the pause after it, goes in one message. */
  const passSoon = (): void => {
    if (scheduled || waiting.length === 0 || onTheWay >= slicesOnTheWay) return
    scheduled = true
    if (performance.now() - lastPassed > pauseMs) setImmediate(pass)
    else setTimeout(pass, pauseMs)
  }
  const finish = (one: Done): void => {
    if (done.push(one) > 1) return
    setTimeout(() => {
      const all = done
      done = []
      post({ kind: 'done', deeds: all })
    }, pauseMs)
  }
  const perform = async (deed: Exclude<Deed, { do: 'event' }>): Promise<void> => {
    switch (deed.do) {
      case 'bind': return outcomes.bind(deed.pod, deed.node)
      case 'patchStatus': return outcomes.patchStatus(deed.pod, deed.status)
      case 'deletePod': return outcomes.deletePod(deed.pod)
    }
  }
  const take = (message: FromLoop): void => {
    switch (message.kind) {
      case 'applied':
        onTheWay--
        return waiting.length >= sliceSize ? pass() : passSoon()
      case 'synced': return synced.resolve()
      case 'stopped': return stopped.resolve()
      case 'answer':
        asked.get(message.id)?.(message.answer)
        asked.delete(message.id)
        return
      case 'do':
        for (const deed of message.deeds) {
          if (deed.do === 'event') outcomes.event(deed.pod, deed.type, deed.reason, deed.message)
          else perform(deed).then(() => finish({ id: deed.id }), (error: unknown) => finish({ id: deed.id, failure: failureOf(error) }))
        }
    }
  }
  worker.on('message', take)
  worker.on('error', (error) => logger.error(error, 'The decision thread failed'))
  worker.on('exit', (code) => {
    stopped.resolve()
    const error = new Error(`the decision thread ended with exit code ${code}`)
    synced.reject(error)
    if (!stopping) onDied(error)
  })
  const ask = (what: 'metrics' | 'resources' | 'kept', pod?: string): Promise<unknown> => new Promise((resolve) => {
    const id = nextId++
    asked.set(id, resolve)
    post({ kind: 'ask', id, what, ...(pod === undefined ? {} : { pod }) })
  })

  return {
    offer(items) {
      for (const item of items) waiting.push(item)
      passSoon()
    },
    whenSynced: synced.promise,
    lead: () => post({ kind: 'lead' }),
    async stop() {
      if (stopping) return stopped.promise
      stopping = true
      post({ kind: 'stop' })
      let timer: NodeJS.Timeout | undefined
      await Promise.race([stopped.promise, new Promise<void>((resolve) => { timer = setTimeout(resolve, stopMs) })])
      clearTimeout(timer)
      await worker.terminate()
      unserve()
    },
    metrics: async () => String(await ask('metrics')),
    resources: async () => String(await ask('resources')),
    kept: async (pod) => await ask('kept', pod) as DecisionRecord | undefined,
    tap() {
      const { port1, port2 } = new MessageChannel()
      post({ kind: 'tap', port: port1 }, [port1])
      return port2
    },
  }
}

type MessagePortLike = MessageChannel['port1']
