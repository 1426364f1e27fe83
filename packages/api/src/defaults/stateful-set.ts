import type { StatefulSet } from '../types/apps/v1.ts'
import { defaultPersistentVolumeClaim } from './persistent-volume-claim.ts'
import { defaultPodTemplate } from './pod/spec.ts'

export function defaultStatefulSet(set: StatefulSet): void {
  const spec = (set.spec ??= {} as NonNullable<StatefulSet['spec']>)
  spec.podManagementPolicy ||= 'OrderedReady'
  const strategy = (spec.updateStrategy ??= {})
  if (!strategy.type) {
    strategy.type = 'RollingUpdate'
    strategy.rollingUpdate ??= {}
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
  retention.whenDeleted ||= 'Retain'
  retention.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.template ??= {}
  defaultPodTemplate(spec.template)
  for (const claim of spec.volumeClaimTemplates ?? []) {
    // Templates are whole claims: they carry their own kind.
    claim.apiVersion = 'v1'
    claim.kind = 'PersistentVolumeClaim'
    defaultPersistentVolumeClaim(claim)
  }
}
