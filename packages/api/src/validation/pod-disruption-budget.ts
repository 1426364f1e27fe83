import type { PodDisruptionBudget } from '../types/policy/v1.ts'
import { checkNonNegative, checkOneOf } from './common.ts'
import { checkConditions } from './conditions.ts'
import { invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelSelector } from './label-selector.ts'
import { checkIntOrPercent, checkNotOver100Percent } from './workload.ts'

function checkSpec({ spec }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  const amount = (field: string, value: number | string | undefined): FieldError[] => (value === undefined ? [] : [...checkIntOrPercent(field, value), ...checkNotOver100Percent(field, value)])
  return [
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalid('spec', toInternal('PodDisruptionBudgetSpec', spec), 'minAvailable and maxUnavailable cannot be both set')] : []),
    ...amount('spec.minAvailable', minAvailable),
    ...amount('spec.maxUnavailable', maxUnavailable),
    ...checkLabelSelector('spec.selector', spec.selector),
    ...(policy === undefined ? [] : checkOneOf('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget'])),
  ]
}

export const podDisruptionBudgetValidation: KindValidation<PodDisruptionBudget> = {
  namespaced: true,
  create: checkSpec,
  update(budget, _old, subresource) {
    if (subresource !== 'status') return checkSpec(budget)
    const { status } = budget
    return [
      ...checkConditions(status?.conditions, 'status.conditions'),
      ...(['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((field) => checkNonNegative(`status.${field}`, status?.[field])),
    ]
  },
}
