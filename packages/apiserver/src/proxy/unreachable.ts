import type { UpgradeAnswer } from '@berth/streaming'
import { StatusError } from '../errors.ts'
import { errorResponse } from '../http/respond.ts'
import { transportError } from './transport-error.ts'

/** What a client is told whose connection was to be passed on to a server that cannot be reached: a Status without a reason, as upstream's proxies say it. */
export function unreachable(url: string): (error: Error) => UpgradeAnswer {
  return (error) => {
    const { status, headers, body } = errorResponse(new StatusError(500, '', `error dialing backend: ${transportError(error, new URL(url).host)}`))
    return { status, contentType: headers['content-type'] as string, body: body as string }
  }
}
