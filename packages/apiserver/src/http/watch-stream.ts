// The stream of a watch: frames queue up for a client until it takes them; one that is too slow is cut off and comes back.

import { stalledMs } from './answers.ts'

/** Beyond this a client is taken for stuck. */
const maxQueuedBytes = 32 * 1024 * 1024
/** Frames cost their place as well; a resource's whole history (4,096 changes) must fit. */
const maxQueuedFrames = 10_000
/** Frames go out together up to this size: what is handed to the socket is copied for each client, what waits here is shared. */
const batchBytes = 16 * 1024
/** Frames that are made for one watcher alone (tables, bare metadata) may take up so much in all watches together. */
const maxOwnBytes = 256 * 1024 * 1024
let ownBytes = 0

export class WatchStream implements AsyncIterable<Uint8Array> {
  #queue: { frame: Uint8Array, own: boolean }[] = []
  #next = 0
  #queuedBytes = 0
  #ended = false
  #wake: (() => void) | undefined
  #cut: (() => void) | undefined
  #lingering: NodeJS.Timeout | undefined
  readonly #initial: Iterator<Uint8Array>
  readonly #onEnd: () => void

  /** `initial` is drawn as the client reads, before anything that is pushed. */
  constructor(onEnd: () => void, initial: Iterable<Uint8Array> = []) {
    this.#onEnd = onEnd
    this.#initial = initial[Symbol.iterator]()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What is to be done when the client is cut off. */
  whenCut(cut: () => void): void {
    this.#cut = cut
  }

  /** Adds a frame; `own` when it is not shared with other watchers. Cuts the client off when it has fallen too far behind. */
  push(frame: Uint8Array, own = false): void {
    if (this.#ended) return
    this.#queue.push({ frame, own })
    this.#queuedBytes += frame.length
    if (own) ownBytes += frame.length
    if (this.#queuedBytes > maxQueuedBytes || this.#queue.length - this.#next > maxQueuedFrames || ownBytes > maxOwnBytes) {
      this.#drop()
      this.end()
      this.#cut?.()
    } else this.#wake?.()
  }

  /** What is queued is still delivered, to a client that takes it. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd()
    if (this.#queuedBytes > 0) {
      this.#lingering = setTimeout(() => {
        this.#drop()
        this.#cut?.()
      }, stalledMs).unref()
    }
    this.#wake?.()
  }

  /** The client is gone: nothing more is delivered. */
  abandon(): void {
    clearTimeout(this.#lingering)
    this.#drop()
    this.end()
  }

  async* [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const batch = this.#batch()
        if (batch) {
          yield batch
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => { this.#wake = resolve })
        this.#wake = undefined
      }
    } finally {
      this.abandon()
    }
  }

  /** The next frames, as one piece. */
  #batch(): Uint8Array | undefined {
    const frames: Uint8Array[] = []
    let size = 0
    while (size < batchBytes) {
      const frame = this.#take()
      if (!frame) break
      frames.push(frame)
      size += frame.length
    }
    if (frames.length === 0) return undefined
    return frames.length === 1 ? frames[0] : Buffer.concat(frames, size)
  }

  #take(): Uint8Array | undefined {
    const { done, value } = this.#initial.next()
    if (!done) return value
    const queued = this.#queue[this.#next]
    if (!queued) return undefined
    this.#next++
    this.#release(queued)
    // The array is moved once for many frames.
    if (this.#next === this.#queue.length || this.#next > 1024) {
      this.#queue = this.#queue.slice(this.#next)
      this.#next = 0
    }
    return queued.frame
  }

  #release({ frame, own }: { frame: Uint8Array, own: boolean }): void {
    this.#queuedBytes -= frame.length
    if (own) ownBytes -= frame.length
  }

  #drop(): void {
    for (const queued of this.#queue.slice(this.#next)) this.#release(queued)
    this.#queue = []
    this.#next = 0
  }
}
