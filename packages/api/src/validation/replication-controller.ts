import type { ReplicationController } from '../types/core/v1.ts'
import { checkNonNegative, textOf } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkPodTemplate } from './pod/template.ts'
import { checkReplicaCounts } from './workload.ts'

function checkSpec({ spec }: ReplicationController, { allowPrivileged }: ValidationOptions): FieldError[] {
  const selector = Object.entries(spec.selector ?? {})
  const { template } = spec
  const errors = [
    ...checkNonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...(selector.length === 0 ? [required('spec.selector')] : []),
    ...(spec.replicas === undefined ? [required('spec.replicas')] : checkNonNegative('spec.replicas', spec.replicas)),
  ]
  if (!template) return [...errors, required('spec.template')]
  const labels = template.metadata?.labels
  const policy = textOf(template.spec?.restartPolicy)
  return [
    ...errors,
    ...(selector.every(([key, value]) => labels?.[key] === value) ? [] : [invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`')]),
    ...checkPodTemplate(template, 'spec.template', allowPrivileged),
    ...(policy === 'Always' ? [] : [notSupported('spec.template.spec.restartPolicy', policy, ['Always'])]),
    ...(template.spec?.activeDeadlineSeconds === undefined ? [] : [forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicationController is not Supported')]),
  ]
}

export const replicationControllerValidation: KindValidation<ReplicationController> = {
  namespaced: true,
  create: (controller, options) => [...checkMeta(controller.metadata, true, nameIsDnsSubdomain), ...checkSpec(controller, options)],
  update(controller, old, subresource, options) {
    const errors = checkMetaUpdate(controller.metadata, old.metadata)
    if (subresource !== 'status') return [...errors, ...checkSpec(controller, options)]
    return [...errors, ...checkReplicaCounts({ ...controller.status }, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], ['replicas', 'observedGeneration'])]
  },
}
