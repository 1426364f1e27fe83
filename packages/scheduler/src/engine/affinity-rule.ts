import { maxNodeScore } from '../framework/normalize.ts'
import type { DomainCounter } from './domain-counter.ts'
import type { DomainRule, Rung } from './ladder.ts'

/** What InterPodAffinity's rule for rungs is made of. */
export interface AffinityParts {
  readonly name: string
  readonly weight: number
  /** One counter a required term, of the pods that fulfil them all. */
  readonly attracting: readonly DomainCounter[]
  /** Of pods that keep this one away, and of those that it keeps away from. */
  readonly repelling: readonly DomainCounter[]
  /** Weights, one counter a topology key. */
  readonly weights: readonly DomainCounter[]
  /** The pod fulfils its own required terms. */
  readonly matchesItself: boolean
  isCurrent(): boolean
}

/** InterPodAffinity for rungs. */
export class AffinityRule implements DomainRule {
  readonly name: string
  readonly weight: number
  readonly counters: readonly DomainCounter[]
  readonly #parts: AffinityParts
  #at = 0
  #isFirst = false

  constructor(parts: AffinityParts) {
    this.name = parts.name
    this.weight = parts.weight
    this.counters = [...parts.attracting, ...parts.repelling, ...parts.weights]
    this.#parts = parts
  }

  isCurrent(): boolean {
    return this.#parts.isCurrent()
  }

  begin(at: number): void {
    const { attracting, matchesItself } = this.#parts
    this.#at = at
    this.#isFirst = matchesItself && attracting.every(({ touched }) => touched === 0)
  }

  allows({ parts }: Rung): boolean {
    const { attracting, repelling } = this.#parts
    let at = this.#at
    for (let i = 0; i < attracting.length; i++) {
      const part = parts[at++]!
      if (part === 0 || (!this.#isFirst && attracting[i]!.amount(part) <= 0)) return false
    }
    for (let i = 0; i < repelling.length; i++) if (repelling[i]!.amount(parts[at++]!) > 0) return false
    return true
  }

  score(rungs: readonly Rung[], field: 'spread' | 'affinity'): boolean {
    const { attracting, repelling, weights } = this.#parts
    if (weights.every(({ touched }) => touched === 0)) return false
    const first = this.#at + attracting.length + repelling.length
    let min = Infinity
    let max = -Infinity
    for (const rung of rungs) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += weights[i]!.amount(rung.parts[first + i]!)
      rung[field] = sum
      if (sum < min) min = sum
      if (sum > max) max = sum
    }
    const spread = max - min
    for (const rung of rungs) rung[field] = spread > 0 ? Math.trunc(maxNodeScore * ((rung[field] - min) / spread)) : 0
    return true
  }
}
