import type { PodTemplateSpec } from '../types/core/v1.ts'
import type { LabelSelector } from '../types/meta/v1.ts'
import { selectorOf } from '../selectors/labels.ts'
import type { Selector } from '../selectors/labels.ts'
import { checkNonNegative, child, textOf } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { percent } from './formats.ts'
import { checkLabelSelector, isEmptySelector } from './label-selector.ts'
import { checkPodTemplate } from './pod/template.ts'

/** A workload's selector, which must say something, and the pod template that it must match; of pods that always restart. */
export function checkSelectorAndTemplate(spec: { selector?: LabelSelector; template?: PodTemplateSpec }, at: string, allowPrivileged: boolean): FieldError[] {
  const field = child(at, 'selector')
  const errors = spec.selector ? checkLabelSelector(field, spec.selector) : [required(field)]
  if (spec.selector && isEmptySelector(spec.selector)) errors.push(invalid(field, spec.selector, 'empty selector is invalid for deployment'))
  let selector: Selector
  try {
    selector = selectorOf(spec.selector)
  } catch {
    return [...errors, invalid(field, spec.selector, 'invalid label selector')]
  }
  return [...errors, ...checkTemplate(spec.template, selector, child(at, 'template'), allowPrivileged)]
}

function checkTemplate(template: PodTemplateSpec | undefined, selector: Selector, at: string, allowPrivileged: boolean): FieldError[] {
  const labels = template?.metadata?.labels
  const errors: FieldError[] = []
  if (!selector.isEmpty() && !selector.matches(labels)) errors.push(invalid(`${at}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'))
  errors.push(...checkPodTemplate(template, at, allowPrivileged))
  const policy = textOf(template?.spec?.restartPolicy)
  if (policy !== 'Always') errors.push(notSupported(`${at}.spec.restartPolicy`, policy, ['Always']))
  if (template?.spec?.activeDeadlineSeconds !== undefined) errors.push(forbidden(`${at}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported'))
  return errors
}

/** A number not below zero, or a percentage. */
export function checkIntOrPercent(field: string, value: number | string | undefined): FieldError[] {
  return typeof value === 'string' ? percent(value).map((problem) => invalid(field, value, problem)) : checkNonNegative(field, value)
}

/** True for 0 and 0%. */
export const isZeroIntOrPercent = (value: number | string | undefined): boolean => value === undefined || value === 0 || /^0+%$/.test(String(value))

/** A percentage of more than all is none. */
export function checkNotOver100Percent(field: string, value: number | string | undefined): FieldError[] {
  if (typeof value !== 'string' || percent(value).length > 0 || Number(value.slice(0, -1)) <= 100) return []
  return [invalid(field, value, 'must not be greater than 100%')]
}

/** Counts of a status: not negative, parts not above the whole. */
export function checkReplicaCounts(status: Readonly<Record<string, unknown>>, parts: readonly string[], others: readonly string[], overReady = 'cannot be greater than readyReplicas'): FieldError[] {
  const count = (name: string) => Number(status[name] ?? 0)
  const errors = [...others, ...parts].flatMap((name) => checkNonNegative(`status.${name}`, count(name)))
  for (const name of parts) if (count(name) > count('replicas')) errors.push(invalid(`status.${name}`, count(name), 'cannot be greater than status.replicas'))
  if (count('availableReplicas') > count('readyReplicas')) errors.push(invalid('status.availableReplicas', count('availableReplicas'), overReady))
  return errors
}
