import { maxNodeScore } from '../framework/normalize.ts'
import { hostnameLabel, type Constraint } from '../plugins/pod-topology-spread/constraints.ts'
import type { DomainCounter } from './domain-counter.ts'
import type { DomainRule, Rung } from './ladder.ts'

export interface SpreadPart {
  readonly constraint: Constraint
  readonly counter: DomainCounter
  /** Whether the constraint counts the pod itself. */
  readonly matchesItself: boolean
}

/** What PodTopologySpread's rule for rungs is made of. */
export interface SpreadParts {
  readonly name: string
  readonly weight: number
  readonly hard: readonly SpreadPart[]
  readonly soft: readonly SpreadPart[]
  /** Nodes that lack one of the soft constraints' labels get no score. */
  readonly needsAllLabels: boolean
  isCurrent(): boolean
}

/** PodTopologySpread for rungs. */
export class SpreadRule implements DomainRule {
  readonly name: string
  readonly weight: number
  readonly counters: readonly DomainCounter[]
  readonly #parts: SpreadParts
  #at = 0
  /** The most pods that a domain may have already, by hard constraint. */
  readonly #most: number[] = []

  constructor(parts: SpreadParts) {
    this.name = parts.name
    this.weight = parts.weight
    this.counters = [...parts.hard, ...parts.soft].map(({ counter }) => counter)
    this.#parts = parts
  }

  isCurrent(): boolean {
    return this.#parts.isCurrent()
  }

  begin(at: number): void {
    this.#at = at
    for (const [i, { constraint, counter, matchesItself }] of this.#parts.hard.entries()) {
      const least = counter.known < constraint.minDomains ? 0 : counter.least
      this.#most[i] = constraint.maxSkew + least - (matchesItself ? 1 : 0)
    }
  }

  allows({ parts }: Rung): boolean {
    const { hard } = this.#parts
    for (let i = 0; i < hard.length; i++) {
      const part = parts[this.#at + i]!
      if (part === 0 || hard[i]!.counter.amount(part) > this.#most[i]!) return false
    }
    return true
  }

  #lacksLabel({ parts }: Rung, first: number): boolean {
    for (let i = 0; i < this.#parts.soft.length; i++) if (parts[first + i] === 0) return true
    return false
  }

  score(rungs: readonly Rung[], field: 'spread' | 'affinity'): boolean {
    const { hard, soft, needsAllLabels } = this.#parts
    if (soft.length === 0) return false
    const first = this.#at + hard.length
    let valid = 0
    for (const rung of rungs) {
      rung[field] = needsAllLabels && this.#lacksLabel(rung, first) ? Number.NaN : 0
      if (!Number.isNaN(rung[field])) valid += rung.size
    }
    for (const [i, { constraint, counter }] of soft.entries()) {
      const at = first + i
      const weight = Math.log((constraint.topologyKey === hostnameLabel ? valid : this.#domains(rungs, at, counter, field)) + 2)
      const base = constraint.maxSkew - 1
      for (const rung of rungs) {
        const part = rung.parts[at]!
        if (part !== 0) rung[field] += counter.amount(part) * weight + base
      }
    }
    let min = Infinity
    let max = -Infinity
    for (const rung of rungs) {
      const score = rung[field] = Math.round(rung[field])
      if (score < min) min = score
      if (score > max) max = score
    }
    for (const rung of rungs) {
      const score = rung[field]
      if (Number.isNaN(score)) rung[field] = 0
      else rung[field] = max === 0 ? maxNodeScore : Math.trunc((maxNodeScore * (max + min - score)) / max)
    }
    return true
  }

  /** How many domains the nodes of the rungs are in, but for those that get no score. To upstream, having no label is one more value of it. */
  #domains(rungs: readonly Rung[], at: number, counter: DomainCounter, field: 'spread' | 'affinity'): number {
    const seen: boolean[] = []
    let domains = 0
    for (const rung of rungs) {
      const part = rung.parts[at]!
      if (Number.isNaN(rung[field]) || rung.size === 0) continue
      if (counter.isPerNode && part !== 0) domains += rung.size
      else if (!seen[part]) {
        seen[part] = true
        domains++
      }
    }
    return domains
  }
}
