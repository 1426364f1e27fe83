import { compile } from '@berth/cel'
import type { CelType, CompileOptions, Environment } from '@berth/cel'

/** Why an expression is refused, in upstream's words, or the type that it has (and what it costs at most, where sizes are given). */
export type Judged = { readonly problem: string, readonly type?: undefined, readonly references?: undefined, readonly cost?: undefined }
  | { readonly problem?: undefined, readonly type: CelType, readonly references: ReadonlySet<string>, readonly cost: bigint }

export function judge(expression: string, environment: Environment, options: CompileOptions & { readonly prefix?: string } = {}): Judged {
  const { prefix = '' } = options
  const { program, error } = compile(expression, environment, options)
  if (program) return { type: program.resultType, references: program.references, cost: program.maxCost ?? 0n }
  return { problem: error.startsWith('program instantiation failed') ? `${prefix}${error}` : `${prefix}compilation failed: ${error}` }
}
