// A ValidatingAdmissionPolicy's expressions, compiled in the order of its variables.
import { admissionEnvironment, compile, lazyVariables } from '@berth/cel'
import type { CelType, Environment, Value } from '@berth/cel'
import type { ValidatingAdmissionPolicy, Validation } from '@berth/api/types/admissionregistration/v1'
import { requestBudget, runExpression } from './conditions.ts'
import type { Compiled } from './conditions.ts'

interface CompiledValidation { readonly validation: Validation, readonly program: Compiled, readonly message: Compiled | undefined }

export interface PolicyProgram {
  readonly variables: ReadonlyMap<string, Compiled>
  readonly validations: readonly CompiledValidation[]
  readonly withParams: boolean
}

/** Compiles a policy. Errors stay with the expressions they are of. */
export function compilePolicy({ spec }: ValidatingAdmissionPolicy): PolicyProgram {
  const withParams = spec?.paramKind !== undefined
  const types: Record<string, CelType> = {}
  const variables = new Map<string, Compiled>()
  const environment = (): Environment => admissionEnvironment({ authorizer: true, params: withParams, variables: { ...types } })
  for (const { name, expression } of spec?.variables ?? []) {
    const made = compile(expression, environment())
    variables.set(name, { expression, ...made })
    types[name] = made.program?.resultType ?? { kind: 'dyn' } as CelType
  }
  const whole = environment()
  const validations = (spec?.validations ?? []).map((validation): CompiledValidation => ({
    validation, program: { expression: validation.expression, ...compile(validation.expression, whole) },
    message: validation.messageExpression === undefined || validation.messageExpression === '' ? undefined : { expression: validation.messageExpression, ...compile(validation.messageExpression, whole) },
  }))
  return { variables, validations, withParams }
}

/** One validation that did not hold, or could not be computed. */
export interface Finding { readonly message: string, readonly reason: string, readonly isError: boolean }

/** Runs a policy's validations over a request (and a parameter). */
export function runPolicy(policy: PolicyProgram, request: Record<string, unknown>, params: unknown): Finding[] {
  let left = requestBudget
  const all: Record<string, unknown> = { ...request, ...(policy.withParams ? { params: params ?? null } : {}) }
  all['variables'] = lazyVariables(policy.variables.keys(), (name): Value => {
    const variable = policy.variables.get(name)
    if (!variable) throw new Error(`no variable ${name}`)
    const outcome = runExpression(variable, all, left)
    left -= outcome.cost
    if (outcome.error !== undefined) throw new Error(`composited variable "${name}" fails to evaluate: ${outcome.error}`)
    return outcome.value
  })
  const findings: Finding[] = []
  for (const { validation, program, message } of policy.validations) {
    let outcome: ReturnType<typeof runExpression>
    try {
      outcome = runExpression(program, all, left)
    } catch (error) {
      // A variable that fails does so wherever it is read.
      outcome = { error: error instanceof Error ? error.message : String(error), cost: 0 }
    }
    left -= outcome.cost
    const reason = validation.reason ?? 'Invalid'
    if (outcome.error !== undefined) findings.push({ message: `expression '${validation.expression}' resulted in error: ${outcome.error}`, reason, isError: true })
    else if (outcome.value !== true) findings.push({ message: textOf(validation, message, all, left), reason, isError: false })
  }
  return findings
}

function textOf(validation: Validation, message: Compiled | undefined, variables: Record<string, unknown>, left: number): string {
  if (message) {
    const { value } = runExpression(message, variables, left)
    if (typeof value === 'string' && value.trim() !== '' && !/[\n\r]/.test(value.trim())) return value.trim()
  }
  return validation.message?.trim() || `failed expression: ${validation.expression.trim()}`
}
