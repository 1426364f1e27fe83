/** A number of pods by slot: a map while it is about few slots, an array from then on. */
export class CountVector {
  #sparse: Map<number, number> | undefined = new Map()
  #dense: Int32Array | undefined
  #nonzero = 0
  #total = 0

  /** On how many slots there are any. */
  get nonzero(): number {
    return this.#nonzero
  }

  get total(): number {
    return this.#total
  }

  /** The array, where it is one; slots beyond its end have none. */
  get dense(): Int32Array | undefined {
    return this.#dense
  }

  get(slot: number): number {
    return (this.#dense ? this.#dense[slot] : this.#sparse?.get(slot)) ?? 0
  }

  add(slot: number, amount: number): void {
    this.#total += amount
    if (this.#sparse) {
      const now = (this.#sparse.get(slot) ?? 0) + amount
      if (now === 0) this.#sparse.delete(slot)
      else this.#sparse.set(slot, now)
      this.#nonzero = this.#sparse.size
      if (this.#nonzero > 48) this.#maybeDense()
      return
    }
    let dense = this.#dense
    if (!dense || slot >= dense.length) {
      const grown: Int32Array = new Int32Array(Math.max(slot + 1, (dense?.length ?? 0) * 2))
      if (dense) grown.set(dense)
      this.#dense = dense = grown
    }
    const before = dense[slot] ?? 0
    dense[slot] = before + amount
    if (before === 0) this.#nonzero++
    else if (before + amount === 0) this.#nonzero--
  }

  /** Calls with every slot that has any. */
  forEach(call: (slot: number, count: number) => void): void {
    if (this.#sparse) {
      for (const [slot, count] of this.#sparse) call(slot, count)
      return
    }
    const dense = this.#dense
    if (!dense) return
    for (let slot = 0; slot < dense.length; slot++) {
      const count = dense[slot] ?? 0
      if (count !== 0) call(slot, count)
    }
  }

  /** An array pays when it is not much larger than the map. */
  #maybeDense(): void {
    const sparse = this.#sparse
    if (!sparse || (sparse.size & 15) !== 1) return
    let highest = 0
    for (const slot of sparse.keys()) if (slot > highest) highest = slot
    if (sparse.size * 16 < highest) return
    const dense = new Int32Array(highest + 1 + (highest >> 1))
    for (const [slot, count] of sparse) dense[slot] = count
    this.#dense = dense
    this.#sparse = undefined
  }
}
