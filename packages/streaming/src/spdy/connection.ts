import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { StreamingError } from '../errors.ts'
import { encode, type Frame, FrameParser, resetStatus } from './frames.ts'
import { HeaderCompressor, HeaderDecompressor, type SpdyHeaders } from './header-block.ts'
import { connectionLost, SpdyStream, type StreamLink } from './stream.ts'

/** No peer of a remote command or a port forward needs more at once. */
const maxStreams = 2000

/** Data is sent in frames of at most this, so that streams take turns. */
const maxDataFrame = 32 * 1024

interface ConnectionEvents {
  /** The peer opened a stream (a server's side only). It is answered already. */
  stream: [SpdyStream]
  /** The connection is over: in order, or by this error. */
  close: [Error | undefined]
}

/**
 * One SPDY/3.1 connection over any byte stream, either side. Peers of Kubernetes (moby/spdystream) neither send nor honour WINDOW_UPDATE: we send
 * ours, never wait for theirs; when a reader is slow, reading from the socket stops, and TCP pushes back on all streams together.
 */
export class SpdyConnection extends EventEmitter<ConnectionEvents> {
  private readonly socket: Duplex
  private readonly isServer: boolean
  private readonly parser = new FrameParser()
  private readonly compressor = new HeaderCompressor()
  private readonly decompressor = new HeaderDecompressor()
  private readonly streams = new Map<number, SpdyStream>()
  private readonly awaitingReply = new Map<number, (error?: Error) => void>()
  private readonly full = new Set<SpdyStream>()
  private readonly unacknowledged = new Map<SpdyStream, number>()
  private readonly waitingForDrain: ((error?: Error | null) => void)[] = []
  private nextId: number
  private lastPeerId = 0
  private peerLeaves = false
  private closed = false

  /** `head`: bytes of the peer that were read together with the upgrade's HTTP message. */
  constructor(socket: Duplex, options: { side: 'server' | 'client'; head?: Buffer }) {
    super()
    this.socket = socket
    this.isServer = options.side === 'server'
    this.nextId = this.isServer ? 2 : 1
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    socket.on('drain', () => this.drained())
    socket.on('error', (error: Error) => this.finish(error))
    socket.on('end', () => this.finish())
    socket.on('close', () => this.finish())
    if (options.head && options.head.length > 0) {
      const { head } = options
      socket.pause()
      // Later than any promise that hands this connection on, so that its listeners are there.
      setImmediate(() => {
        this.receive(head)
        this.updateFlow()
      })
    }
  }

  /** How many streams are open. */
  get openStreams(): number {
    return this.streams.size
  }

