import type { JobSpec, SuccessPolicyRule } from '../../types/batch/v1.ts'
import { checkNonNegative, textOf } from '../common.ts'
import { checkDomainPath } from '../domain-path.ts'
import { invalid, notSupported, required, tooLong, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { toInternal } from '../internal/forms.ts'
import { checkPodTemplate } from '../pod/template.ts'
import { checkFailurePolicy } from './failure-policy.ts'
import { countIndexes } from './indexes.ts'

const indexedLimit = 100_000
const highCompletions = 100_000
const limitWithHighCompletions = 10_000
const managedByLength = 63
const successRulesLimit = 20
const succeededIndexesLength = 64 * 1024

/** A job's spec but for the selector, which templates of jobs have none of. */
export function checkJobSpec(spec: JobSpec, at: string, allowPrivileged: boolean): FieldError[] {
  return [
    ...(['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished', 'backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      .flatMap((field) => checkNonNegative(`${at}.${field}`, spec[field])),
    ...(spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined ? [required(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')] : []),
    ...(spec.managedBy === undefined ? [] : checkManagedBy(`${at}.managedBy`, spec.managedBy)),
    ...checkCompletionMode(spec, at),
    ...(spec.podFailurePolicy ? checkFailurePolicy(spec, `${at}.podFailurePolicy`) : []),
    ...checkSuccessPolicy(spec, `${at}.successPolicy`),
    ...checkReplacementPolicy(spec, `${at}.podReplacementPolicy`),
    ...checkPodTemplate(spec.template, `${at}.template`, allowPrivileged),
    ...checkRestartPolicy(spec, `${at}.template.spec.restartPolicy`),
  ]
}

const checkManagedBy = (field: string, name: string): FieldError[] => [...checkDomainPath(field, name), ...(Buffer.byteLength(name) > managedByLength ? [tooLong(field, managedByLength)] : [])]

function checkCompletionMode(spec: JobSpec, at: string): FieldError[] {
  const { completionMode: mode, maxFailedIndexes, backoffLimitPerIndex } = spec
  const errors: FieldError[] = []
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed') errors.push(notSupported(`${at}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  if (mode === 'Indexed') return [...errors, ...checkIndexed(spec, at)]
  if (mode !== undefined && mode !== 'NonIndexed') return errors
  if (backoffLimitPerIndex !== undefined) errors.push(invalid(`${at}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode'))
  if (maxFailedIndexes !== undefined) errors.push(invalid(`${at}.maxFailedIndexes`, maxFailedIndexes, 'requires indexed completion mode'))
  return errors
}

function checkIndexed({ completions, parallelism, maxFailedIndexes, backoffLimitPerIndex }: JobSpec, at: string): FieldError[] {
  const errors: FieldError[] = []
  const most = (field: string, value: number | undefined, limit: number, detail: string): void => {
    if (value !== undefined && value > limit) errors.push(invalid(`${at}.${field}`, value, detail))
  }
  if (completions === undefined) errors.push(required(`${at}.completions`, 'when completion mode is Indexed'))
  most('parallelism', parallelism, indexedLimit, `must be less than or equal to ${indexedLimit} when completion mode is Indexed`)
  if (completions !== undefined) most('maxFailedIndexes', maxFailedIndexes, completions, 'must be less than or equal to completions')
  most('maxFailedIndexes', maxFailedIndexes, indexedLimit, `must be less than or equal to ${indexedLimit}`)
  if ((completions ?? 0) <= highCompletions || backoffLimitPerIndex === undefined) return errors
  const detail = `must be less than or equal to ${limitWithHighCompletions} when completions are above ${highCompletions} and used with backoff limit per index`
  if (maxFailedIndexes === undefined) errors.push(required(`${at}.maxFailedIndexes`, `must be specified when completions is above ${highCompletions}`))
  most('parallelism', parallelism, limitWithHighCompletions, detail)
  most('maxFailedIndexes', maxFailedIndexes, limitWithHighCompletions, detail)
  return errors
}

function checkSuccessPolicy(spec: JobSpec, at: string): FieldError[] {
  const policy = spec.successPolicy
  if (!policy) return []
  if (spec.completionMode !== 'Indexed') return [invalid(at, toInternal('SuccessPolicy', policy), 'requires indexed completion mode')]
  const rules = policy.rules ?? []
  return [
    ...(rules.length === 0 ? [required(`${at}.rules`, 'at least one rules must be specified when the successPolicy is specified')] : []),
    ...(rules.length > successRulesLimit ? [tooMany(`${at}.rules`, rules.length, successRulesLimit)] : []),
    ...rules.flatMap((rule, i) => checkSuccessRule(rule, spec.completions ?? 0, `${at}.rules[${i}]`)),
  ]
}

function checkSuccessRule({ succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule, completions: number, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (count === undefined && indexes === undefined) errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'))
  let total = 0
  if (indexes !== undefined) {
    const field = `${at}.succeededIndexes`
    if (Buffer.byteLength(indexes) > succeededIndexesLength) errors.push(tooLong(field, succeededIndexesLength))
    const counted = countIndexes(indexes, completions)
    if (typeof counted === 'string') errors.push(invalid(field, indexes, `error parsing succeededIndexes: ${counted}`))
    else total = counted
  }
  if (count === undefined) return errors
  const field = `${at}.succeededCount`
  errors.push(...checkNonNegative(field, count))
  if (count > completions) errors.push(invalid(field, count, `must be less than or equal to ${completions} (the number of specified completions)`))
  if (indexes !== undefined && count > total) errors.push(invalid(field, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`))
  return errors
}

function checkReplacementPolicy({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, field: string): FieldError[] {
  if (policy === undefined) return []
  const supported = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  return supported.includes(policy) ? [] : [notSupported(field, policy, supported)]
}

function checkRestartPolicy({ template, podFailurePolicy }: JobSpec, field: string): FieldError[] {
  const policy = textOf(template?.spec?.restartPolicy)
  if (policy === '' || policy === 'Always') return [required(field, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(field, policy, ['OnFailure', 'Never'])]
  return podFailurePolicy && policy !== 'Never' ? [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')] : []
}
