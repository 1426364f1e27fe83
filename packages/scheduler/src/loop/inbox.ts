/** What waits to be taken in, in order. */
export class Inbox<T> {
  #items: T[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(items: readonly T[]): void {
    for (const item of items) this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    this.#head++
    // What has been read is let go in large pieces.
    if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
