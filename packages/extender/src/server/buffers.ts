/** How many buffers wait for their next use at most: as many as are used at once on a busy day. */
const maxKept = 4
const unit = 1024 * 1024

/**
 * Large buffers, used again and again. A whole cluster in a request is tens of megabytes; allocated anew each time, they
 * would make the collector go through the whole cache of pods and nodes, time after time.
 */
export class BufferPool {
  readonly #kept: Buffer[] = []

  /** A buffer of at least so many bytes; what is in it is left over from before. */
  take(bytes: number): Buffer {
    const fitting = this.#kept.findIndex((buffer) => buffer.length >= bytes)
    if (fitting >= 0) return this.#kept.splice(fitting, 1)[0] ?? Buffer.allocUnsafeSlow(bytes)
    return Buffer.allocUnsafeSlow(Math.ceil(bytes / unit) * unit)
  }

  /** Gives it back: nobody reads it any more. */
  give(buffer: Buffer): void {
    if (this.#kept.length >= maxKept) this.#kept.shift()
    this.#kept.push(buffer)
  }
}
