import type { Taint, Toleration } from '@berth/api/types/core/v1'

/** What tolerations may do beyond what is stable. */
export interface TolerationOptions {
  /** Operators Lt and Gt compare a taint's value as a number (gate TaintTolerationComparisonOperators). */
  readonly comparisons?: boolean
}

const largest = 2n ** 63n

/** An integer of 64 bits as Kubernetes writes it: without leading zeros or sign; undefined for any other text. */
function integer(text: string): bigint | undefined {
  if (!/^(?:0|-?[1-9]\d*)$/.test(text)) return undefined
  const value = BigInt(text)
  return value >= -largest && value < largest ? value : undefined
}

function compares(toleration: Toleration, taint: Taint, holds: (taint: bigint, bound: bigint) => boolean): boolean {
  const bound = integer(toleration.value ?? '')
  const value = integer(taint.value ?? '')
  return bound !== undefined && value !== undefined && holds(value, bound)
}

/** Whether a toleration tolerates a taint (core/v1 Toleration): an empty effect or key stands for all. */
export function tolerates(toleration: Toleration, taint: Taint, { comparisons = false }: TolerationOptions = {}): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal': return (toleration.value ?? '') === (taint.value ?? '')
    case 'Exists': return true
    case 'Lt': return comparisons && compares(toleration, taint, (value, bound) => value < bound)
    case 'Gt': return comparisons && compares(toleration, taint, (value, bound) => value > bound)
    default: return false
  }
}

/** Whether one of the tolerations tolerates the taint. */
export function toleratesTaint(tolerations: readonly Toleration[], taint: Taint, options?: TolerationOptions): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint, options))
}

/** The first taint with one of these effects that no toleration tolerates. */
export function findUntoleratedTaint(taints: readonly Taint[], tolerations: readonly Toleration[], effects: readonly string[], options?: TolerationOptions): Taint | undefined {
  return taints.find((taint) => effects.includes(taint.effect) && !toleratesTaint(tolerations, taint, options))
}
