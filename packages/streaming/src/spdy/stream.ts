import { Duplex } from 'node:stream'
import { StreamingError } from '../errors.ts'
import type { SpdyHeaders } from './header-block.ts'

/** What a stream needs of its connection. */
export interface StreamLink {
  /** Sends data; the callback comes when more may be sent. */
  sendData(streamId: number, data: Buffer, fin: boolean, callback: (error?: Error | null) => void): void
  sendReset(streamId: number): void
  /** `count` bytes have been taken into the stream's buffer. */
  consumed(stream: SpdyStream, count: number): void
  /** The stream is full, or was full and is read again. */
  setFull(stream: SpdyStream, full: boolean): void
  forget(streamId: number): void
}

/** How much of a stream is kept for a reader who is slower than the peer, before the connection's reading stops. */
const bufferBytes = 128 * 1024

/**
 * One stream of a SPDY connection: a Duplex whose halves end by themselves. `end()` half-closes; `destroy()` resets.
 * Nothing that the peer sent is lost by it when the connection ends in order.
 */
export class SpdyStream extends Duplex {
  readonly id: number
  /** The headers that the stream was opened with. */
  readonly headers: SpdyHeaders
  private readonly link: StreamLink
  private finSent = false
  private finReceived = false
  private gone = false

  constructor(id: number, headers: SpdyHeaders, link: StreamLink) {
    super({ allowHalfOpen: true, readableHighWaterMark: bufferBytes, writableHighWaterMark: 64 * 1024, emitClose: true })
    this.id = id
    this.headers = headers
    this.link = link
    // A stream's failure is its user's matter; one that nobody looks at must not end the process.
    this.on('error', () => {})
  }

  /** @internal Data from the peer. */
  receive(data: Buffer, fin: boolean): void {
    if (this.destroyed || this.finReceived) return
    if (data.length > 0) {
      if (!this.push(data)) this.link.setFull(this, true)
      this.link.consumed(this, data.length)
    }
    if (fin) {
      this.finReceived = true
      this.push(null)
    }
  }

  /** @internal The peer reset the stream. */
  abort(error?: Error): void {
    this.gone = true
    this.destroy(error)
  }

  /** @internal The connection is gone. What has been received whole can still be read to its end. */
  lose(error: Error): void {
    this.gone = true
    if (!this.finReceived || this.readableEnded) this.destroy(this.readableEnded && this.writableFinished ? undefined : error)
  }

  override _read(): void {
    this.link.setFull(this, false)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.link.sendData(this.id, chunk, false, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.finSent = true
    if (this.gone) return callback()
    this.link.sendData(this.id, Buffer.alloc(0), true, callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.link.setFull(this, false)
    if (!this.gone && !(this.finSent && this.finReceived)) this.link.sendReset(this.id)
    this.link.forget(this.id)
    callback(error)
  }
}

/** The error of a stream whose connection ended under it. */
export function connectionLost(cause?: Error): StreamingError {
  return new StreamingError(cause ? `connection lost: ${cause.message}` : 'connection closed', cause ? { cause } : {})
}
