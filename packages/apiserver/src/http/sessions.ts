// What keeps HTTP/2 connections from being held for nothing: idle ones are closed, and ones whose client is gone without a word are found out.
import type { Http2Session, ServerHttp2Session } from 'node:http2'

/** How long what is waited for, in milliseconds. */
export interface ConnectionTimeouts {
  /** A TLS handshake, and a request's headers: upstream's ReadHeaderTimeout. */
  headers: number
  /** A connection without a request is closed after so long, as upstream's. */
  idle: number
  /** HTTP/2 clients are asked for a sign of life so often, and given so long for it. */
  ping: number
  pong: number
}

export const connectionTimeouts: ConnectionTimeouts = { headers: 32_000, idle: 90_000, ping: 30_000, pong: 15_000 }

/** The sessions of a listener. */
export class Sessions {
  readonly #open = new Set<Http2Session>()
  readonly #timeouts: ConnectionTimeouts
  #timer: NodeJS.Timeout | undefined

  constructor(timeouts: ConnectionTimeouts) {
    this.#timeouts = timeouts
  }

  /** Takes care of a session until it closes. */
  add(session: ServerHttp2Session): void {
    this.#open.add(session)
    let streams = 0
    session.on('stream', (stream) => {
      streams++
      stream.once('close', () => {
        streams--
        session.setTimeout(this.#timeouts.idle)
      })
    })
    session.on('error', () => {})
    session.on('close', () => this.#open.delete(session))
    session.setTimeout(this.#timeouts.idle, () => {
      if (streams === 0) session.close()
    })
    this.#timer ??= setInterval(() => {
      for (const each of this.#open) ping(each, this.#timeouts.pong)
    }, this.#timeouts.ping).unref()
  }

  /** Lets every session end its requests and closes it then. */
  close(): void {
    clearInterval(this.#timer)
    for (const session of this.#open) session.close()
  }
}

/** Asks a client for a sign of life; one that gives none is cut off. */
function ping(session: Http2Session, waitMs: number): void {
  if (session.destroyed || session.closed) return
  const timer = setTimeout(() => session.destroy(), waitMs).unref()
  const sent = session.ping(() => clearTimeout(timer))
  if (!sent) clearTimeout(timer)
}
