import type { Pod } from '@berth/api/types/core/v1'
import type { Change } from '../cache/changes.ts'

/** What the decision loop is fed with, in order. Plain data: it may come from another thread. */
export type FeedItem =
  | Change
  /** A pod without a node is there, or has changed. */
  | { readonly type: 'waiting'; readonly pod: Pod }
  /** A pod waits no longer: it has a node, or is gone. */
  | { readonly type: 'settled'; readonly key: string }
  /** All that there was at the beginning has been told. */
  | { readonly type: 'synced' }
