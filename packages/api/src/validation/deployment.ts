import type { Deployment, DeploymentSpec } from '../types/apps/v1.ts'
import { checkImmutable, checkNonNegative } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkIntOrPercent, checkNotOver100Percent, checkReplicaCounts, checkSelectorAndTemplate, isZeroIntOrPercent } from './workload.ts'

function checkStrategy(strategy: DeploymentSpec['strategy']): FieldError[] {
  const at = 'spec.strategy.rollingUpdate'
  switch (strategy?.type) {
    case 'Recreate':
      return strategy.rollingUpdate ? [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")] : []
    case 'RollingUpdate': {
      const rolling = strategy.rollingUpdate
      if (!rolling) return [required(at, 'this should be defaulted and never be nil')]
      const errors = [...checkIntOrPercent(`${at}.maxUnavailable`, rolling.maxUnavailable), ...checkIntOrPercent(`${at}.maxSurge`, rolling.maxSurge)]
      if (isZeroIntOrPercent(rolling.maxUnavailable) && isZeroIntOrPercent(rolling.maxSurge)) errors.push(invalid(`${at}.maxUnavailable`, rolling.maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'))
      return [...errors, ...checkNotOver100Percent(`${at}.maxUnavailable`, rolling.maxUnavailable)]
    }
    default:
      return [notSupported('spec.strategy', toInternal('DeploymentStrategy', strategy), ['Recreate', 'RollingUpdate'])]
  }
}

function checkSpec({ spec }: Deployment, { allowPrivileged }: ValidationOptions): FieldError[] {
  const deadline = spec?.progressDeadlineSeconds
  return [
    ...checkNonNegative('spec.replicas', spec?.replicas),
    ...checkSelectorAndTemplate(spec ?? {}, 'spec', allowPrivileged),
    ...checkStrategy(spec?.strategy),
    ...checkNonNegative('spec.minReadySeconds', spec?.minReadySeconds),
    ...checkNonNegative('spec.revisionHistoryLimit', spec?.revisionHistoryLimit),
    ...checkNonNegative('spec.progressDeadlineSeconds', deadline),
    ...(deadline !== undefined && deadline <= (spec?.minReadySeconds ?? 0) ? [invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')] : []),
  ]
}

function checkStatus({ status = {} }: Deployment, old: Deployment): FieldError[] {
  const errors = [
    ...checkReplicaCounts({ ...status }, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], ['observedGeneration', 'replicas', 'unavailableReplicas', 'terminatingReplicas', 'collisionCount']),
  ]
  const before = old.status?.collisionCount
  if (before !== undefined && (status.collisionCount === undefined || status.collisionCount < before)) errors.push(invalid('status.collisionCount', status.collisionCount ?? 0, 'cannot be decremented'))
  return errors
}

export const deploymentValidation: KindValidation<Deployment> = {
  namespaced: true,
  create: (deployment, options) => [...checkMeta(deployment.metadata, true, nameIsDnsSubdomain), ...checkSpec(deployment, options)],
  update(deployment, old, subresource, options) {
    const errors = checkMetaUpdate(deployment.metadata, old.metadata)
    if (subresource === 'status') return [...errors, ...checkStatus(deployment, old)]
    return [...errors, ...checkSpec(deployment, options), ...checkImmutable('spec.selector', deployment.spec?.selector ?? null, old.spec?.selector)]
  },
}
