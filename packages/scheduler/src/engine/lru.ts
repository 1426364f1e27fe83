/** A map that forgets what was not used for the longest time. */
export class Lru<V> {
  readonly #map = new Map<string, V>()
  readonly #dropped: ((value: V, key: string) => void) | undefined
  readonly limit: number
  #last: string | undefined

  constructor(limit: number, dropped?: (value: V, key: string) => void) {
    this.limit = limit
    this.#dropped = dropped
  }

  get size(): number {
    return this.#map.size
  }

  forEach(call: (value: V, key: string) => void): void {
    this.#map.forEach(call)
  }

  get(key: string): V | undefined {
    const value = this.#map.get(key)
    if (value === undefined) return undefined
    // The newest is last: that is where the last one used belongs. Most of the time it is there already.
    if (this.#last !== key) {
      this.#map.delete(key)
      this.#map.set(key, value)
      this.#last = key
    }
    return value
  }

  set(key: string, value: V): void {
    this.#map.set(key, value)
    this.#last = key
    while (this.#map.size > this.limit) {
      const oldest = this.#map.entries().next().value
      if (!oldest) return
      this.#map.delete(oldest[0])
      this.#dropped?.(oldest[1], oldest[0])
    }
  }

  delete(key: string): void {
    const value = this.#map.get(key)
    if (value === undefined) return
    this.#map.delete(key)
    this.#dropped?.(value, key)
  }

  clear(): void {
    for (const [key, value] of this.#map) this.#dropped?.(value, key)
    this.#map.clear()
    this.#last = undefined
  }
}
