import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '@berth/api/types/autoscaling/v2'
import type { Pod } from '@berth/api/types/core/v1'
import { errorText, parseQuantity, quantityOfMilli, selectorOf } from '@berth/kube'
import { printedSelector } from '../common/printed-selector.ts'
import { isPodReady } from '../common/pods.ts'
import type { MetricsClient } from './metrics-client.ts'
import { measuredPods, type MeasuredPods, type PodMetrics, type Readiness } from './pod-metrics.ts'
import { averageReplicas, sharedValueReplicas, sumOfValues, utilizationReplicas, valueReplicas, type Proposal, type Tolerances } from './replicas.ts'
import { requestsOf } from './requests.ts'

/** The target as it is, and what to ask and to hold it to. */
export interface Situation {
  readonly metrics: MetricsClient
  readonly namespace: string
  /** The target's selector, and the pods that it selects. */
  readonly selector: string
  readonly pods: readonly Pod[]
  readonly specReplicas: number
  readonly statusReplicas: number
  readonly tolerances: Tolerances
  readonly readiness: Readiness
}

/** What one metric asks for; `metric` names it in messages. */
export interface MetricProposal {
  readonly replicas: number
  readonly metric: string
  readonly status: MetricStatus
}

/** A metric that gives no number: `reason` and `detail` are for the event and the condition. */
export class MetricError extends Error {
  override name = 'MetricError'
  readonly reason: string
  readonly detail: string

  constructor(reason: string, detail: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.detail = detail
  }
}

/** Asks for a metric and for what it asks. Throws {@link MetricError}. */
export async function propose(spec: MetricSpec, situation: Situation): Promise<MetricProposal> {
  const { resource, containerResource, pods, object, external } = spec
  if (spec.type === 'Resource' && resource) return ofResource(resource.name, undefined, resource.target, situation)
  if (spec.type === 'ContainerResource' && containerResource) return ofResource(containerResource.name, containerResource.container, containerResource.target, situation)
  if (spec.type === 'Pods' && pods) return ofPods(pods.metric, pods.target, situation)
  if (spec.type === 'Object' && object) return ofObject(object.describedObject, object.metric, object.target, situation)
  if (spec.type === 'External' && external) return ofExternal(external.metric, external.target, situation)
  const message = `unknown metric source type ${JSON.stringify(spec.type)}`
  throw new MetricError('InvalidMetricSourceType', message, message)
}

/** Runs the asking; what it throws becomes the condition's detail, prefixed for the message. */
async function orSay<T>(reason: string, prefix: string, ask: () => Promise<T>, inner = ''): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const detail = errorText(error)
    throw new MetricError(reason, detail, `${prefix}: ${inner}${detail}`, { cause: error })
  }
}

async function prefixed<T>(prefix: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw new Error(`${prefix}: ${errorText(error)}`, { cause: error })
  }
}

function sorted({ pods, readiness }: Situation, metrics: PodMetrics, resource: string): MeasuredPods {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
  return measuredPods(pods, metrics, resource, readiness)
}

async function ofResource(name: string, container: string | undefined, target: MetricTarget, situation: Situation): Promise<MetricProposal> {
  const isContainer = container !== undefined
  const reason = isContainer ? 'FailedGetContainerResourceMetric' : 'FailedGetResourceMetric'
  const ask = (): Promise<PodMetrics> => prefixed(`unable to get metrics for resource ${name}`, () => situation.metrics.ofResource(situation.namespace, situation.selector, name, container))
  const amount = ({ usage }: Proposal): string => quantityOfMilli(usage, name === 'memory' ? 'BinarySI' : 'DecimalSI').toString()
  const { specReplicas, tolerances } = situation
  return orSay(reason, isContainer ? `failed to get ${container} container metric value` : `failed to get ${name} resource metric value`, async () => {
    const { averageValue, averageUtilization } = target
    if (averageValue !== undefined) {
      const proposal = await prefixed(`failed to get ${name} usage`, async () => averageReplicas(sorted(situation, await ask(), name), parseQuantity(averageValue).milliValue(), specReplicas, tolerances))
      return { replicas: proposal.replicas, metric: `${name} resource`, status: resourceStatus(name, container, { averageValue: amount(proposal) }) }
    }
    if (averageUtilization === undefined) throw new Error('invalid resource metric source: neither an average utilization target nor an average value (usage) target was set')
    const proposal = await prefixed(`failed to get ${name} utilization`, async () => {
      const measured = sorted(situation, await ask(), name)
      if (measured.values.size === 0) return averageReplicas(measured, 1n, specReplicas, tolerances)
      return utilizationReplicas(measured, requestsOf(situation.pods, name, container), averageUtilization, specReplicas, tolerances)
    })
    return {
      replicas: proposal.replicas, metric: `${name} ${isContainer ? 'container ' : ''}resource utilization (percentage of request)`,
      status: resourceStatus(name, container, { averageUtilization: proposal.utilization ?? 0, averageValue: amount(proposal) }),
    }
  })
}

