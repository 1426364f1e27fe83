import { horizontalPodAutoscalerToV2 } from '../conversion/horizontal-pod-autoscaler.ts'
import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../types/autoscaling/v1.ts'
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../types/autoscaling/v2.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const shown = 2
const unknown = '<unknown>'

/** A value of an object or of something outside, maybe by the pod. */
function amount(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`
  return `${current ? current.value ?? '<nil>' : unknown}/${target?.value ?? '<nil>'}`
}

function usage(name: string, target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${name}: ${current ? current.averageValue ?? '<nil>' : unknown}/${target.averageValue}`
  const percent = (value: number | undefined, none: string): string => (value === undefined ? none : `${value}%`)
  return `${name}: ${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, '<auto>')}`
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External': return amount(spec.external?.target, status?.external?.current)
    case 'Object': return amount(spec.object?.target, status?.object?.current)
    case 'Pods': return `${status?.pods ? status.pods.current.averageValue ?? '<nil>' : unknown}/${spec.pods?.target.averageValue ?? '<nil>'}`
    case 'Resource': return usage(spec.resource?.name ?? '', spec.resource?.target, status?.resource?.current)
    case 'ContainerResource': return usage(spec.containerResource?.name ?? '', spec.containerResource?.target, status?.containerResource?.current)
    default: return '<unknown type>'
  }
}

function targets({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? []
  if (metrics.length === 0) return '<none>'
  const texts = metrics.map((metric, i) => metricText(metric, status?.currentMetrics?.[i]))
  const first = texts.slice(0, shown).join(', ')
  return texts.length > shown ? `${first} + ${texts.length - shown} more...` : first
}

export const horizontalPodAutoscalerTable: KindTable<HorizontalPodAutoscaler> = {
  columns: [
    nameColumn,
    // Fields whose types are structs have no documentation of their own in what descriptions are read from.
    {
      name: 'Reference',
      description: 'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.',
    },
    { name: 'Targets', description: ['autoscaling/v2', 'HorizontalPodAutoscalerSpec', 'metrics'] },
    { name: 'MinPods', description: ['autoscaling/v2', 'HorizontalPodAutoscalerSpec', 'minReplicas'] },
    { name: 'MaxPods', description: ['autoscaling/v2', 'HorizontalPodAutoscalerSpec', 'maxReplicas'] },
    { name: 'Replicas', description: ['autoscaling/v2', 'HorizontalPodAutoscalerStatus', 'currentReplicas'] },
    ageColumn,
  ],
  cells(autoscaler, now) {
    const { metadata, spec, status } = autoscaler
    return [
      metadata.name, `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`, targets(autoscaler), spec?.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
      spec?.maxReplicas ?? 0, status?.currentReplicas ?? 0, ageOf(autoscaler, now),
    ]
  },
}

export const horizontalPodAutoscalerV1Table: KindTable<AutoscalerV1> = {
  columns: horizontalPodAutoscalerTable.columns,
  cells: (autoscaler, now) => horizontalPodAutoscalerTable.cells(horizontalPodAutoscalerToV2(autoscaler), now),
}
