// A ValidatingAdmissionPolicy's expressions, compiled in the order of its variables and run over requests.
import { admissionEnvironment } from '@berth/cel'
import type { ValidatingAdmissionPolicy, Validation } from '@berth/api/types/admissionregistration/v1'
import { compileFor, compileVariables, Evaluation, OutOfBudgetError, requestBudget } from './evaluation.ts'
import type { Compiled, Outcome } from './evaluation.ts'

/** A computed message that is longer is not used. */
const maxMessageBytes = 5 * 1024

interface CompiledValidation { readonly validation: Validation, readonly program: Compiled, readonly message: Compiled | undefined }

export interface PolicyProgram {
  readonly variables: ReadonlyMap<string, Compiled>
  readonly validations: readonly CompiledValidation[]
  readonly annotations: readonly Compiled[]
  readonly withParams: boolean
}

/** Compiles a policy. Errors stay with the expressions they are of. */
export function compilePolicy({ spec }: ValidatingAdmissionPolicy): PolicyProgram {
  const params = spec?.paramKind !== undefined
  const { compiled, types } = compileVariables(spec?.variables, (variables) => admissionEnvironment({ authorizer: true, params, variables }))
  const whole = admissionEnvironment({ authorizer: true, params, variables: types })
  const unauthorized = admissionEnvironment({ params, variables: types })
  return {
    variables: compiled, withParams: params,
    validations: (spec?.validations ?? []).map((validation): CompiledValidation => ({
      validation, program: compileFor(validation.expression, whole),
      message: validation.messageExpression === undefined || validation.messageExpression === '' ? undefined : compileFor(validation.messageExpression, unauthorized),
    })),
    annotations: (spec?.auditAnnotations ?? []).map(({ valueExpression }) => compileFor(valueExpression, whole)),
  }
}

/** One validation that did not hold, or could not be computed; `index` is its place in the policy. */
export interface Finding { readonly index: number, readonly message: string, readonly reason: string, readonly isError: boolean }

/** What a policy has to say of a request. */
export interface PolicyResult {
  readonly findings: readonly Finding[]
  /** What is wrong with audit annotations that could not be computed. Those that could go nowhere: there is no audit log. */
  readonly annotationErrors: readonly string[]
}

/** Runs a policy over a request (and a parameter). */
export function runPolicy(policy: PolicyProgram, request: Readonly<Record<string, unknown>>, params: unknown): PolicyResult {
  const inputs: Record<string, unknown> = { ...request, ...(policy.withParams ? { params: params ?? null } : {}) }
  try {
    return { findings: findings(policy, inputs), annotationErrors: annotationErrors(policy, inputs) }
  } catch (error) {
    if (!(error instanceof OutOfBudgetError)) throw error
    return { findings: [{ index: 0, message: error.message, reason: 'Invalid', isError: true }], annotationErrors: [] }
  }
}

function findings(policy: PolicyProgram, inputs: Record<string, unknown>): Finding[] {
  const evaluation = new Evaluation(inputs, requestBudget, policy.variables)
  const outcomes = policy.validations.map(({ program }) => evaluation.run(program))
  const messages = messagesOf(policy, inputs, evaluation.left)
  return outcomes.flatMap((outcome, index): Finding[] => {
    const validation = policy.validations[index]?.validation ?? { expression: '' }
    if (outcome.error !== undefined) return [{ index, message: outcome.error, reason: 'Invalid', isError: true }]
    if (messages.error !== undefined) return [{ index, message: `failed messageExpression: ${messages.error}`, reason: 'Invalid', isError: true }]
    if (outcome.value === true) return []
    return [{ index, message: messageText(validation, messages.outcomes[index]), reason: validation.reason ?? 'Invalid', isError: false }]
  })
}

/** All messages are computed, of those that hold too, out of what the validations have left. */
function messagesOf(policy: PolicyProgram, inputs: Record<string, unknown>, budget: number): { outcomes: readonly (Outcome | undefined)[], error?: string } {
  const evaluation = new Evaluation(inputs, budget, policy.variables)
  try {
    return { outcomes: policy.validations.map(({ message }) => message && evaluation.run(message)) }
  } catch (error) {
    if (!(error instanceof OutOfBudgetError)) throw error
    return { outcomes: [], error: error.message }
  }
}

function messageText({ message, expression }: Validation, computed: Outcome | undefined): string {
  const text = typeof computed?.value === 'string' ? computed.value.trim() : ''
  if (text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= maxMessageBytes) return text
  return message?.trim() || `failed expression: ${expression.trim()}`
}

function annotationErrors({ annotations, variables }: PolicyProgram, inputs: Record<string, unknown>): string[] {
  const evaluation = new Evaluation(inputs, requestBudget, variables)
  return annotations.flatMap((annotation) => evaluation.run(annotation).error ?? [])
}