function resourceStatus(name: string, container: string | undefined, current: MetricValueStatus): MetricStatus {
  return container === undefined ? { type: 'Resource', resource: { name, current } } : { type: 'ContainerResource', containerResource: { name, container, current } }
}

const milli = (usage: bigint): string => quantityOfMilli(usage).toString()
const identified = ({ name, selector }: MetricIdentifier): MetricIdentifier => ({ name, ...(selector === undefined ? {} : { selector }) })

async function ofPods(metric: MetricIdentifier, target: MetricTarget, situation: Situation): Promise<MetricProposal> {
  const { namespace, selector, specReplicas, tolerances } = situation
  return orSay('FailedGetPodsMetric', 'failed to get pods metric value', async () => {
    const metrics = await prefixed(`unable to get metric ${metric.name}`, () => situation.metrics.ofPods(namespace, selector, metric.name, selectorOf(metric.selector).toString()))
    const { replicas, usage } = averageReplicas(sorted(situation, metrics, ''), parseQuantity(target.averageValue ?? '0').milliValue(), specReplicas, tolerances)
    return { replicas, metric: `pods metric ${metric.name}`, status: { type: 'Pods', pods: { metric: identified(metric), current: { averageValue: milli(usage) } } } }
  })
}

async function ofObject(describedObject: CrossVersionObjectReference, metric: MetricIdentifier, target: MetricTarget, situation: Situation): Promise<MetricProposal> {
  const { namespace, tolerances } = situation
  const ask = async (): Promise<bigint> => {
    const metricSelector = selectorOf(metric.selector).toString()
    try {
      return await situation.metrics.ofObject(namespace, describedObject, metric.name, metricSelector)
    } catch (error) {
      throw new Error(`unable to get metric ${metric.name}: ${errorText(error)} on ${describedObject.kind} ${namespace}/${describedObject.name}`, { cause: error })
    }
  }
  const status = (current: MetricValueStatus): MetricStatus => ({ type: 'Object', object: { describedObject, metric: identified(metric), current } })
  const shared = target.type === 'AverageValue' && target.averageValue !== undefined
  return orSay('FailedGetObjectMetric', 'failed to get object metric value', async () => {
    if (target.type === 'Value' && target.value !== undefined) {
      const { replicas, usage } = valueReplicas(await ask(), parseQuantity(target.value).milliValue(), situation.specReplicas, () => readyPods(situation), tolerances)
      return { replicas, metric: `${describedObject.kind} metric ${metric.name}`, status: status({ value: milli(usage) }) }
    }
    if (!shared) throw new Error('invalid object metric source: neither a value target nor an average value target was set')
    const { replicas, usage } = sharedValueReplicas(await ask(), parseQuantity(target.averageValue ?? '0').milliValue(), situation.statusReplicas, tolerances)
    return { replicas, metric: `external metric ${metric.name}(${printedSelector(metric.selector)})`, status: status({ averageValue: milli(usage) }) }
  }, shared ? `failed to get ${metric.name} object metric: ` : '')
}

async function ofExternal(metric: MetricIdentifier, target: MetricTarget, situation: Situation): Promise<MetricProposal> {
  const { namespace, tolerances } = situation
  const { averageValue, value } = target
  const ask = async (): Promise<bigint> => {
    const metricSelector = selectorOf(metric.selector).toString()
    return sumOfValues(await prefixed(`unable to get external metric ${namespace}/${metric.name}/${printedSelector(metric.selector)}`, () => situation.metrics.external(namespace, metric.name, metricSelector)))
  }
  const said = `external metric ${metric.name}(${printedSelector(metric.selector)})`
  const status = (current: MetricValueStatus): MetricStatus => ({ type: 'External', external: { metric: identified(metric), current } })
  const inner = averageValue !== undefined ? `failed to get ${metric.name} external metric: ` : value !== undefined ? `failed to get external metric ${metric.name}: ` : ''
  return orSay('FailedGetExternalMetric', `failed to get ${metric.name} external metric value`, async () => {
    if (averageValue !== undefined) {
      const { replicas, usage } = sharedValueReplicas(await ask(), parseQuantity(averageValue).milliValue(), situation.statusReplicas, tolerances)
      return { replicas, metric: said, status: status({ averageValue: milli(usage) }) }
    }
    if (value === undefined) throw new Error('invalid external metric source: neither a value target nor an average value target was set')
    const { replicas, usage } = valueReplicas(await ask(), parseQuantity(value).milliValue(), situation.specReplicas, () => readyPods(situation), tolerances)
    return { replicas, metric: said, status: status({ value: milli(usage) }) }
  }, inner)
}

function readyPods({ pods }: Situation): number {
  if (pods.length === 0) throw new Error('unable to calculate ready pods: no pods returned by selector while calculating replica count')
  return pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length
}
