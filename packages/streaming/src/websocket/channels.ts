import { Readable, Writable } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { StreamingError } from '../errors.ts'

/** Channel numbers of `v4.channel.k8s.io` and `v5.channel.k8s.io`: a message's first byte. */
export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** A message's data is at most this long. */
const maxDataBytes = 32 * 1024

/** A stream whose writes become messages of one channel. It goes on when the message has left, so a slow peer slows the writer. */
export class ChannelWriter extends Writable {
  private readonly webSocket: WebSocket
  private readonly number: number
  private readonly onEnd: (() => void) | undefined

  /** `onEnd` is called once everything written has left. */
  constructor(webSocket: WebSocket, number: number, onEnd?: () => void) {
    super({ highWaterMark: 64 * 1024 })
    this.webSocket = webSocket
    this.number = number
    this.onEnd = onEnd
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const send = (start: number): void => {
      const piece = chunk.subarray(start, start + maxDataBytes)
      const message = Buffer.allocUnsafe(piece.length + 1)
      message[0] = this.number
      piece.copy(message, 1)
      const next = start + maxDataBytes
      this.webSocket.send(message, { binary: true }, (error) => {
        if (error) callback(new StreamingError(`connection lost: ${error.message}`, { cause: error }))
        else if (next < chunk.length) send(next)
        else callback()
      })
    }
    send(0)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.onEnd?.()
    callback()
  }
}

/** A stream that messages of one channel flow into; while it is full, the WebSocket is not read. */
export class ChannelReader extends Readable {
  private readonly flow: ReadFlow

  constructor(flow: ReadFlow) {
    super({ highWaterMark: 128 * 1024 })
    this.flow = flow
  }

  /** Takes a message's data; nothing is taken after the end. */
  receive(data: Buffer): void {
    if (this.destroyed || this.readableEnded) return
    if (data.length > 0 && !this.push(data)) this.flow.setFull(this, true)
  }

  /** No more data will come. */
  finish(): void {
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.flow.setFull(this, false)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.flow.setFull(this, false)
    callback(error)
  }
}

/** Stops reading a WebSocket while any of its readers is full. */
export class ReadFlow {
  private readonly full = new Set<ChannelReader>()
  private readonly webSocket: WebSocket

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket
  }

  setFull(reader: ChannelReader, isFull: boolean): void {
    if (isFull) this.full.add(reader)
    else this.full.delete(reader)
    if (this.webSocket.readyState !== this.webSocket.OPEN) return
    if (this.full.size > 0) this.webSocket.pause()
    else if (this.webSocket.isPaused) this.webSocket.resume()
  }
}

/** Splits a message into its channel and its data; undefined for an empty message. */
export function splitMessage(raw: RawData): { number: number; data: Buffer } | undefined {
  const bytes = Array.isArray(raw) ? Buffer.concat(raw) : Buffer.isBuffer(raw) ? raw : Buffer.from(raw)
  return bytes.length === 0 ? undefined : { number: bytes.readUInt8(0), data: bytes.subarray(1) }
}
