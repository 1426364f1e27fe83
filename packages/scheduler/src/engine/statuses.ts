import type { Status } from '../framework/status.ts'

/** The verdict of a slot at which there is no node. */
export const absent = -1
/** The verdict of a node that lets the pod in. */
export const passes = 0

/** Verdicts as small numbers, so that columns can hold them. The same verdict has the same number. */
export class Statuses {
  readonly #statuses: (Status | undefined)[] = [undefined]
  readonly #ids = new Map<string, number>()
  /** The last verdict object seen: plugins often give one and the same. */
  #last: { status: Status; plugin: string; id: number } | undefined

  /** The number of what `plugin` said; 0 for success. */
  idOf(status: Status | undefined, plugin: string): number {
    if (!status) return passes
    if (this.#last?.status === status && this.#last.plugin === plugin) return this.#last.id
    const key = `${plugin} ${status.code} ${status.reasons.join('\n')}`
    let id = this.#ids.get(key)
    if (id === undefined) {
      id = this.#statuses.length
      this.#ids.set(key, id)
      this.#statuses.push({ code: status.code, reasons: status.reasons, plugin })
    }
    this.#last = { status, plugin, id }
    return id
  }

  get(id: number): Status | undefined {
    return id <= 0 ? undefined : this.#statuses[id]
  }

  get size(): number {
    return this.#statuses.length
  }

  /** Forgets all numbers: whoever keeps any must forget them, too. */
  clear(): void {
    this.#statuses.length = 1
    this.#ids.clear()
    this.#last = undefined
  }
}
