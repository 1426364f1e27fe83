// How many requests may be worked on at a time: upstream's --max-requests-inflight and --max-mutating-requests-inflight.
import type { ApiResponse, RequestInfo, UserInfo } from '../interfaces.ts'
import { textResponse } from './respond.ts'

const reading = new Set(['get', 'list', 'watch'])

/** Places for requests that read and for those that change something; long-running requests take none. */
export class InflightLimit {
  readonly #limits: Readonly<Record<'readOnly' | 'mutating', number>>
  readonly #taken = { readOnly: 0, mutating: 0 }

  /** 0 is no limit. */
  constructor(limits: { readOnly: number, mutating: number }) {
    this.#limits = limits
  }

  /** Takes a place and gives the way to leave it; undefined when all are taken. Members of system:masters always get one. */
  enter(info: RequestInfo, user: UserInfo): (() => void) | undefined {
    const kind = reading.has(info.verb) ? 'readOnly' : 'mutating'
    const limit = this.#limits[kind]
    if (limit > 0 && this.#taken[kind] >= limit && !user.groups.includes('system:masters')) return undefined
    this.#taken[kind]++
    return () => { this.#taken[kind]-- }
  }
}

/** 429 as upstream words it. */
export function tooManyRequests(): ApiResponse {
  const answer = textResponse(429, 'Too many requests, please try again later.\n')
  answer.headers['retry-after'] = '1'
  return answer
}
