/** Runs tasks of one key one after the other, tasks of different keys side by side. */
export class KeyedLocks {
  readonly #tails = new Map<string, Promise<unknown>>()

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const now = before.then(task, task)
    const tail = now.catch(() => {})
    this.#tails.set(key, tail)
    try {
      return await now
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
