import type { PriorityClass } from '../types/scheduling/v1.ts'
import { checkImmutable, textOf } from './common.ts'
import { forbidden } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkPreemptionPolicy } from './pod/spec.ts'

/** Priorities above this are the system's. */
const highestUserPriority = 1_000_000_000
const systemClasses: Readonly<Record<string, PriorityClass>> = {
  'system-node-critical': { metadata: { name: 'system-node-critical' }, value: 2_000_001_000, description: 'Used for system critical pods that must not be moved from their current node.' },
  'system-cluster-critical': { metadata: { name: 'system-cluster-critical' }, value: 2_000_000_000, description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.' },
}

function checkPriorityClass(priorityClass: PriorityClass): FieldError[] {
  const { metadata, value = 0, preemptionPolicy } = priorityClass
  const errors = checkMeta(metadata, false, nameIsDnsSubdomain)
  if (textOf(metadata.name).startsWith('system-')) {
    const problem = systemClassProblem(priorityClass)
    if (problem !== undefined) errors.push(forbidden('metadata.name', `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`))
  } else if (value > highestUserPriority) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`))
  }
  return preemptionPolicy === undefined ? errors : [...errors, ...checkPreemptionPolicy('preemptionPolicy', preemptionPolicy)]
}

function systemClassProblem({ metadata, value, globalDefault }: PriorityClass): string | undefined {
  const known = systemClasses[metadata.name]
  if (!known) return `${metadata.name} is not a known system priority class`
  if (value !== known.value) return `value of ${metadata.name} PriorityClass must be ${known.value}`
  if (globalDefault) return `globalDefault of ${metadata.name} PriorityClass must be false`
  return undefined
}

export const priorityClassValidation: KindValidation<PriorityClass> = {
  namespaced: false,
  create: checkPriorityClass,
  update: (now, old) => [
    ...checkMetaUpdate(now.metadata, old.metadata),
    ...((now.value ?? 0) === (old.value ?? 0) ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...checkImmutable('preemptionPolicy', now.preemptionPolicy, old.preemptionPolicy),
  ],
}
