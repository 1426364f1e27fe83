import type { CrossVersionObjectReference, HorizontalPodAutoscaler, HPAScalingRules } from '../types/autoscaling/v2.ts'
import { checkMetric } from './autoscaling/metrics.ts'
import { checkReference } from './autoscaling/reference.ts'
import type { ReferenceRules } from './autoscaling/reference.ts'
import { checkNonNegative, negativeMessage, quantity } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const windowLimit = 3600
const periodLimit = 1800

function checkRules(rules: HPAScalingRules | undefined, at: string): FieldError[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules
  return [
    ...(window !== undefined && window < 0 ? [invalid(`${at}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero')] : []),
    ...(window !== undefined && window > windowLimit ? [invalid(`${at}.stabilizationWindowSeconds`, window, `must be less than or equal to ${windowLimit}`)] : []),
    ...(selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy) ? [notSupported(`${at}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min'])] : []),
    ...(policies.length === 0 ? [required(`${at}.policies`, 'must specify at least one Policy')] : []),
    ...policies.flatMap(({ type = '', value = 0, periodSeconds = 0 }, i) => [
      ...(type === 'Pods' || type === 'Percent' ? [] : [notSupported(`${at}.policies[${i}].type`, type, ['Percent', 'Pods'])]),
      ...(value <= 0 ? [invalid(`${at}.policies[${i}].value`, value, 'must be greater than zero')] : []),
      ...(periodSeconds <= 0 ? [invalid(`${at}.policies[${i}].periodSeconds`, periodSeconds, 'must be greater than zero')] : []),
      ...(periodSeconds > periodLimit ? [invalid(`${at}.policies[${i}].periodSeconds`, periodSeconds, `must be less than or equal to ${periodLimit}`)] : []),
    ]),
    ...(tolerance !== undefined && quantity(tolerance).sign() < 0 ? [invalid(`${at}.tolerance`, tolerance, negativeMessage)] : []),
  ]
}

/** Zero replicas are an alpha feature: without it they stay where they were. */
const leastReplicas = (old: HorizontalPodAutoscaler | undefined, scaleToZero: boolean): number => (scaleToZero || old?.spec.minReplicas === 0 ? 0 : 1)

function targetRules(target: CrossVersionObjectReference | undefined, old: CrossVersionObjectReference | undefined): ReferenceRules {
  if (old && old.apiVersion === target?.apiVersion && old.kind === target?.kind) return { anyVersion: true, emptyGroup: false }
  return { anyVersion: false, emptyGroup: target?.kind === 'ReplicationController' }
}

function checkSpec({ spec }: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | undefined, { scaleToZero = false }: ValidationOptions): FieldError[] {
  const { minReplicas: min, maxReplicas: max = 0, metrics = [] } = spec
  const least = leastReplicas(old, scaleToZero)
  const objectRules: ReferenceRules = { anyVersion: old?.spec.metrics?.some(({ object }) => object !== undefined && checkReference(object.describedObject, '', { anyVersion: false, emptyGroup: true })
    .some(({ field }) => field === '.apiVersion')) ?? false, emptyGroup: true }
  return [
    ...(min !== undefined && min < least ? [invalid('spec.minReplicas', min, `must be greater than or equal to ${least}`)] : []),
    ...(max === 0 ? [required('spec.maxReplicas', 'must be set and greater than 0')] : max < 0 ? [invalid('spec.maxReplicas', max, 'must be greater than or equal to 1')] : []),
    ...(min !== undefined && max < min ? [invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`')] : []),
    ...checkReference(spec.scaleTargetRef, 'spec.scaleTargetRef', targetRules(spec.scaleTargetRef, old?.spec.scaleTargetRef)),
    ...metrics.flatMap((metric, i) => checkMetric(metric, `spec.metrics[${i}]`, objectRules)),
    ...(min === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')
      ? [forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas')] : []),
    ...checkRules(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...checkRules(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ]
}

export const horizontalPodAutoscalerValidation: KindValidation<HorizontalPodAutoscaler> = {
  namespaced: true,
  create: (autoscaler, options) => [...checkMeta(autoscaler.metadata, true, nameIsDnsSubdomain), ...checkSpec(autoscaler, undefined, options)],
  update(autoscaler, old, subresource, options) {
    const errors = checkMetaUpdate(autoscaler.metadata, old.metadata)
    if (subresource !== 'status') return [...errors, ...checkSpec(autoscaler, old, options)]
    return [...errors, ...(['currentReplicas', 'desiredReplicas'] as const).flatMap((field) => checkNonNegative(`status.${field}`, autoscaler.status?.[field]))]
  },
}
