// How long a request may take: what the server allows, or less where the client says so.
import { parseDuration } from '@berth/kube'

/**
 * Milliseconds that a request is given: `?timeout=10s`, at most `most`; a timeout of 0 leaves it to the server. Throws an Error in upstream's words
 * where it is no duration.
 */
export function requestTimeout(query: URLSearchParams, most: number): number {
  const asked = query.get('timeout')
  if (asked === null || asked === '') return most
  let milliseconds: number
  try {
    milliseconds = parseDuration(asked)
  } catch (error) {
    throw new Error(`invalid timeout specified in the request URL - ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return milliseconds > 0 ? Math.min(milliseconds, most) : most
}
