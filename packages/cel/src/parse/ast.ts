import type { Value } from '../values/value.ts'

/** A parsed expression. `at` is the offset in the source, for errors; `id` is unique within one expression. */
export type Expr =
  | Node<'literal', { readonly value: Value }>
  | Node<'ident', { readonly name: string }>
  | Node<'select', { readonly operand: Expr; readonly field: string; readonly test: boolean; readonly optional: boolean }>
  | Node<'call', { readonly name: string; readonly target?: Expr; readonly args: readonly Expr[] }>
  | Node<'list', { readonly elements: readonly Expr[]; readonly optional: ReadonlySet<number> }>
  | Node<'map', { readonly entries: readonly MapEntry[] }>
  | Node<'struct', { readonly typeName: string; readonly fields: readonly StructField[] }>
  | Node<'fold', Fold>

type Node<K extends string, P> = { readonly kind: K; readonly id: number; readonly at: number } & P

export interface MapEntry {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface StructField {
  readonly name: string
  readonly value: Expr
  readonly optional: boolean
}

/** A comprehension: `accumulator` starts as `init`, takes `step` for each element while `condition` holds, and gives `result`. */
export interface Fold {
  readonly range: Expr
  readonly variable: string
  readonly variable2?: string
  readonly accumulator: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

/** The dotted name that an expression spells (`a.b.c`), or undefined. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test || expr.optional) return undefined
  const prefix = qualifiedName(expr.operand)
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`
}
