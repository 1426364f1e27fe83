import { UnavailableError } from '../errors.ts'

/** Lets a few requests in at a time; some more wait for their turn in the order they came, the rest is refused at once. */
export class Gate {
  readonly #maxInFlight: number
  readonly #maxQueued: number
  readonly #waiting: Array<() => void> = []
  #inFlight = 0

  constructor(maxInFlight: number, maxQueued: number) {
    this.#maxInFlight = maxInFlight
    this.#maxQueued = maxQueued
  }

  get load(): { inFlight: number; queued: number } {
    return { inFlight: this.#inFlight, queued: this.#waiting.length }
  }

  /** Resolves when it is the request's turn; `leave` is to be called when it is answered. Throws UnavailableError where too many wait, or the deadline (milliseconds from now) passes. */
  async enter(deadlineMs: number): Promise<void> {
    if (this.#inFlight < this.#maxInFlight) {
      this.#inFlight++
      return
    }
    if (this.#waiting.length >= this.#maxQueued) throw new UnavailableError('overload', `the extender answers ${this.#inFlight} requests, and ${this.#waiting.length} wait: try again later`)
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1)
        reject(new UnavailableError('deadline', 'the request waited for its turn until its time was over'))
      }, Math.max(0, deadlineMs))
      this.#waiting.push(turn)
    })
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#inFlight--
  }
}
