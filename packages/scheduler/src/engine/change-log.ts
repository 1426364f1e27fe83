const size = 1 << 16

/**
 * The slots that changed, in a ring. Whoever keeps figures by slot remembers up to where it has read, and catches up when
 * it is next asked; one that is too far behind starts anew.
 */
export class ChangeLog {
  readonly #ring = new Int32Array(size)
  #head = 0
  /** Slot → the place after its last entry. */
  #last = new Float64Array(64)

  get head(): number {
    return this.#head
  }

  record(slot: number): void {
    if (slot >= this.#last.length) {
      const last = new Float64Array(Math.max(slot + 1, this.#last.length * 2))
      last.set(this.#last)
      this.#last = last
    }
    this.#ring[this.#head & (size - 1)] = slot
    this.#last[slot] = ++this.#head
  }

  /** Fills `into` with the slots that changed since `cursor`, each once; false where there are more than `limit`, or too many to tell. */
  since(cursor: number, limit: number, into: number[]): boolean {
    into.length = 0
    const behind = this.#head - cursor
    if (behind > size || behind > 4 * limit + 64) return false
    for (let at = cursor; at < this.#head; at++) {
      const slot = this.#ring[at & (size - 1)] ?? 0
      if (this.#last[slot] === at + 1) into.push(slot)
    }
    return into.length <= limit
  }
}
