// Expressions over a request: match conditions of webhooks, and what policies compute.
import { admissionEnvironment, AuthorizerValue, compile, evaluate } from '@berth/cel'
import type { Program, Value } from '@berth/cel'
import type { MatchCondition } from '@berth/api/types/admissionregistration/v1'
import type { AdmissionAttributes, Authorizer, ResourceStore } from '../../interfaces.ts'
import { admissionRequest, namespaceObject } from './request.ts'

/** What expressions of one request may spend together (upstream: RuntimeCELCostBudget). */
export const requestBudget = 10_000_000

/** The variables of a request's expressions, computed when first asked for. */
export function requestVariables(attributes: AdmissionAttributes, store: ResourceStore, authorizer: Authorizer): Record<string, unknown> {
  const { user, resource, subresource, namespace, name, object, oldObject } = attributes
  const hook = new AuthorizerValue((question) => {
    const who = question.serviceAccount ? { name: `system:serviceaccount:${question.serviceAccount.namespace}:${question.serviceAccount.name}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${question.serviceAccount.namespace}`, 'system:authenticated'] } : user
    const answer = authorizer.authorize({
      user: who, verb: question.verb, resourceRequest: question.path === undefined, path: question.path ?? '', namespace: question.namespace ?? '', apiGroup: question.group ?? '', apiVersion: '*',
      resource: question.resource ?? '', subresource: question.subresource ?? '', name: question.name ?? '',
    })
    if (answer instanceof Promise) return { allowed: false, error: 'the authorizer does not answer at once' }
    return { allowed: answer.decision === 'allow', reason: answer.reason }
  })
  return {
    object: object ?? null, oldObject: oldObject ?? null, request: admissionRequest(attributes), namespaceObject: namespaceObject(attributes, store), authorizer: hook,
    'authorizer.requestResource': hook.with({ group: resource.group, resource: resource.resource, subresource, namespace, name }, 'kubernetes.authorization.ResourceCheck'),
  }
}

/** An expression that was compiled, or why it cannot be. */
export type Compiled = { readonly expression: string, readonly program?: Program, readonly error?: string }

const environments = { plain: admissionEnvironment({ authorizer: true }), params: admissionEnvironment({ authorizer: true, params: true }) }
const compiled = { plain: new Map<string, Compiled>(), params: new Map<string, Compiled>() }
const keptAtMost = 2000

/** Compiles a match condition; kept. */
export function compileCondition(expression: string, withParams: boolean): Compiled {
  const kept = withParams ? compiled.params : compiled.plain
  const known = kept.get(expression)
  if (known) return known
  const made = { expression, ...compile(expression, withParams ? environments.params : environments.plain) }
  if (kept.size >= keptAtMost) kept.clear()
  kept.set(expression, made)
  return made
}

/** What a run of an expression came to. */
export type Outcome = { readonly value: Value, readonly error?: undefined, readonly cost: number } | { readonly value?: undefined, readonly error: string, readonly cost: number }

export function runExpression({ program, error }: Compiled, variables: Record<string, unknown>, left: number): Outcome {
  if (!program) return { error: `compilation error: ${error ?? ''}`, cost: 0 }
  const result = evaluate(program, variables as never, { costLimit: Math.min(left, 1_000_000) })
  if (result.error) return { error: result.error.message, cost: result.cost }
  return { value: result.value, cost: result.cost }
}

/** Whether all conditions hold: false as soon as one does not, else the first error. */
export function conditionsHold(conditions: readonly MatchCondition[] | undefined, variables: () => Record<string, unknown>, withParams: boolean): { holds: boolean, error?: string } {
  let error: string | undefined
  let left = requestBudget / 4
  for (const { name, expression } of conditions ?? []) {
    const outcome = runExpression(compileCondition(expression, withParams), variables(), left)
    left -= outcome.cost
    if (outcome.error !== undefined) error ??= `error evaluating match condition ${JSON.stringify(name)}: ${outcome.error}`
    else if (outcome.value !== true) return { holds: false }
  }
  return error === undefined ? { holds: true } : { holds: false, error }
}
