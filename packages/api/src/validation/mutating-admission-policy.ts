import type { MatchResources, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, Mutation } from '../types/admissionregistration/v1.ts'
import { checkParamKind, checkParamRef, checkPolicyName, checkRequiredOf, checkVariable, isBlank } from './admission/policy.ts'
import { checkMatchConditions, checkMatchResources, failurePolicies } from './admission/rules.ts'
import { textOf } from './common.ts'
import { invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'

const operations = ['*', 'CONNECT', 'CREATE', 'UPDATE']
const patchTypes = ['ApplyConfiguration', 'JSONPatch']

/** What is deleted cannot be changed. */
const checkOperations = (match: MatchResources | undefined, at: string): FieldError[] => (match?.resourceRules ?? []).flatMap((rule) =>
  (rule.operations ?? []).flatMap((operation) => (operations.includes(operation) ? [] : [notSupported(`${at}.resourceRules.operations`, operation, operations)])))

function checkMutation(mutation: Mutation, at: string): FieldError[] {
  const type = textOf(mutation.patchType)
  if (type === '') return [required(`${at}.patchType`)]
  if (!patchTypes.includes(type)) return [notSupported(`${at}.patchType`, type, patchTypes)]
  const [own, other] = type === 'JSONPatch' ? (['jsonPatch', 'applyConfiguration'] as const) : (['applyConfiguration', 'jsonPatch'] as const)
  const patch = mutation[own]
  return [
    ...(!patch ? [required(`${at}.${own}`, `must be specified when patchType is ${type}`)] : isBlank(patch.expression) ? [required(`${at}.${own}.expression`)] : []),
    ...(mutation[other] ? [invalid(`${at}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`)] : []),
  ]
}

function checkPolicy({ metadata, spec = {} }: MutatingAdmissionPolicy): FieldError[] {
  const { matchConstraints, variables = [], mutations = [] } = spec
  return [
    ...checkMeta(metadata, false, nameIsDnsSubdomain),
    ...checkRequiredOf('spec.failurePolicy', spec.failurePolicy, failurePolicies),
    ...checkParamKind(spec.paramKind, 'spec.paramKind'),
    ...(matchConstraints ? checkMatchResources(matchConstraints, 'spec.matchConstraints') : [required('spec.matchConstraints')]),
    ...(matchConstraints && !matchConstraints.resourceRules?.length ? [required('spec.matchConstraints.resourceRules')] : []),
    ...checkOperations(matchConstraints, 'spec.matchConstraints'),
    ...checkMatchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...variables.flatMap((variable, i) => checkVariable(variable, `spec.variables[${i}]`)),
    ...(mutations.length === 0 ? [required('spec.mutations', 'mutations must contain at least one item')] : []),
    ...mutations.flatMap((mutation, i) => checkMutation(mutation, `spec.mutations[${i}]`)),
    ...checkRequiredOf('spec.reinvocationPolicy', spec.reinvocationPolicy, ['IfNeeded', 'Never']),
  ]
}

export const mutatingAdmissionPolicyValidation: KindValidation<MutatingAdmissionPolicy> = { namespaced: false, create: checkPolicy, update: checkPolicy }

const checkBinding = ({ metadata, spec }: MutatingAdmissionPolicyBinding): FieldError[] => [
  ...checkMeta(metadata, false, nameIsDnsSubdomain),
  ...checkPolicyName(spec?.policyName, 'spec.policyName'),
  ...checkParamRef(spec?.paramRef, 'spec.paramRef'),
  ...checkMatchResources(spec?.matchResources, 'spec.matchResources'),
  ...checkOperations(spec?.matchResources, 'spec.matchResources'),
]

export const mutatingAdmissionPolicyBindingValidation: KindValidation<MutatingAdmissionPolicyBinding> = { namespaced: false, create: checkBinding, update: checkBinding }
