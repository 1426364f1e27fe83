import type { DaemonSet, DaemonSetSpec } from '../types/apps/v1.ts'
import { selectorOf } from '../selectors/labels.ts'
import { checkImmutable, checkNonNegative, textOf } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkLabelSelector, isEmptySelector } from './label-selector.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkPodTemplate } from './pod/template.ts'
import { checkIntOrPercent, checkNotOver100Percent, isZeroIntOrPercent } from './workload.ts'

function checkStrategy(strategy: DaemonSetSpec['updateStrategy']): FieldError[] {
  const at = 'spec.updateStrategy'
  const rolling = strategy?.rollingUpdate
  if (strategy?.type === 'OnDelete') return []
  if (strategy?.type !== 'RollingUpdate') return [notSupported(at, toInternal('DaemonSetUpdateStrategy', strategy), ['RollingUpdate', 'OnDelete'])]
  if (!rolling) return [required(`${at}.rollingUpdate`)]
  const unavailable = `${at}.rollingUpdate.maxUnavailable`
  const surge = `${at}.rollingUpdate.maxSurge`
  const errors = [
    ...checkIntOrPercent(unavailable, rolling.maxUnavailable), ...checkIntOrPercent(surge, rolling.maxSurge),
    ...checkNotOver100Percent(unavailable, rolling.maxUnavailable), ...checkNotOver100Percent(surge, rolling.maxSurge),
  ]
  const none = { unavailable: isZeroIntOrPercent(rolling.maxUnavailable), surge: isZeroIntOrPercent(rolling.maxSurge) }
  if (!none.unavailable && !none.surge) errors.push(invalid(surge, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (none.unavailable && none.surge) errors.push(required(unavailable, 'cannot be 0 when maxSurge is 0'))
  return errors
}

function matches(spec: DaemonSetSpec): boolean {
  try {
    return selectorOf(spec.selector).matches(spec.template?.metadata?.labels)
  } catch {
    return true
  }
}

function checkSpec({ spec }: DaemonSet, { allowPrivileged }: ValidationOptions): FieldError[] {
  const template = spec.template ?? {}
  const policy = textOf(template.spec?.restartPolicy)
  return [
    ...checkLabelSelector('spec.selector', spec.selector),
    ...(matches(spec) ? [] : [invalid('spec.template.metadata.labels', template.metadata?.labels ?? null, '`selector` does not match template `labels`')]),
    ...(spec.selector && isEmptySelector(spec.selector) ? [invalid('spec.selector', spec.selector, 'empty selector is invalid for daemonset')] : []),
    ...checkPodTemplate(template, 'spec.template', allowPrivileged),
    ...(policy === 'Always' ? [] : [notSupported('spec.template.spec.restartPolicy', policy, ['Always'])]),
    ...(template.spec?.activeDeadlineSeconds === undefined ? [] : [forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in DaemonSet is not Supported')]),
    ...checkNonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...checkStrategy(spec.updateStrategy),
    ...checkNonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ]
}

const counts = [
  'currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady', 'observedGeneration', 'updatedNumberScheduled', 'numberAvailable', 'numberUnavailable', 'collisionCount',
] as const

function checkStatus({ status }: DaemonSet, old: DaemonSet): FieldError[] {
  const before = old.status?.collisionCount
  const now = status?.collisionCount
  return [
    ...counts.flatMap((name) => checkNonNegative(`status.${name}`, status?.[name])),
    ...(before !== undefined && (now === undefined || now < before) ? [invalid('status.collisionCount', now ?? 0, 'cannot be decremented')] : []),
  ]
}

export const daemonSetValidation: KindValidation<DaemonSet> = {
  namespaced: true,
  create: (set, options) => [...checkMeta(set.metadata, true, nameIsDnsSubdomain), ...checkSpec(set, options)],
  update(set, old, subresource, options) {
    const errors = checkMetaUpdate(set.metadata, old.metadata)
    if (subresource === 'status') return [...errors, ...checkStatus(set, old)]
    return [...errors, ...checkImmutable('spec.selector', set.spec.selector ?? null, old.spec.selector), ...checkSpec(set, options)]
  },
}
