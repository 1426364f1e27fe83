import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { nativeBinary } from './binary.ts'
import { NativeError } from './errors.ts'

/**
 * A TCP connection made inside the network namespace at this path (`-`: the current one), as a duplex stream with half close: end() ends our direction only.
 * host is an IP literal or `localhost` (127.0.0.1, then ::1). Emits 'connect' once connected. A connection that fails destroys the stream with NativeError, whose
 * exitCode says what (3 namespace, 4 connect, 5 broken later) and whose message is like `connect localhost:80: Connection refused`. Destroying the stream ends it.
 */
export function dialInNamespace(netnsPath: string, host: string, port: number): Duplex {
  const child = spawn(nativeBinary(), ['dial', '--report', netnsPath, host, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
  return new DialStream(child)
}

class DialStream extends Duplex {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  #stderr = ''
  #connected = false
  #peerEnded = false
  #outputEnded = false

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    super({ allowHalfOpen: true })
    this.#child = child
    child.stdin.on('error', () => {}) // the exit code tells
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#takeReport(text))
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause()
    })
    child.stdout.on('end', () => {
      this.#outputEnded = true
      this.#endIfPeerEnded()
    })
    child.on('error', (error) => this.destroy(new NativeError(`berth-native dial: ${error.message}`, { cause: error })))
    child.on('close', (code) => {
      if (code !== 0 && !this.destroyed) this.destroy(new NativeError(this.#failure() || `dial ended with ${code}`, { exitCode: code ?? undefined }))
    })
  }

  #takeReport(text: string): void {
    this.#stderr += text
    const words = this.#stderr.split('\n')
    if (!this.#connected && words.includes('connected')) {
      this.#connected = true
      this.emit('connect')
    }
    this.#peerEnded ||= words.includes('eof')
    this.#endIfPeerEnded()
  }

  // stdout also ends when the program fails: only a reported end is the peer's.
  #endIfPeerEnded(): void {
    if (this.#outputEnded && this.#peerEnded && !this.readableEnded) this.push(null)
  }

  #failure(): string {
    return this.#stderr.split('\n').filter((line) => line && line !== 'connected' && line !== 'eof').join('; ').replace(/^berth-native: /, '')
  }

  override _read(): void {
    this.#child.stdout.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, encoding, () => callback())
  }

  override _final(callback: () => void): void {
    this.#child.stdin.end(() => callback())
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#child.kill('SIGKILL')
    callback(error)
  }
}
