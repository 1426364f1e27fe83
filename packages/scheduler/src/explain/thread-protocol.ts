import type { MessagePort } from 'node:worker_threads'
import type { Answer, KeptDecision } from './answers.ts'
import type { Question } from './question.ts'

/** What the explain thread is started with; plain data. */
export interface ExplainThreadData {
  /** The configuration file's content; it is read again there. */
  readonly file: unknown
  readonly gates: Readonly<Record<string, boolean>>
  readonly verbosity: number
  /** The decision loop's tap: FeedItem[]. */
  readonly tap: MessagePort
}

export interface ExplainRequest {
  readonly id: number
  readonly question: Question
  /** What the loop kept of its last decision on the pod that is asked about. */
  readonly kept?: KeptDecision | undefined
}

export type ExplainReply =
  | { readonly type: 'synced' }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'failure'; readonly id: number; readonly code: 'NotFound' | 'Invalid' | undefined; readonly message: string }
