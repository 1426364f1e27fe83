import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../types/autoscaling/v1.ts'
import type { HorizontalPodAutoscaler, HPAScalingRules } from '../types/autoscaling/v2.ts'

const up: HPAScalingRules = {
  stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, { type: 'Percent', value: 100, periodSeconds: 15 }],
}
/** How long to wait before scaling down is the controller's setting. */
const down: HPAScalingRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

function withDefaults(given: HPAScalingRules | undefined, standard: HPAScalingRules): HPAScalingRules {
  const set = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined))
  return { ...standard, policies: (standard.policies ?? []).map((policy) => ({ ...policy })), ...set }
}

export function defaultHorizontalPodAutoscaler(autoscaler: HorizontalPodAutoscaler): void {
  const spec = (autoscaler.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } })
  spec.minReplicas ??= 1
  if (!spec.metrics?.length) spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
  if (!spec.behavior) return
  spec.behavior.scaleUp = withDefaults(spec.behavior.scaleUp, up)
  spec.behavior.scaleDown = withDefaults(spec.behavior.scaleDown, down)
}

export function defaultHorizontalPodAutoscalerV1(autoscaler: AutoscalerV1): void {
  const spec = (autoscaler.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } })
  spec.minReplicas ??= 1
}
