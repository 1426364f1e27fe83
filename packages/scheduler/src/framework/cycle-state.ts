/** What plugins compute once a cycle and read at every node. One object a cycle; never shared between cycles. */
export class CycleState {
  readonly #values = new Map<string, unknown>()
  /** Plugins whose PreFilter said Skip: their Filter is not called. */
  readonly skippedFilters = new Set<string>()

  write(key: string, value: unknown): void {
    this.#values.set(key, value)
  }

  /** What `write` kept; a plugin reads only what its own earlier step wrote, hence the cast is its to answer for. */
  read<T>(key: string): T | undefined {
    return this.#values.get(key) as T | undefined
  }
}
