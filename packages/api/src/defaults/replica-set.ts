import type { ReplicaSet } from '../types/apps/v1.ts'
import { defaultPodTemplate } from './pod/spec.ts'

export function defaultReplicaSet(set: ReplicaSet): void {
  const spec = (set.spec ??= {} as NonNullable<ReplicaSet['spec']>)
  spec.template ??= {}
  defaultPodTemplate(spec.template)
  spec.replicas ??= 1
}
