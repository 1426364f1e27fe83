import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from '../../types/batch/v1.ts'
import { checkFormat, textOf } from '../common.ts'
import { duplicate, goQuote, invalid, invalidOmitted, notSupported, required, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { qualifiedName } from '../formats.ts'

const rulesLimit = 20
const exitCodesLimit = 255
const patternsLimit = 20
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const operators = ['In', 'NotIn']
const statuses = ['False', 'True', 'Unknown']

const validValues = (values: readonly string[]): string => `valid values: [${values.map(goQuote).join(' ')}]`

/** What becomes of a job when pods fail. */
export function checkFailurePolicy(spec: JobSpec, at: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? []
  const names = new Set([...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(({ name }) => name))
  return [
    ...(rules.length > rulesLimit ? [tooMany(`${at}.rules`, rules.length, rulesLimit)] : []),
    ...rules.flatMap((rule, i) => checkRule(rule, spec, `${at}.rules[${i}]`, names)),
  ]
}

function checkRule(rule: PodFailurePolicyRule, spec: JobSpec, at: string, names: ReadonlySet<string>): FieldError[] {
  const action = textOf(rule.action)
  const patterns = rule.onPodConditions ?? []
  const errors: FieldError[] = []
  if (action === '') errors.push(required(`${at}.action`, validValues(actions)))
  else if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined) errors.push(invalid(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  } else if (!actions.includes(action)) errors.push(notSupported(`${at}.action`, action, actions))
  if (rule.onExitCodes) errors.push(...checkExitCodes(rule.onExitCodes, `${at}.onExitCodes`, names))
  if (patterns.length > patternsLimit) errors.push(tooMany(`${at}.onPodConditions`, patterns.length, patternsLimit))
  patterns.forEach(({ type, status }, i) => {
    const field = `${at}.onPodConditions[${i}]`
    errors.push(...checkFormat(`${field}.type`, textOf(type), qualifiedName))
    if (textOf(status) === '') errors.push(required(`${field}.status`, validValues(statuses)))
    else if (!statuses.includes(textOf(status))) errors.push(notSupported(`${field}.status`, status, statuses))
  })
  if (rule.onExitCodes && patterns.length > 0) errors.push(invalidOmitted(at, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  if (!rule.onExitCodes && patterns.length === 0) errors.push(invalidOmitted(at, 'specifying one of OnExitCodes and OnPodConditions is required'))
  return errors
}

function checkExitCodes(codes: PodFailurePolicyOnExitCodesRequirement, at: string, names: ReadonlySet<string>): FieldError[] {
  const operator = textOf(codes.operator)
  const values = codes.values ?? []
  const errors: FieldError[] = []
  if (operator === '') errors.push(required(`${at}.operator`, validValues(operators)))
  else if (!operators.includes(operator)) errors.push(notSupported(`${at}.operator`, operator, operators))
  if (codes.containerName !== undefined && !names.has(codes.containerName)) {
    errors.push(invalid(`${at}.containerName`, codes.containerName, 'must be one of the container or initContainer names in the pod template'))
  }
  if (values.length === 0) errors.push(invalid(`${at}.values`, codes.values ?? null, 'at least one value is required'))
  else if (values.length > exitCodesLimit) errors.push(tooMany(`${at}.values`, values.length, exitCodesLimit))
  values.forEach((value, i) => {
    if (operator === 'In' && value === 0) errors.push(invalid(`${at}.values[${i}]`, value, 'must not be 0 for the In operator'))
    if (values.indexOf(value) < i) errors.push(duplicate(`${at}.values[${i}]`, value))
  })
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) errors.push(invalid(`${at}.values`, values, 'must be ordered'))
  return errors
}
