/** A binary heap whose items can be found and removed by key. `before(a, b)`: a comes out first. */
export class Heap<T extends { readonly key: string }> {
  readonly #items: T[] = []
  readonly #index = new Map<string, number>()
  readonly #before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  get(key: string): T | undefined {
    const i = this.#index.get(key)
    return i === undefined ? undefined : this.#items[i]
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  /** Adds an item; one of the same key is replaced. */
  push(item: T): void {
    this.remove(item.key)
    this.#items.push(item)
    this.#index.set(item.key, this.#items.length - 1)
    this.#up(this.#items.length - 1)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first) this.remove(first.key)
    return first
  }

  remove(key: string): T | undefined {
    const i = this.#index.get(key)
    if (i === undefined) return undefined
    const item = this.#items[i]!
    const last = this.#items.pop()!
    this.#index.delete(key)
    if (i < this.#items.length) {
      this.#items[i] = last
      this.#index.set(last.key, i)
      this.#up(i)
      this.#down(this.#index.get(last.key)!)
    }
    return item
  }

  values(): Iterable<T> {
    return this.#items
  }

  #swap(i: number, j: number): void {
    const a = this.#items[i]!
    const b = this.#items[j]!
    this.#items[i] = b
    this.#items[j] = a
    this.#index.set(b.key, i)
    this.#index.set(a.key, j)
  }

  #up(start: number): void {
    for (let i = start; i > 0;) {
      const parent = (i - 1) >> 1
      if (!this.#before(this.#items[i]!, this.#items[parent]!)) return
      this.#swap(i, parent)
      i = parent
    }
  }

  #down(start: number): void {
    for (let i = start; ;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#items.length && this.#before(this.#items[child]!, this.#items[least]!)) least = child
      }
      if (least === i) return
      this.#swap(i, least)
      i = least
    }
  }
}
