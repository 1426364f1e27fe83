import type { Readable, Writable } from 'node:stream'
import type { ExecStatus } from '../status.ts'

/** Which streams a client asked for. */
export interface RemoteCommandOptions {
  stdin: boolean
  stdout: boolean
  /** Never together with `tty`: a terminal has one output. */
  stderr: boolean
  tty: boolean
}

export interface TerminalSize {
  width: number
  height: number
}

/** What a handler gets: the streams that were asked for. */
export interface RemoteCommandStreams {
  stdin: Readable | undefined
  stdout: Writable | undefined
  stderr: Writable | undefined
  tty: boolean
  /** Calls back with the terminal's size whenever it changes; at once with the last one if there was one. */
  onResize(callback: (size: TerminalSize) => void): void
  /** Aborted when the client has gone. */
  signal: AbortSignal
}

/** A remote command's connection, whatever protocol it speaks. */
export interface RemoteCommandSession extends RemoteCommandStreams {
  /** Ends the outputs, sends the status after them, and closes. */
  finish(status: ExecStatus): Promise<void>
}

/** Remembers the last size for whoever asks later. */
export class Resizes {
  private readonly callbacks: ((size: TerminalSize) => void)[] = []
  private last: TerminalSize | undefined
  private text = ''

  /** Takes bytes of a resize channel: JSON objects `{"Width":80,"Height":24}`, one after the other, cut anywhere. What is no size is passed over. */
  receive(bytes: Buffer): void {
    this.text = (this.text + bytes.toString('utf8')).slice(-1024)
    for (let end = this.text.indexOf('}'); end >= 0; end = this.text.indexOf('}')) {
      const object = this.text.slice(0, end + 1)
      this.text = this.text.slice(end + 1)
      const size = parseSize(object)
      if (size) this.tell(size)
    }
  }

  onResize(callback: (size: TerminalSize) => void): void {
    this.callbacks.push(callback)
    if (this.last) callback(this.last)
  }

  private tell(size: TerminalSize): void {
    this.last = size
    for (const callback of this.callbacks) callback(size)
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width: width, Height: height } = JSON.parse(text) as { Width?: unknown; Height?: unknown }
    const valid = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff
    return valid(width) && valid(height) ? { width, height } : undefined
  } catch {
    return undefined
  }
}

/** Ends a stream and waits until its data has left, or the stream has failed. */
export function flushed(stream: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed || stream.writableFinished) return resolve()
    stream.once('finish', () => resolve())
    stream.once('error', () => resolve())
    stream.once('close', () => resolve())
    if (!stream.writableEnded) stream.end()
  })
}
