import type { Deployment } from '../types/apps/v1.ts'
import { defaultPodTemplate } from './pod/spec.ts'

export function defaultDeployment(deployment: Deployment): void {
  const spec = (deployment.spec ??= {} as NonNullable<Deployment['spec']>)
  spec.template ??= {}
  defaultPodTemplate(spec.template)
  spec.replicas ??= 1
  spec.strategy ??= {}
  spec.strategy.type ||= 'RollingUpdate'
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {}
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
    spec.strategy.rollingUpdate.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
}
