import { compile } from '@berth/cel'
import type { CelType, Environment } from '@berth/cel'

/** Why an expression is refused, in upstream's words, or the type that it has. */
export type Judged = { readonly problem: string, readonly type?: undefined, readonly references?: undefined } | { readonly problem?: undefined, readonly type: CelType, readonly references: ReadonlySet<string> }

export function judge(expression: string, environment: Environment, prefix = ''): Judged {
  const { program, error } = compile(expression, environment)
  if (program) return { type: program.resultType, references: program.references }
  return { problem: error.startsWith('program instantiation failed') ? `${prefix}${error}` : `${prefix}compilation failed: ${error}` }
}
