import type { DaemonSet } from '../types/apps/v1.ts'
import { defaultPodTemplate } from './pod/spec.ts'

/** The number of the template's version, which newer API versions carry in an annotation. */
export const templateGeneration = 'deprecated.daemonset.template.generation'

export function defaultDaemonSet(set: DaemonSet): void {
  const annotations = ((set.metadata ??= { name: '' }).annotations ??= {})
  annotations[templateGeneration] ??= '0'
  const spec = (set.spec ??= {} as NonNullable<DaemonSet['spec']>)
  spec.template ??= {}
  defaultPodTemplate(spec.template)
  const strategy = (spec.updateStrategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {}
    strategy.rollingUpdate.maxUnavailable ??= 1
    strategy.rollingUpdate.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= 10
}
