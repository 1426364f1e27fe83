/**
 * HorizontalPodAutoscaler between autoscaling/v1 and v2. v1 has a field for CPU alone: everything else that v2 says is carried in annotations, so that nothing is lost on
 * the way there and back.
 */
import type * as v1 from '../types/autoscaling/v1.ts'
import type * as v2 from '../types/autoscaling/v2.ts'
import { isRecord } from '../validation/common.ts'
import { goJson } from '../validation/field-errors.ts'
import { fromInternal, toInternal } from '../validation/internal/forms.ts'
import { metricSpecToV1, metricSpecToV2, metricStatusToV1, metricStatusToV2 } from './autoscaling-metrics.ts'

const prefix = 'autoscaling.alpha.kubernetes.io/'
const annotation = { metrics: `${prefix}metrics`, currentMetrics: `${prefix}current-metrics`, conditions: `${prefix}conditions`, behavior: `${prefix}behavior` }
const behaviorType = 'HorizontalPodAutoscalerBehavior'

const isCpu = (metric: { type: string, resource?: { name: string } }): boolean => metric.type === 'Resource' && metric.resource?.name === 'cpu'

function withoutCarried(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !Object.values(annotation).includes(key)))
}

/** The v1 form of a v2 object; the object given stays as it is. */
export function horizontalPodAutoscalerToV1(from: v2.HorizontalPodAutoscaler): v1.HorizontalPodAutoscaler {
  const { spec, status, metadata } = from
  const annotations = withoutCarried(metadata.annotations)
  const metrics = spec.metrics ?? []
  const cpu = metrics.find((metric) => isCpu(metric) && metric.resource?.target.averageUtilization !== undefined)
  const others = metrics.filter((metric) => !(isCpu(metric) && metric.resource?.target.averageUtilization !== undefined))
  if (others.length > 0) annotations[annotation.metrics] = goJson(others.map(metricSpecToV1))
  if (status?.currentMetrics?.length) annotations[annotation.currentMetrics] = goJson(status.currentMetrics.map(metricStatusToV1))
  if (status?.conditions?.length) {
    annotations[annotation.conditions] = goJson(status.conditions.map(({ type, status: value, lastTransitionTime, reason, message }) => ({ type, status: value, lastTransitionTime, reason, message })))
  }
  // Upstream writes this one in the form that its server has in memory.
  if (spec.behavior) annotations[annotation.behavior] = goJson(toInternal(behaviorType, spec.behavior))
  const used = status?.currentMetrics?.findLast((metric) => isCpu(metric) && metric.resource?.current.averageUtilization !== undefined)?.resource?.current.averageUtilization
  return {
    apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: withAnnotations(metadata, annotations),
    spec: {
      scaleTargetRef: spec.scaleTargetRef, ...(spec.minReplicas !== undefined && { minReplicas: spec.minReplicas }), maxReplicas: spec.maxReplicas,
      ...(cpu && { targetCPUUtilizationPercentage: cpu.resource?.target.averageUtilization }),
    },
    status: {
      ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }), ...(status?.lastScaleTime !== undefined && { lastScaleTime: status.lastScaleTime }),
      currentReplicas: status?.currentReplicas ?? 0, desiredReplicas: status?.desiredReplicas ?? 0, ...(used !== undefined && { currentCPUUtilizationPercentage: used }),
    },
  }
}

/** The v2 form of a v1 object; the object given stays as it is. Annotations that cannot be read are dropped, as upstream does. */
export function horizontalPodAutoscalerToV2(from: v1.HorizontalPodAutoscaler): v2.HorizontalPodAutoscaler {
  const { spec, status, metadata } = from
  const carried = <T>(key: string, read: (item: never) => T): T[] | undefined => {
    const parsed = parse(metadata.annotations?.[key])
    return Array.isArray(parsed) && parsed.every(isRecord) ? parsed.map((item) => read(item as never)) : undefined
  }
  const cpu: v2.MetricSpec[] = spec?.targetCPUUtilizationPercentage === undefined ? []
    : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: spec.targetCPUUtilizationPercentage } } }]
  const metrics = [...(carried(annotation.metrics, metricSpecToV2) ?? []), ...cpu]
  const used: v2.MetricStatus[] = status?.currentCPUUtilizationPercentage === undefined ? []
    : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: status.currentCPUUtilizationPercentage } } }]
  const currentMetrics = carried(annotation.currentMetrics, metricStatusToV2) ?? used
  const conditions = carried(annotation.conditions, (condition: v2.HorizontalPodAutoscalerCondition) => condition)
  const behavior = parse(metadata.annotations?.[annotation.behavior])
  return {
    apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: withAnnotations(metadata, withoutCarried(metadata.annotations)),
    spec: {
      scaleTargetRef: spec?.scaleTargetRef, ...(spec?.minReplicas !== undefined && { minReplicas: spec.minReplicas }), maxReplicas: spec?.maxReplicas ?? 0,
      ...(metrics.length > 0 && { metrics }), ...(isRecord(behavior) && Object.keys(behavior).length > 0 && { behavior: fromInternal(behaviorType, behavior) as v2.HorizontalPodAutoscalerBehavior }),
    },
    status: {
      ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }), ...(status?.lastScaleTime !== undefined && { lastScaleTime: status.lastScaleTime }),
      currentReplicas: status?.currentReplicas ?? 0, desiredReplicas: status?.desiredReplicas ?? 0, ...(currentMetrics.length > 0 && { currentMetrics }), ...(conditions && { conditions }),
    },
  }
}

function withAnnotations<T extends { annotations?: Record<string, string> }>(metadata: T, annotations: Record<string, string>): T {
  const { annotations: _, ...rest } = metadata
  return { ...rest, ...(Object.keys(annotations).length > 0 && { annotations }) } as T
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