  /** Opens a stream and resolves when the peer has accepted it. */
  async openStream(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.closed) throw connectionLost()
    if (this.peerLeaves) throw new StreamingError('the peer takes no more streams')
    const id = this.nextId
    this.nextId += 2
    const stream = new SpdyStream(id, headers, this.link)
    this.streams.set(id, stream)
    const replied = new Promise<void>((resolve, reject) => this.awaitingReply.set(id, (error) => (error ? reject(error) : resolve())))
    this.socket.write(encode.synStream(id, this.compressor.compress(headers), false))
    await replied
    return stream
  }

  /**
   * Says GOAWAY, lets what was written leave, and closes. Streams still open end with an error.
   * A peer that does not close its side is cut after `graceMs`.
   */
  close(graceMs = 2000): void {
    if (this.closed) return
    if (this.socket.writable) {
      this.socket.write(encode.goAway(this.lastPeerId, 0))
      this.socket.end()
    }
    const { socket } = this
    this.finish(undefined, false)
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), graceMs)
    socket.once('close', () => clearTimeout(timer))
  }

  /** Cuts the connection. */
  destroy(error?: Error): void {
    this.finish(error)
  }

  private readonly link: StreamLink = {
    sendData: (streamId, data, fin, callback) => this.sendData(streamId, data, fin, callback),
    sendReset: (streamId) => this.send(encode.rstStream(streamId, resetStatus.cancel)),
    consumed: (stream, count) => this.acknowledge(stream, count),
    setFull: (stream, full) => {
      if (full) this.full.add(stream)
      else this.full.delete(stream)
      this.updateFlow()
    },
    forget: (streamId) => {
      const stream = this.streams.get(streamId)
      if (!stream) return
      this.streams.delete(streamId)
      this.unacknowledged.delete(stream)
      this.settleReply(streamId, connectionLost())
    },
  }

  private send(bytes: Buffer): void {
    if (!this.closed && this.socket.writable) this.socket.write(bytes)
  }

  private sendData(streamId: number, data: Buffer, fin: boolean, callback: (error?: Error | null) => void): void {
    if (this.closed || !this.socket.writable) return callback(connectionLost())
    let more = true
    for (let start = 0; start < data.length || start === 0; start += maxDataFrame) {
      const piece = data.subarray(start, start + maxDataFrame)
      const last = start + maxDataFrame >= data.length
      this.socket.cork()
      this.socket.write(encode.dataHeader(streamId, piece.length, fin && last))
      if (piece.length > 0) this.socket.write(piece)
      this.socket.uncork()
      more = !this.socket.writableNeedDrain
    }
    if (more) callback()
    else this.waitingForDrain.push(callback)
  }

  private drained(): void {
    for (const callback of this.waitingForDrain.splice(0)) callback()
  }

  private updateFlow(): void {
    if (this.closed) return
    if (this.full.size > 0) this.socket.pause()
    else if (this.socket.isPaused()) this.socket.resume()
  }

  /** Tells the peer in steps what has been taken, as SPDY wants. */
  private acknowledge(stream: SpdyStream, count: number): void {
    const total = (this.unacknowledged.get(stream) ?? 0) + count
    if (total < 16 * 1024) {
      this.unacknowledged.set(stream, total)
      return
    }
    this.unacknowledged.set(stream, 0)
    this.send(Buffer.concat([encode.windowUpdate(stream.id, total), encode.windowUpdate(0, total)]))
  }

  private receive(chunk: Buffer): void {
    try {
      for (const frame of this.parser.push(chunk)) {
        if (this.closed) return
        this.handle(frame)
      }
    } catch (error) {
      this.finish(error instanceof Error ? error : new StreamingError(String(error)))
    }
  }

  private handle(frame: Frame): void {
    switch (frame.kind) {
      case 'data':
        return this.handleData(frame)
      case 'synStream':
        return this.handleSynStream(frame)
      case 'synReply': {
        this.decompressor.decompress(frame.block)
        this.settleReply(frame.streamId)
        if (frame.fin) this.streams.get(frame.streamId)?.receive(Buffer.alloc(0), true)
        return
      }
      case 'headers': {
        this.decompressor.decompress(frame.block)
        if (frame.fin) this.streams.get(frame.streamId)?.receive(Buffer.alloc(0), true)
        return
      }
      case 'rstStream': {
        const error = new StreamingError(`stream ${frame.streamId} was reset by the peer (status ${frame.status})`)
        this.settleReply(frame.streamId, error)
        return this.streams.get(frame.streamId)?.abort(frame.status === resetStatus.cancel ? undefined : error)
      }
      case 'ping':
        // A ping of our own parity is the answer to one of ours, and we send none.
        if (frame.id % 2 === (this.isServer ? 1 : 0)) this.send(encode.ping(frame.id))
        return
      case 'goAway':
        this.peerLeaves = true
        return
      case 'windowUpdate':
      case 'settings':
      case 'unknown':
        // What a peer would let us send is not waited for; unknown control frames are passed over, as SPDY says.
        return
    }
  }

  private handleData(frame: Extract<Frame, { kind: 'data' }>): void {
    const stream = this.streams.get(frame.streamId)
    if (stream) return stream.receive(frame.data, frame.fin)
    // Data may still be under way to a stream that we have closed; one that never was is the peer's mistake.
    const ours = frame.streamId % 2 === (this.isServer ? 0 : 1)
    const known = ours ? frame.streamId < this.nextId : frame.streamId <= this.lastPeerId
    if (frame.streamId === 0 || !known) throw new StreamingError(`data for stream ${frame.streamId}, which was never opened`)
  }

  private handleSynStream(frame: Extract<Frame, { kind: 'synStream' }>): void {
    const headers = this.decompressor.decompress(frame.block)
    const { streamId } = frame
    if (streamId % 2 !== (this.isServer ? 1 : 0) || streamId <= this.lastPeerId) throw new StreamingError(`SYN_STREAM with stream id ${streamId}`)
    this.lastPeerId = streamId
    if (this.streams.size >= maxStreams || this.listenerCount('stream') === 0) return this.send(encode.rstStream(streamId, resetStatus.refusedStream))
    const stream = new SpdyStream(streamId, headers, this.link)
    this.streams.set(streamId, stream)
    this.send(encode.synReply(streamId, this.compressor.compress({}), false))
    this.emit('stream', stream)
    if (frame.fin) stream.receive(Buffer.alloc(0), true)
  }

  private settleReply(streamId: number, error?: Error): void {
    const settle = this.awaitingReply.get(streamId)
    if (!settle) return
    this.awaitingReply.delete(streamId)
    settle(error)
  }

  private finish(error?: Error, destroySocket = true): void {
    if (this.closed) return
    this.closed = true
    const lost = connectionLost(error)
    for (const stream of [...this.streams.values()]) stream.lose(lost)
    for (const streamId of [...this.awaitingReply.keys()]) this.settleReply(streamId, lost)
    for (const callback of this.waitingForDrain.splice(0)) callback(lost)
    if (destroySocket) this.socket.destroy()
    this.emit('close', error)
  }
}
