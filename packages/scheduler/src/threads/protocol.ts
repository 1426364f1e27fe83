import type { MessagePort } from 'node:worker_threads'
import { ApiError, errorText, TransportError, type TransportFailure } from '@berth/kube'
import type { Status } from '@berth/api/types/meta/v1'
import type { FeedItem } from '../loop/feed-item.ts'
import type { PodRef } from '../loop/outcomes.ts'

/** What the decision thread is started with; plain data. */
export interface DecisionThreadData {
  /** The configuration file's content with what flags changed; it is read again there. */
  readonly file: unknown
  readonly gates: Readonly<Record<string, boolean>>
  readonly maxUnschedulableMs: number
  readonly plainPath: boolean
  readonly verbosity: number
  /** For plugins' own requests. */
  readonly api: MessagePort
}

/** To the decision thread. */
export type ToLoop =
  | { readonly kind: 'items'; readonly items: readonly FeedItem[] }
  | { readonly kind: 'lead' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'ask'; readonly id: number; readonly what: 'metrics' | 'resources' | 'kept'; readonly pod?: string }
  | { readonly kind: 'tap'; readonly port: MessagePort }
  | { readonly kind: 'done'; readonly deeds: readonly Done[] }

/** From the decision thread. */
export type FromLoop =
  /** A slice has been applied: another one may come. */
  | { readonly kind: 'applied' }
  | { readonly kind: 'synced' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'do'; readonly deeds: readonly Deed[] }

/** An outcome that is to be done to the API; those with an id are answered by `done`. */
export type Deed =
  | { readonly id: number; readonly do: 'bind'; readonly pod: PodRef; readonly node: string }
  | { readonly id: number; readonly do: 'patchStatus'; readonly pod: PodRef; readonly status: Readonly<Record<string, unknown>> }
  | { readonly id: number; readonly do: 'deletePod'; readonly pod: PodRef }
  | { readonly do: 'event'; readonly pod: PodRef; readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }

/** What became of a deed. */
export interface Done { readonly id: number; readonly failure?: Failure }

/** An error on its way to another thread. */
export type Failure =
  | { readonly kind: 'api'; readonly code: number; readonly status: Status }
  | { readonly kind: 'transport'; readonly reason: TransportFailure; readonly message: string }
  | { readonly kind: 'other'; readonly message: string }

export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return { kind: 'api', code: error.code, status: error.status }
  if (error instanceof TransportError) return { kind: 'transport', reason: error.reason, message: error.message }
  return { kind: 'other', message: errorText(error) }
}

export function errorOfFailure(failure: Failure): Error {
  switch (failure.kind) {
    case 'api': return new ApiError(failure.code, failure.status)
    case 'transport': return new TransportError(failure.reason, failure.message)
    case 'other': return new Error(failure.message)
  }
}
