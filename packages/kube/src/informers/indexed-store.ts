import { UsageError } from '../errors.ts'
import type { Store } from './informer.ts'

export type Indexer<T> = (object: T) => string[]

/** Objects by key, and by the values that index functions give for them. Each function's index is kept once, however many use it. */
export class IndexedStore<T> {
  readonly #objects = new Map<string, T>()
  readonly #indices = new Map<Indexer<T>, Map<string, Set<string>>>()

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  keys(): string[] {
    return [...this.#objects.keys()]
  }

  find(indexer: Indexer<T>, value: string): T[] {
    const found: T[] = []
    for (const key of this.#indices.get(indexer)?.get(value) ?? []) {
      const object = this.#objects.get(key)
      if (object !== undefined) found.push(object)
    }
    return found
  }

  addIndexer(indexer: Indexer<T>): void {
    if (this.#indices.has(indexer)) return
    const index = new Map<string, Set<string>>()
    this.#indices.set(indexer, index)
    for (const [key, object] of this.#objects) for (const value of indexer(object)) enter(index, value, key)
  }

  /** Gives the object that was there before. */
  put(key: string, object: T): T | undefined {
    const old = this.delete(key)
    this.#objects.set(key, object)
    for (const [indexer, index] of this.#indices) for (const value of indexer(object)) enter(index, value, key)
    return old
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key)
    if (old === undefined) return undefined
    this.#objects.delete(key)
    for (const [indexer, index] of this.#indices) {
      for (const value of indexer(old)) {
        const keys = index.get(value)
        keys?.delete(key)
        if (keys?.size === 0) index.delete(value)
      }
    }
    return old
  }

  /** What one user sees: the same objects, with index functions under the names it gave them. */
  view(names: ReadonlyMap<string, Indexer<T>>): Store<T> {
    return {
      get: (key) => this.get(key),
      list: () => this.list(),
      keys: () => this.keys(),
      byIndex: (name, value) => {
        const indexer = names.get(name)
        if (indexer === undefined) throw new UsageError(`the informer has no index ${JSON.stringify(name)}`)
        return this.find(indexer, value)
      },
    }
  }
}

function enter(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value)
  if (keys === undefined) index.set(value, new Set([key]))
  else keys.add(key)
}
