import { describe, expect, it } from 'vitest'
import type * as v2 from '../types/autoscaling/v2.ts'
import { horizontalPodAutoscalerToV1, horizontalPodAutoscalerToV2 } from './index.ts'

const base: v2.HorizontalPodAutoscaler = {
  apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'a', annotations: { keep: 'me' } },
  spec: { maxReplicas: 5, minReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } }, status: { currentReplicas: 1, desiredReplicas: 2 },
}
const cpu: v2.MetricSpec = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }

describe('HorizontalPodAutoscaler', () => {
  it('has its CPU target in v1\'s own field', () => {
    const old = horizontalPodAutoscalerToV1({ ...base, spec: { ...base.spec, metrics: [cpu] } })
    expect(old.spec).toEqual({ maxReplicas: 5, minReplicas: 2, scaleTargetRef: base.spec.scaleTargetRef, targetCPUUtilizationPercentage: 50 })
    expect(old.metadata.annotations).toEqual({ keep: 'me' })
  })

  it('writes behaviour as upstream\'s server has it in memory', () => {
    const old = horizontalPodAutoscalerToV1({ ...base, spec: { ...base.spec, behavior: { scaleDown: { stabilizationWindowSeconds: 60, policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }] } } } })
    expect(old.metadata.annotations?.['autoscaling.alpha.kubernetes.io/behavior']).toBe(
      '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":null,"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":15}],"Tolerance":null}}')
  })

  const selector = { matchLabels: { a: 'b' } }
  const object = { kind: 'Service', name: 's', apiVersion: 'v1' }
  it.each<[string, Partial<v2.HorizontalPodAutoscalerSpec>, Partial<v2.HorizontalPodAutoscalerStatus>]>([
    ['no metrics', {}, {}],
    ['cpu', { metrics: [cpu] }, { currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 3, averageValue: '30m' } } }] }],
    ['memory and cpu', { metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } }, cpu] }, {}],
    ['a container', { metrics: [{ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'c', target: { type: 'Utilization', averageUtilization: 5 } } }] }, {}],
    ['pods', { metrics: [{ type: 'Pods', pods: { metric: { name: 'm', selector }, target: { type: 'AverageValue', averageValue: '5' } } }] }, {
      currentMetrics: [{ type: 'Pods', pods: { metric: { name: 'm', selector }, current: { averageValue: '4' } } }],
    }],
    ['an object', { metrics: [{ type: 'Object', object: { describedObject: object, metric: { name: 'm' }, target: { type: 'Value', value: '5' } } }] }, {
      currentMetrics: [{ type: 'Object', object: { describedObject: object, metric: { name: 'm' }, current: { value: '4' } } }],
    }],
    ['something external', { metrics: [{ type: 'External', external: { metric: { name: 'm', selector }, target: { type: 'AverageValue', averageValue: '5' } } }] }, {
      currentMetrics: [{ type: 'External', external: { metric: { name: 'm', selector }, current: { value: '0', averageValue: '4' } } }],
    }],
    ['behaviour and conditions', { behavior: { scaleUp: { selectPolicy: 'Max', tolerance: '50m' } } }, { conditions: [{ type: 'AbleToScale', status: 'True', reason: 'r' }] }],
  ])('comes back from v1 with %s', (_name, spec, status) => {
    const object = { ...base, spec: { ...base.spec, ...spec }, status: { currentReplicas: 1, desiredReplicas: 2, ...status } }
    expect(JSON.parse(JSON.stringify(horizontalPodAutoscalerToV2(horizontalPodAutoscalerToV1(object))))).toEqual(object)
  })

  it('drops carried annotations that it cannot read', () => {
    const read = horizontalPodAutoscalerToV2({ ...horizontalPodAutoscalerToV1(base), metadata: { name: 'a', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': '{' } } })
    expect(read.metadata).toEqual({ name: 'a' })
    expect(read.spec.metrics).toBeUndefined()
  })
})
