/** A score by slot, of which the best is known at any time, also how many have it. A slot that is out has -Infinity. */
export class ScoreTree {
  readonly #leaves: number
  /** Node 1 is the root; the leaves follow the inner nodes. */
  readonly #best: Float64Array
  /** How many leaves below have the best. */
  readonly #ties: Int32Array

  constructor(slots: number) {
    let leaves = 2
    while (leaves < slots) leaves *= 2
    this.#leaves = leaves
    this.#best = new Float64Array(2 * leaves).fill(-Infinity)
    this.#ties = new Int32Array(2 * leaves)
  }

  get best(): number {
    return this.#best[1] ?? -Infinity
  }

  get(slot: number): number {
    return this.#best[this.#leaves + slot] ?? -Infinity
  }

  set(slot: number, score: number): void {
    const best = this.#best
    const ties = this.#ties
    let at = this.#leaves + slot
    if (best[at] === score) return
    best[at] = score
    ties[at] = score === -Infinity ? 0 : 1
    for (at >>= 1; at >= 1; at >>= 1) this.#join(at)
  }

  /** Takes all scores anew; what is not given is out. */
  fill(score: (slot: number) => number, slots: number): void {
    const best = this.#best
    for (let slot = 0; slot < this.#leaves; slot++) {
      const value = slot < slots ? score(slot) : -Infinity
      best[this.#leaves + slot] = value
      this.#ties[this.#leaves + slot] = value === -Infinity ? 0 : 1
    }
    for (let at = this.#leaves - 1; at >= 1; at--) this.#join(at)
  }

  #join(at: number): void {
    const best = this.#best
    const ties = this.#ties
    const left = 2 * at
    const a = best[left] ?? -Infinity
    const b = best[left + 1] ?? -Infinity
    if (a > b) {
      best[at] = a
      ties[at] = ties[left] ?? 0
    } else if (b > a) {
      best[at] = b
      ties[at] = ties[left + 1] ?? 0
    } else {
      best[at] = a
      ties[at] = (ties[left] ?? 0) + (ties[left + 1] ?? 0)
    }
  }

  /** One of the slots with the best score: the `n`th of them, counted from 0 where random says 0. There must be one. */
  pick(random: () => number): number {
    const best = this.#best
    const ties = this.#ties
    let n = Math.min(Math.floor(random() * (ties[1] ?? 0)), (ties[1] ?? 1) - 1)
    const score = best[1]
    let at = 1
    while (at < this.#leaves) {
      const left = 2 * at
      if (best[left] === score) {
        const here = ties[left] ?? 0
        if (n < here) {
          at = left
          continue
        }
        n -= here
      }
      at = left + 1
    }
    return at - this.#leaves
  }

  /** The slots of the best scores, the best one first: as many as wanted and there. */
  top(wanted: number): number[] {
    const best = this.#best
    const found: number[] = []
    const open = [1]
    while (open.length > 0 && found.length < wanted) {
      let next = 0
      for (let i = 1; i < open.length; i++) if ((best[open[i] ?? 0] ?? 0) > (best[open[next] ?? 0] ?? 0)) next = i
      let at = open[next] ?? 0
      open[next] = open.at(-1) ?? 0
      open.pop()
      if (best[at] === -Infinity) break
      // Down to the leaf that has the best of this part; the other halves stay open.
      while (at < this.#leaves) {
        const left = 2 * at
        const goLeft = best[left] === best[at]
        const other = goLeft ? left + 1 : left
        if (best[other] !== -Infinity) open.push(other)
        at = goLeft ? left : left + 1
      }
      found.push(at - this.#leaves)
    }
    return found
  }
}
