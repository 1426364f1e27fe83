import type { AuditAnnotation, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, Validation } from '../types/admissionregistration/v1.ts'
import { checkParamKind, checkParamRef, checkPolicyName, checkRequiredOf, checkVariable, isBlank } from './admission/policy.ts'
import { checkMatchConditions, checkMatchResources, failurePolicies } from './admission/rules.ts'
import { textOf } from './common.ts'
import { checkConditions } from './conditions.ts'
import { duplicate, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const actions = ['Audit', 'Deny', 'Warn']
const auditMax = 20
const auditExpressionMax = 5 * 1024

function checkRule({ expression, message = '', messageExpression = '', reason }: Validation, at: string): FieldError[] {
  const said = message.trim()
  return [
    ...(isBlank(expression) ? [required(`${at}.expression`, 'expression is not specified')] : []),
    ...(messageExpression !== '' && isBlank(messageExpression) ? [invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified')] : []),
    ...(message !== '' && said === '' ? [invalid(`${at}.message`, message, 'must be non-empty if specified')]
      : /[\n\r]/.test(said) ? [invalid(`${at}.message`, message, 'must not contain line breaks')] : []),
    ...(reason === undefined || reasons.includes(reason) ? [] : [notSupported(`${at}.reason`, reason, reasons)]),
  ]
}

function checkAudit({ key = '', valueExpression }: AuditAnnotation, name: string, at: string): FieldError[] {
  const length = Buffer.byteLength(textOf(valueExpression).trim())
  const full = `${name}/${key}`
  return [
    ...(name === '' ? [invalid(`${at}.key`, key, 'requires metadata.name be non-empty')] : qualifiedName(full).map((problem) => invalid(`${at}.key`, full, problem))),
    ...(length === 0 ? [required(`${at}.valueExpression`, 'valueExpression is not specified')]
      : length > auditExpressionMax ? [required(`${at}.valueExpression`, `must not exceed ${auditExpressionMax} bytes in length`)] : []),
  ]
}

function checkPolicy({ metadata, spec = {} }: ValidatingAdmissionPolicy): FieldError[] {
  const { matchConstraints, variables = [], validations = [], auditAnnotations = [] } = spec
  const errors = [
    ...checkMeta(metadata, false, nameIsDnsSubdomain),
    ...checkRequiredOf('spec.failurePolicy', spec.failurePolicy, failurePolicies),
    ...checkParamKind(spec.paramKind, 'spec.paramKind'),
    ...(matchConstraints ? checkMatchResources(matchConstraints, 'spec.matchConstraints') : [required('spec.matchConstraints')]),
    ...(matchConstraints && !matchConstraints.resourceRules?.length ? [required('spec.matchConstraints.resourceRules')] : []),
    ...checkMatchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...variables.flatMap((variable, i) => checkVariable(variable, `spec.variables[${i}]`)),
  ]
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item'
    return [...errors, required('spec.validations', detail), required('spec.auditAnnotations', detail)]
  }
  const keys = auditAnnotations.map(({ key }) => key)
  return [
    ...errors,
    ...validations.flatMap((rule, i) => checkRule(rule, `spec.validations[${i}]`)),
    ...(auditAnnotations.length > auditMax ? [invalid('spec.auditAnnotations', auditAnnotations, `must not have more than ${auditMax} auditAnnotations`)] : []),
    ...auditAnnotations.flatMap((annotation, i) => [
      ...checkAudit(annotation, metadata.name, `spec.auditAnnotations[${i}]`), ...(keys.indexOf(annotation.key) < i ? [duplicate(`spec.auditAnnotations[${i}].key`, annotation.key)] : []),
    ]),
  ]
}

function checkStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  return [
    ...(status?.typeChecking?.expressionWarnings ?? []).flatMap(({ warning, fieldRef }, i) => {
      const at = `status.typeChecking.expressionWarnings[${i}]`
      return [...(textOf(warning) === '' ? [required(`${at}.warning`)] : []), ...(isBlank(fieldRef) ? [required(`${at}.fieldRef`)] : [])]
    }),
    ...checkConditions(status?.conditions, 'status.conditions'),
  ]
}

export const validatingAdmissionPolicyValidation: KindValidation<ValidatingAdmissionPolicy> = {
  namespaced: false,
  create: checkPolicy,
  update: (policy, _old, subresource) => (subresource === 'status' ? checkStatus(policy) : checkPolicy(policy)),
}

function checkActions(given: readonly string[], at: string): FieldError[] {
  return [
    ...given.flatMap((action, i) => [
      ...(actions.includes(action) ? [] : [notSupported(`${at}[${i}]`, action, actions)]), ...(given.indexOf(action) < i ? [duplicate(`${at}[${i}]`, action)] : []),
    ]),
    ...(given.includes('Deny') && given.includes('Warn')
      ? [invalid(at, given, 'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)')] : []),
    ...(given.length === 0 ? [required(at, 'at least one validation action is required')] : []),
  ]
}

const checkBinding = ({ metadata, spec }: ValidatingAdmissionPolicyBinding): FieldError[] => [
  ...checkMeta(metadata, false, nameIsDnsSubdomain),
  ...checkPolicyName(spec?.policyName, 'spec.policyName'),
  ...checkParamRef(spec?.paramRef, 'spec.paramRef'),
  ...checkMatchResources(spec?.matchResources, 'spec.matchResources'),
  ...checkActions(spec?.validationActions ?? [], 'spec.validationActions'),
]

export const validatingAdmissionPolicyBindingValidation: KindValidation<ValidatingAdmissionPolicyBinding> = { namespaced: false, create: checkBinding, update: checkBinding }
