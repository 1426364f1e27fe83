// Match conditions of webhooks and policies: which requests they leave out.
import { admissionEnvironment, AuthorizerValue } from '@berth/cel'
import type { MatchCondition } from '@berth/api/types/admissionregistration/v1'
import type { AdmissionAttributes, Authorizer, ResourceStore } from '../../interfaces.ts'
import { compileFor, Evaluation, OutOfBudgetError } from './evaluation.ts'
import type { Compiled } from './evaluation.ts'
import { admissionRequest, namespaceObject } from './request.ts'

/** What the match conditions of one webhook or policy may spend (upstream: RuntimeCELCostBudgetMatchConditions). */
const conditionsBudget = 2_500_000

/** The variables of a request's expressions. */
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

const environments = { plain: admissionEnvironment({ authorizer: true }), params: admissionEnvironment({ authorizer: true, params: true }) }
const compiled = { plain: new Map<string, Compiled>(), params: new Map<string, Compiled>() }
const keptAtMost = 2000

function compileCondition(expression: string, withParams: boolean): Compiled {
  const kept = withParams ? compiled.params : compiled.plain
  const known = kept.get(expression)
  if (known) return known
  const made = compileFor(expression, withParams ? environments.params : environments.plain)
  if (kept.size >= keptAtMost) kept.clear()
  kept.set(expression, made)
  return made
}

/** Whether all conditions hold: false where one does not, whatever the others say; else what is wrong with those that fail. */
export function conditionsHold(conditions: readonly MatchCondition[] | undefined, variables: () => Record<string, unknown>, withParams: boolean): { holds: boolean, error?: string } {
  if (!conditions || conditions.length === 0) return { holds: true }
  const evaluation = new Evaluation(variables(), conditionsBudget)
  const errors: string[] = []
  try {
    const outcomes = conditions.map(({ expression }) => evaluation.run(compileCondition(expression, withParams)))
    for (const { value, error } of outcomes) {
      if (error !== undefined) errors.push(error)
      else if (value === false) return { holds: false }
    }
  } catch (error) {
    if (!(error instanceof OutOfBudgetError)) throw error
    return { holds: false, error: error.message }
  }
  if (errors.length === 0) return { holds: true }
  return { holds: false, error: errors.length === 1 ? errors[0] ?? '' : `[${[...new Set(errors)].join(', ')}]` }
}
