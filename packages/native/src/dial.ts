import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { nativeBinary } from './binary.ts'
import { NativeError } from './errors.ts'

/**
 * A TCP connection made inside the network namespace at this path (`-`: the current one), as a duplex stream with half close: end() ends our direction only.
 * host is an IP literal or `localhost` (127.0.0.1, then ::1). A connection that fails destroys the stream with NativeError, whose exitCode says what
 * (3 namespace, 4 connect, 5 broken later) and whose message is like `connect localhost:80: Connection refused`. Destroying the stream ends the connection.
 */
export function dialInNamespace(netnsPath: string, host: string, port: number): Duplex {
  const child = spawn(nativeBinary(), ['dial', netnsPath, host, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
  return new DialStream(child)
}

class DialStream extends Duplex {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  #stderr = ''
  #outputEnded = false

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    super({ allowHalfOpen: true })
    this.#child = child
    child.stdin.on('error', () => {}) // the exit code tells
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause()
    })
    // The end is passed on only when it is known to be a good one.
    child.stdout.on('end', () => {
      this.#outputEnded = true
    })
    child.on('error', (error) => this.destroy(new NativeError(`berth-native dial: ${error.message}`, { cause: error })))
    child.on('close', (code) => {
      if (code === 0) this.push(null)
      else if (!this.destroyed) this.destroy(new NativeError(this.#stderr.trim().replace(/^berth-native: /, '') || `dial ended with ${code}`, { exitCode: code ?? undefined }))
    })
    child.stdout.on('end', () => setImmediate(() => this.#endIfAlive()))
  }

  // The peer closed its direction while ours is still open: the child lives, so this is the half close.
  #endIfAlive(): void {
    if (this.#outputEnded && this.#child.exitCode === null && this.#child.signalCode === null && !this.#stderr) this.push(null)
  }

  override _read(): void {
    this.#child.stdout.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, encoding, (error) => callback(error ? null : undefined))
  }

  override _final(callback: () => void): void {
    this.#child.stdin.end(callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#child.kill('SIGKILL')
    callback(error)
  }
}
