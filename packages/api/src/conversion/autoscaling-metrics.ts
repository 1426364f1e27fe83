// The metrics of autoscaling/v1's annotations, which name the same things otherwise than autoscaling/v2 does. Undefined fields are left out when written.
import type * as v1 from '../types/autoscaling/v1.ts'
import type * as v2 from '../types/autoscaling/v2.ts'

export function metricSpecToV1({ type, object, pods, resource, containerResource, external }: v2.MetricSpec): v1.MetricSpec {
  return {
    type: type as v1.MetricSourceType,
    ...(object && { object: {
      target: reference(object.describedObject), metricName: object.metric.name, targetValue: object.target.value ?? '0', selector: object.metric.selector, averageValue: object.target.averageValue,
    } }),
    ...(pods && { pods: { metricName: pods.metric.name, targetAverageValue: pods.target.averageValue ?? '0', selector: pods.metric.selector } }),
    ...(resource && { resource: { name: resource.name, targetAverageUtilization: resource.target.averageUtilization, targetAverageValue: resource.target.averageValue } }),
    ...(containerResource && { containerResource: {
      name: containerResource.name, targetAverageUtilization: containerResource.target.averageUtilization, targetAverageValue: containerResource.target.averageValue,
      container: containerResource.container,
    } }),
    ...(external && { external: {
      metricName: external.metric.name, metricSelector: external.metric.selector, targetValue: external.target.value, targetAverageValue: external.target.averageValue,
    } }),
  }
}

export function metricSpecToV2({ type, object, pods, resource, containerResource, external }: v1.MetricSpec): v2.MetricSpec {
  return {
    type,
    ...(object && { object: {
      describedObject: reference(object.target), metric: { name: object.metricName, ...defined({ selector: object.selector }) }, target: object.averageValue === undefined
        ? { type: 'Value', value: object.targetValue }
        : { type: 'AverageValue', ...(object.targetValue !== '0' && defined({ value: object.targetValue })), averageValue: object.averageValue },
    } }),
    ...(pods && { pods: { metric: { name: pods.metricName, ...defined({ selector: pods.selector }) }, target: { type: 'AverageValue', averageValue: pods.targetAverageValue } } }),
    ...(resource && { resource: { name: resource.name, target: utilization(resource) } }),
    ...(containerResource && { containerResource: { name: containerResource.name, container: containerResource.container, target: utilization(containerResource) } }),
    ...(external && { external: {
      metric: { name: external.metricName, ...defined({ selector: external.metricSelector }) },
      target: { type: external.targetValue === undefined ? 'AverageValue' : 'Value', ...defined({ value: external.targetValue, averageValue: external.targetAverageValue }) },
    } }),
  }
}

export function metricStatusToV1({ type, object, pods, resource, containerResource, external }: v2.MetricStatus): v1.MetricStatus {
  return {
    type: type as v1.MetricSourceType,
    ...(object && { object: {
      target: reference(object.describedObject), metricName: object.metric.name, currentValue: object.current.value ?? '0', selector: object.metric.selector, averageValue: object.current.averageValue,
    } }),
    ...(pods && { pods: { metricName: pods.metric.name, currentAverageValue: pods.current.averageValue ?? '0', selector: pods.metric.selector } }),
    ...(resource && { resource: { name: resource.name, currentAverageUtilization: resource.current.averageUtilization, currentAverageValue: resource.current.averageValue ?? '0' } }),
    ...(containerResource && { containerResource: {
      name: containerResource.name, currentAverageUtilization: containerResource.current.averageUtilization, currentAverageValue: containerResource.current.averageValue ?? '0',
      container: containerResource.container,
    } }),
    ...(external && { external: {
      metricName: external.metric.name, metricSelector: external.metric.selector, currentValue: external.current.value ?? '0', currentAverageValue: external.current.averageValue,
    } }),
  }
}

export function metricStatusToV2({ type, object, pods, resource, containerResource, external }: v1.MetricStatus): v2.MetricStatus {
  const used = (status: v1.ResourceMetricStatus): v2.MetricValueStatus => ({ averageValue: status.currentAverageValue, ...defined({ averageUtilization: status.currentAverageUtilization }) })
  return {
    type,
    ...(object && { object: {
      metric: { name: object.metricName, ...defined({ selector: object.selector }) }, current: { value: object.currentValue, ...defined({ averageValue: object.averageValue }) },
      describedObject: reference(object.target),
    } }),
    ...(pods && { pods: { metric: { name: pods.metricName, ...defined({ selector: pods.selector }) }, current: { averageValue: pods.currentAverageValue } } }),
    ...(resource && { resource: { name: resource.name, current: used(resource) } }),
    ...(containerResource && { containerResource: { name: containerResource.name, current: used(containerResource), container: containerResource.container } }),
    ...(external && { external: {
      metric: { name: external.metricName, ...defined({ selector: external.metricSelector }) }, current: { value: external.currentValue, ...defined({ averageValue: external.currentAverageValue }) },
    } }),
  }
}

const reference = ({ kind, name, apiVersion }: v2.CrossVersionObjectReference): v2.CrossVersionObjectReference => ({ kind, name, ...defined({ apiVersion }) })

function utilization({ targetAverageUtilization, targetAverageValue }: v1.ResourceMetricSource): v2.MetricTarget {
  return { type: targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization', ...defined({ averageValue: targetAverageValue, averageUtilization: targetAverageUtilization }) }
}

/** The fields that have a value. */
function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}
