import type { MetricIdentifier, MetricSpec, MetricTarget } from '../../types/autoscaling/v2.ts'
import { checkFormat, quantity, textOf } from '../common.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, pathSegmentName } from '../formats.ts'
import { checkReference } from './reference.ts'
import type { ReferenceRules } from './reference.ts'

const types = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const fields = ['object', 'external', 'pods', 'resource', 'containerResource'] as const
const fieldOf: Readonly<Record<string, string>> = { Object: 'object', External: 'external', Pods: 'pods', Resource: 'resource', ContainerResource: 'containerResource' }

/** One metric: its type, and the field that goes with it alone. */
export function checkMetric(metric: MetricSpec, at: string, objectRules: ReferenceRules): FieldError[] {
  const type = textOf(metric.type)
  const errors: FieldError[] = []
  if (type === '') errors.push(required(`${at}.type`, 'must specify a metric source type'))
  if (!types.includes(type)) errors.push(notSupported(`${at}.type`, type, types))
  const present = fields.filter((field) => metric[field] !== undefined)
  const [first] = present
  if (first) errors.push(...checkSource(metric, first, `${at}.${first}`, objectRules))
  // Upstream judges the type twice.
  const expected = fieldOf[type]
  if (expected === undefined) errors.push(notSupported(`${at}.type`, type, types))
  else if (!present.some((field) => field === expected)) errors.push(required(`${at}.${expected}`, 'must populate information for the given metric source'))
  if (present.length !== 1) for (const field of present) if (field !== expected) errors.push(forbidden(`${at}.${field}`, 'must populate the given metric source only'))
  return errors
}

const orRaw = 'must set either a target raw value or a target utilization'
const notBothRaw = 'may not set both a target raw value and a target utilization'

function checkSource(metric: MetricSpec, source: (typeof fields)[number], at: string, objectRules: ReferenceRules): FieldError[] {
  const field = `${at}.target`
  const target = metric[source]?.target
  const { value, averageValue: average, averageUtilization: utilization } = target ?? {}
  switch (source) {
    case 'object': return [
      ...checkReference(metric.object?.describedObject, `${at}.describedObject`, objectRules), ...checkIdentifier(metric.object?.metric, `${at}.metric`), ...checkTarget(target, field),
      ...(value === undefined && average === undefined ? [required(`${field}.averageValue`, 'must set either a target value or averageValue')] : []),
    ]
    case 'external': return [
      ...checkIdentifier(metric.external?.metric, `${at}.metric`), ...checkTarget(target, field),
      ...(value === undefined && average === undefined ? [required(`${field}.averageValue`, 'must set either a target value for metric or a per-pod target')] : []),
      ...(value !== undefined && average !== undefined ? [forbidden(`${field}.value`, 'may not set both a target value for metric and a per-pod target')] : []),
    ]
    case 'pods': return [
      ...checkIdentifier(metric.pods?.metric, `${at}.metric`), ...checkTarget(target, field),
      ...(average === undefined ? [required(`${field}.averageValue`, 'must specify a positive target averageValue')] : []),
    ]
    default: return [
      ...(textOf(metric[source]?.name) === '' ? [required(`${at}.name`, 'must specify a resource name')] : []),
      ...(source === 'containerResource' ? checkContainer(metric.containerResource?.container, `${at}.container`) : []),
      ...checkTarget(target, field),
      ...(utilization === undefined && average === undefined ? [required(`${field}.averageUtilization`, orRaw)] : []),
      ...(utilization !== undefined && average !== undefined ? [forbidden(`${field}.averageValue`, notBothRaw)] : []),
    ]
  }
}

const checkContainer = (name: string | undefined, field: string): FieldError[] => (textOf(name) === '' ? [required(field, 'must specify a container')] : checkFormat(field, textOf(name), dns1123Label))

function checkIdentifier(metric: MetricIdentifier | undefined, at: string): FieldError[] {
  const name = textOf(metric?.name)
  return name === '' ? [required(`${at}.name`, 'must specify a metric name')] : checkFormat(`${at}.name`, name, pathSegmentName)
}

function checkTarget(target: MetricTarget | undefined, at: string): FieldError[] {
  const type = textOf(target?.type)
  return [
    ...(type === '' ? [required(`${at}.type`, 'must specify a metric target type')] : []),
    ...(['Utilization', 'Value', 'AverageValue'].includes(type) ? [] : [invalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue')]),
    ...(['value', 'averageValue'] as const).flatMap((field) => {
      const amount = target?.[field]
      return amount !== undefined && quantity(amount).sign() <= 0 ? [invalid(`${at}.${field}`, amount, 'must be positive')] : []
    }),
    ...(target?.averageUtilization !== undefined && target.averageUtilization < 1 ? [invalid(`${at}.averageUtilization`, target.averageUtilization, 'must be greater than 0')] : []),
  ]
}
