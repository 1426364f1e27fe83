/** Work that goes on beside the loop: bindings, evictions, questions to extenders. */
export class UnderWay {
  readonly #work = new Set<Promise<void>>()

  #isOver = false

  /** Whether the loop has ended: what comes back now changes nothing any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Lets `settled` wait for it. It must not reject. */
  follow(work: Promise<void>): void {
    this.#work.add(work)
    void work.finally(() => this.#work.delete(work))
  }

  end(): void {
    this.#isOver = true
  }

  /** Resolves when all that is under way is done. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#work)
  }
}
