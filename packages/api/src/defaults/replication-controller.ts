import type { ReplicationController } from '../types/core/v1.ts'
import { defaultPodTemplate } from './pod/spec.ts'

export function defaultReplicationController(controller: ReplicationController): void {
  const spec = (controller.spec ??= {})
  const labels = spec.template?.metadata?.labels
  if (labels && Object.keys(labels).length > 0) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    const meta = (controller.metadata ??= { name: '' })
    if (Object.keys(meta.labels ?? {}).length === 0) meta.labels = { ...labels }
  }
  spec.replicas ??= 1
  if (spec.template) defaultPodTemplate(spec.template)
}
