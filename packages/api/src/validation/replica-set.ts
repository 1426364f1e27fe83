import type { ReplicaSet } from '../types/apps/v1.ts'
import { checkImmutable, checkNonNegative } from './common.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkReplicaCounts, checkSelectorAndTemplate } from './workload.ts'

function checkSpec({ spec }: ReplicaSet, { allowPrivileged }: ValidationOptions): FieldError[] {
  return [...checkNonNegative('spec.replicas', spec?.replicas), ...checkNonNegative('spec.minReadySeconds', spec?.minReadySeconds), ...checkSelectorAndTemplate(spec ?? {}, 'spec', allowPrivileged)]
}

export const replicaSetValidation: KindValidation<ReplicaSet> = {
  namespaced: true,
  create: (set, options) => [...checkMeta(set.metadata, true, nameIsDnsSubdomain), ...checkSpec(set, options)],
  update(set, old, subresource, options) {
    const errors = checkMetaUpdate(set.metadata, old.metadata)
    if (subresource === 'status') {
      return [...errors, ...checkReplicaCounts({ ...set.status }, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], ['replicas', 'terminatingReplicas', 'observedGeneration'])]
    }
    return [...errors, ...checkSpec(set, options), ...checkImmutable('spec.selector', set.spec?.selector ?? null, old.spec?.selector)]
  },
}
