import { Worker } from 'node:worker_threads'
import type { Logger } from '@berth/kube'
import type { SchedulerConfig } from '../config/types.ts'
import { ExplainError } from '../errors.ts'
import type { DecisionRecord } from '../loop/decision-log.ts'
import type { DecisionLoop } from '../loop/decision-loop.ts'
import type { Answer, KeptDecision } from './answers.ts'
import type { Question } from './question.ts'
import type { ExplainReply, ExplainRequest, ExplainThreadData } from './thread-protocol.ts'

/** So long after the last question the thread and its cache are let go. */
const idleMs = 10 * 60_000

interface Running {
  readonly worker: Worker
  readonly synced: Promise<void>
  readonly waiting: Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>
}

/** Answers questions about placements on a thread of its own, which lives from the first question to some time after the last. */
export class ExplainService {
  readonly #loop: DecisionLoop
  readonly #config: SchedulerConfig
  readonly #logger: Logger
  readonly #verbosity: number
  #running: Running | undefined
  #nextId = 1
  #idle: NodeJS.Timeout | undefined

  constructor({ loop, config, logger, verbosity }: { loop: DecisionLoop; config: SchedulerConfig; logger: Logger; verbosity: number }) {
    this.#loop = loop
    this.#config = config
    this.#logger = logger
    this.#verbosity = verbosity
  }

  /** Throws ExplainError for a question that has no answer. */
  async ask(question: Question): Promise<Answer> {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.stop(), idleMs)
    this.#idle.unref()
    const running = (this.#running ??= this.#start())
    await running.synced
    const record = question.ask === 'why' ? await this.#loop.kept(question.pod) : undefined
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      running.waiting.set(id, { resolve, reject })
      running.worker.postMessage({ id, question, ...(record ? { kept: keptOf(record) } : {}) } satisfies ExplainRequest)
    })
  }

  async stop(): Promise<void> {
    clearTimeout(this.#idle)
    const running = this.#running
    this.#running = undefined
    await running?.worker.terminate()
  }

  #start(): Running {
    const tap = this.#loop.tap()
    const workerData: ExplainThreadData = { file: this.#config.file, gates: this.#config.gates.overrides, verbosity: this.#verbosity, tap }
    const worker = new Worker(new URL('./explain-thread.ts', import.meta.url), { name: 'explain', workerData, transferList: [tap] })
    worker.unref()
    const waiting: Running['waiting'] = new Map()
    const synced = Promise.withResolvers<void>()
    synced.promise.catch(() => undefined)
    worker.on('message', (reply: ExplainReply) => {
      if (reply.type === 'synced') return synced.resolve()
      const asked = waiting.get(reply.id)
      waiting.delete(reply.id)
      if (reply.type === 'answer') asked?.resolve(reply.answer)
      else asked?.reject(reply.code ? new ExplainError(reply.code, reply.message) : new Error(reply.message))
    })
    const end = (error: Error): void => {
      if (this.#running?.worker === worker) this.#running = undefined
      synced.reject(error)
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    }
    // The next question starts another one.
    worker.on('error', (error) => {
      this.#logger.error(error, 'The explain thread failed')
      end(error instanceof Error ? error : new Error(String(error)))
    })
    worker.on('exit', () => end(new Error('the explain thread has ended')))
    return { worker, synced: synced.promise, waiting }
  }
}

function keptOf({ time, sequence, node, feasible, best, message, reasons }: DecisionRecord): KeptDecision {
  return {
    time: new Date(time).toISOString(), sequence, ...(node === undefined ? {} : { node }), ...(feasible === undefined ? {} : { feasible }), ...(best ? { best } : {}),
    ...(message === undefined ? {} : { message }), ...(reasons ? { reasons } : {}),
  }
}
