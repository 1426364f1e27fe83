// The stream of a watch: frames queue up for a client until it takes them; one that is too slow is cut off and comes back.

/** Beyond this a client is taken for stuck. */
const maxQueuedBytes = 32 * 1024 * 1024

export class WatchStream implements AsyncIterable<Uint8Array> {
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #ended = false
  #wake: (() => void) | undefined
  readonly #onEnd: () => void

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Adds a frame. Ends the stream when the client has fallen too far behind. */
  push(frame: Uint8Array): void {
    if (this.#ended) return
    this.#queue.push(frame)
    this.#queuedBytes += frame.length
    if (this.#queuedBytes > maxQueuedBytes) this.#queue = []
    if (this.#queuedBytes > maxQueuedBytes) this.end()
    else this.#wake?.()
  }

  /** What is queued is still delivered. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd()
    this.#wake?.()
  }

  async* [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#queue.length > 0) {
          const frames = this.#queue
          this.#queue = []
          this.#queuedBytes = 0
          yield frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames)
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => { this.#wake = resolve })
        this.#wake = undefined
      }
    } finally {
      this.#queue = []
      this.end()
    }
  }
}
