// What keeps HTTP/2 connections from being held for nothing: idle ones are closed, and ones whose client is gone without a word are found out.
import type { Http2Session, ServerHttp2Session } from 'node:http2'

/** A connection without a request for so long is closed, as upstream's. */
export const idleTimeoutMs = 90_000
/** While requests are open the client is asked for a sign of life so often, and given so long for it. */
const pingIntervalMs = 30_000
const pingTimeoutMs = 15_000

/** The sessions of a listener. */
export class Sessions {
  readonly #open = new Set<Http2Session>()
  #timer: NodeJS.Timeout | undefined

  /** Takes care of a session until it closes. */
  add(session: ServerHttp2Session): void {
    this.#open.add(session)
    let streams = 0
    session.on('stream', (stream) => {
      streams++
      stream.once('close', () => {
        streams--
        session.setTimeout(idleTimeoutMs)
      })
    })
    session.on('error', () => {})
    session.on('close', () => this.#open.delete(session))
    session.setTimeout(idleTimeoutMs, () => {
      if (streams === 0) session.close()
    })
    this.#timer ??= setInterval(() => {
      for (const each of this.#open) ping(each)
    }, pingIntervalMs).unref()
  }

  /** Lets every session end its requests and closes it then. */
  close(): void {
    clearInterval(this.#timer)
    for (const session of this.#open) session.close()
  }
}

/** Asks a client for a sign of life; one that gives none is cut off. */
function ping(session: Http2Session): void {
  if (session.destroyed || session.closed) return
  const timer = setTimeout(() => session.destroy(), pingTimeoutMs).unref()
  const sent = session.ping(() => clearTimeout(timer))
  if (!sent) clearTimeout(timer)
}
