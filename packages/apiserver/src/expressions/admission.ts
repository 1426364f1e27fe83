// Match conditions of webhooks and policies; validations, variables, messages and audit annotations, mutations of policies.
import { fieldErrors } from '@berth/api'
import type { FieldError } from '@berth/api'
import type { MatchCondition, MutatingAdmissionPolicy, MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingWebhookConfiguration, Variable } from '@berth/api/types/admissionregistration/v1'
import { admissionEnvironment, celTypes, jsonPatchType, patchObjectType } from '@berth/cel'
import type { CelType, Environment } from '@berth/cel'
import { judge } from './compiled.ts'

const plain = admissionEnvironment({ authorizer: true })
const withParams = admissionEnvironment({ authorizer: true, params: true })

/** `kinds` are the types that the expression may have; any where there are none. */
function check(expression: string, environment: Environment, kinds: readonly string[], field: string): FieldError[] {
  const { problem, type } = judge(expression, environment)
  if (problem !== undefined) return [fieldErrors.invalid(field, expression, problem)]
  if (kinds.length === 0 || kinds.includes(type.kind)) return []
  const wanted = kinds.length === 1 ? kinds[0] : `one of [${kinds.map((kind) => (kind === 'null' ? 'null_type' : kind)).join(' ')}]`
  return [fieldErrors.invalid(field, expression, `must evaluate to ${wanted} but got ${type.kind}`)]
}

const checkConditions = (conditions: readonly MatchCondition[] | undefined, environment: Environment, at: string): FieldError[] =>
  (conditions ?? []).flatMap(({ expression }, i) => check(expression.trim(), environment, ['bool'], `${at}[${i}].expression`))

export function webhookErrors({ webhooks }: ValidatingWebhookConfiguration | MutatingWebhookConfiguration): FieldError[] {
  return (webhooks ?? []).flatMap(({ matchConditions }, i) => checkConditions(matchConditions, plain, `webhooks[${i}].matchConditions`))
}

/** Each variable is known to what follows it. */
function checkVariables(variables: readonly Variable[] | undefined, params: boolean): { errors: FieldError[], types: Record<string, CelType> } {
  const types: Record<string, CelType> = {}
  const errors = (variables ?? []).flatMap(({ name, expression }, i) => {
    const { problem, type } = judge(expression, admissionEnvironment({ authorizer: true, params, variables: { ...types } }))
    types[name] = type ?? celTypes.dynType
    return problem === undefined ? [] : [fieldErrors.invalid(`spec.variables[${i}].expression`, expression, problem)]
  })
  return { errors, types }
}

export function validatingPolicyErrors({ spec = {} }: ValidatingAdmissionPolicy): FieldError[] {
  const params = spec.paramKind !== undefined
  const { errors, types } = checkVariables(spec.variables, params)
  const environment = admissionEnvironment({ authorizer: true, params, variables: types })
  const messages = admissionEnvironment({ authorizer: false, params, variables: types })
  return [
    ...checkConditions(spec.matchConditions, params ? withParams : plain, 'spec.matchConditions'),
    ...errors,
    ...(spec.validations ?? []).flatMap(({ expression, messageExpression = '' }, i) => [
      ...check(expression, environment, ['bool'], `spec.validations[${i}].expression`),
      ...(messageExpression.trim() === '' ? [] : check(messageExpression, messages, ['string'], `spec.validations[${i}].messageExpression`)),
    ]),
    ...(spec.auditAnnotations ?? []).flatMap(({ valueExpression }, i) => check(valueExpression.trim(), environment, ['string', 'null'], `spec.auditAnnotations[${i}].valueExpression`)),
  ]
}

export function mutatingPolicyErrors({ spec = {} }: MutatingAdmissionPolicy): FieldError[] {
  const params = spec.paramKind !== undefined
  const { errors, types } = checkVariables(spec.variables, params)
  const environment = admissionEnvironment({ authorizer: true, params, variables: types, patches: true })
  return [
    ...checkConditions(spec.matchConditions, params ? withParams : plain, 'spec.matchConditions'),
    ...errors,
    ...(spec.mutations ?? []).flatMap(({ patchType, applyConfiguration, jsonPatch }, i) => [
      ...(patchType === 'ApplyConfiguration' && applyConfiguration?.expression ? checkType(applyConfiguration.expression.trim(), environment, patchObjectType, `spec.mutations[${i}].applyConfiguration.expression`) : []),
      ...(patchType === 'JSONPatch' && jsonPatch?.expression ? checkType(jsonPatch.expression.trim(), environment, jsonPatchType, `spec.mutations[${i}].jsonPatch.expression`) : []),
    ]),
  ]
}

/** The expression must be of this type, exactly. */
function checkType(expression: string, environment: Environment, wanted: CelType, field: string): FieldError[] {
  const { problem, type } = judge(expression, environment)
  const wrong = problem ?? (celTypes.sameType(type, wanted) ? undefined : `must evaluate to ${celTypes.formatType(wanted)} but got ${celTypes.formatType(type)}`)
  return wrong === undefined ? [] : [fieldErrors.invalid(field, expression, wrong)]
}
