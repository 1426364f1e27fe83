import { autoscalingV2 } from '@berth/api'
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus, MetricStatus } from '@berth/api/types/autoscaling/v2'
import type { Pod } from '@berth/api/types/core/v1'
import { errorText, isNotFound, keyOf, parseLabelSelector, parseQuantity, type EventRecorder, type KubeClient, type Selector } from '@berth/kube'
import { canonicalJson } from '../common/hash.ts'
import type { KindFinder } from '../common/kind-finder.ts'
import { wireTime } from '../common/pods.ts'
import { newHistory, normalize, normalizeWithBehavior, rememberChange, type History, type Said } from './behavior.ts'
import { isTrue, withCondition, type ConditionType } from './conditions.ts'
import type { MetricsClient } from './metrics-client.ts'
import { MetricError, propose, type MetricProposal } from './propose.ts'
import type { Tolerances } from './replicas.ts'
import { readScale, writeScale, type ScaleTarget } from './scale-target.ts'
import { printedKeys, type TargetSelectors } from './selected-by.ts'

/** What an autoscaler acts with. */
export interface Autoscaling {
  readonly client: KubeClient
  readonly kinds: KindFinder
  readonly metrics: MetricsClient
  readonly recorder: EventRecorder
  readonly selectors: TargetSelectors
  readonly histories: Map<string, History>
  podsOf(namespace: string): readonly Pod[]
  now(): number
  readonly settings: AutoscalingSettings
}

/** kube-controller-manager's flags and gates; durations in milliseconds. */
export interface AutoscalingSettings {
  readonly tolerance: number
  readonly downscaleStabilizationMs: number
  readonly cpuInitializationPeriodMs: number
  readonly initialReadinessDelayMs: number
  /** The gates HPAConfigurableTolerance and HPAScaleToZero. */
  readonly configurableTolerance: boolean
  readonly scaleToZero: boolean
}

/** One look at one autoscaler: what is said of it gathers here until it is written. */
class Look {
  readonly #edge: Autoscaling
  readonly autoscaler: HorizontalPodAutoscaler
  conditions: HorizontalPodAutoscalerCondition[]
  #sizes: Pick<HorizontalPodAutoscalerStatus, 'currentReplicas' | 'desiredReplicas' | 'currentMetrics' | 'lastScaleTime'> | undefined

  constructor(edge: Autoscaling, autoscaler: HorizontalPodAutoscaler) {
    this.#edge = edge
    this.autoscaler = autoscaler
    this.conditions = [...autoscaler.status?.conditions ?? []]
  }

  say(type: ConditionType, holds: boolean, said: Said): void {
    this.conditions = withCondition(this.conditions, type, holds, said, this.#edge.now())
  }

  unsay(type: ConditionType): void {
    this.conditions = this.conditions.filter((condition) => condition.type !== type)
  }

  warn(reason: string, message: string): void {
    this.#edge.recorder.event(this.autoscaler, 'Warning', reason, message)
  }

  sizes(currentReplicas: number, desiredReplicas: number, currentMetrics: MetricStatus[] | undefined, rescaled: boolean): void {
    const lastScaleTime = rescaled ? wireTime(this.#edge.now()) : this.autoscaler.status?.lastScaleTime
    this.#sizes = { currentReplicas, desiredReplicas, ...(currentMetrics === undefined ? {} : { currentMetrics }), ...(lastScaleTime === undefined ? {} : { lastScaleTime }) }
  }

  /** Writes the status where it changed. */
  async write(): Promise<void> {
    const old = this.autoscaler.status
    const status: HorizontalPodAutoscalerStatus = { ...this.#sizes ?? { ...old, desiredReplicas: old?.desiredReplicas ?? 0 }, conditions: this.conditions }
    if (canonicalJson(plain(status)) === canonicalJson(plain(old))) return
    try {
      await this.#edge.client.update(autoscalingV2.horizontalpodautoscalers, { ...this.autoscaler, status }, { subresource: 'status' })
    } catch (error) {
      if (isNotFound(error)) return
      this.warn('FailedUpdateStatus', errorText(error))
      throw new Error(`failed to update status for ${this.autoscaler.metadata.name}: ${errorText(error)}`, { cause: error })
    }
  }
}

/** With numbers that are left out where they are zero, and null where a list is empty. */
function plain(status: HorizontalPodAutoscalerStatus | undefined): unknown {
  return { ...status, currentReplicas: status?.currentReplicas ?? 0, desiredReplicas: status?.desiredReplicas ?? 0, currentMetrics: status?.currentMetrics ?? [] }
}

/** Looks at one autoscaler and does what it asks. Rejects with what went wrong after the status says so; the next look is due anyway. */
export async function reconcile(edge: Autoscaling, autoscaler: HorizontalPodAutoscaler): Promise<void> {
  const look = new Look(edge, autoscaler)
  const { namespace = '' } = autoscaler.metadata
  const { scaleTargetRef } = autoscaler.spec
  const reference = `${scaleTargetRef.kind}/${namespace}/${scaleTargetRef.name}`
  let target: ScaleTarget
  try {
    target = await readScale(edge.client, edge.kinds, scaleTargetRef, namespace)
  } catch (error) {
    look.warn('FailedGetScale', errorText(error))
    look.say('AbleToScale', false, { reason: 'FailedGetScale', message: `the HPA controller was unable to get the target's current scale: ${errorText(error)}` })
    await look.write()
    throw new Error(`failed to query scale subresource for ${reference}: ${errorText(error)}`, { cause: error })
  }
  look.say('AbleToScale', true, { reason: 'SucceededGetScale', message: "the HPA controller was able to get the target's current scale" })
  const current = target.scale.spec?.replicas ?? 0
  const key = keyOf(autoscaler)
  if (!edge.histories.has(key)) edge.histories.set(key, newHistory(current, edge.now()))

  const wanted = await decide(edge, look, target, current)
  if (wanted.desired !== current) {
    try {
      await writeScale(edge.client, target, wanted.desired)
    } catch (error) {
      edge.recorder.event(autoscaler, 'Warning', 'FailedRescale', `New size: ${wanted.desired}; reason: ${wanted.reason}; error: ${errorText(error)}`)
      look.say('AbleToScale', false, { reason: 'FailedUpdateScale', message: `the HPA controller was unable to update the target scale: ${errorText(error)}` })
      look.sizes(current, autoscaler.status?.desiredReplicas ?? 0, wanted.statuses, false)
      await look.write()
      throw new Error(`failed to rescale ${reference}: ${errorText(error)}`, { cause: error })
    }
    look.say('AbleToScale', true, { reason: 'SucceededRescale', message: `the HPA controller was able to update the target scale to ${wanted.desired}` })
    edge.recorder.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${wanted.desired}; reason: ${wanted.reason}`)
    edge.histories.set(key, rememberChange(edge.histories.get(key) ?? newHistory(current, edge.now()), current, wanted.desired, autoscaler.spec.behavior, edge.now()))
    sayScaledToZero(edge, look, current, wanted.desired)
  }
  look.sizes(current, wanted.desired, wanted.statuses, wanted.desired !== current)
  await look.write()
  if (wanted.failure !== undefined) throw wanted.failure
}

interface Wanted {
  readonly desired: number
  /** Why the size changes. */
  readonly reason: string
  readonly statuses?: MetricStatus[]
  /** Some metrics gave nothing, and the others were enough. */
  readonly failure?: Error
}

const hasOutsideMetrics = ({ spec }: HorizontalPodAutoscaler): boolean => spec.metrics?.some(({ type }) => type === 'Object' || type === 'External') === true

async function decide(edge: Autoscaling, look: Look, target: ScaleTarget, current: number): Promise<Wanted> {
  const { spec } = look.autoscaler
  const { minReplicas: min = 1, maxReplicas: max } = spec
  const { scaleToZero } = edge.settings
  const wasScaledToZero = scaleToZero && isTrue(look.conditions, 'ScaledToZero')
  if (current === 0 && !(wasScaledToZero && (min !== 0 || hasOutsideMetrics(look.autoscaler)))) {
    look.say('ScalingActive', false, { reason: 'ScalingDisabled', message: 'scaling is disabled since the replica count of the target is zero' })
    if (!scaleToZero) look.unsay('ScaledToZero')
    return { desired: 0, reason: '' }
  }
  if (current > max) return { desired: max, reason: 'Current number of replicas above Spec.MaxReplicas' }
  if (current !== 0 && current < min) return { desired: min, reason: 'Current number of replicas below Spec.MinReplicas' }

  const { replicas, metric, statuses, failure } = await ofMetrics(edge, look, target, current)
  let reason = replicas > current ? `${metric} above target` : replicas < current ? 'All metrics below target' : ''
  const key = keyOf(look.autoscaler)
  const history = edge.histories.get(key) ?? newHistory(current, edge.now())
  const sizes = { current, desired: replicas, min, max }
  const { downscaleStabilizationMs } = edge.settings
  const normal = spec.behavior === undefined ? normalize(history, sizes, downscaleStabilizationMs, edge.now()) : normalizeWithBehavior(history, sizes, spec.behavior, downscaleStabilizationMs, edge.now())
  edge.histories.set(key, normal.history)
  look.say('AbleToScale', true, normal.able)
  look.say('ScalingLimited', normal.limited.isLimited, normal.limited)
  let desired = normal.replicas
  if (current === 0 && desired < min) {
    desired = min
    reason ||= 'Current number of replicas below Spec.MinReplicas'
  }
  return { desired, reason, statuses, ...(failure === undefined ? {} : { failure }) }
}

interface OfMetrics {
  readonly replicas: number
  readonly metric: string
  readonly statuses: MetricStatus[]
  readonly failure?: Error
}

/** The most that a metric asks for. Rejects, having said so in the status, where none says anything, or where one that says nothing might have kept the target from shrinking. */
async function ofMetrics(edge: Autoscaling, look: Look, target: ScaleTarget, current: number): Promise<OfMetrics> {
  const { namespace = '' } = look.autoscaler.metadata
  const { metrics: specs = [], scaleTargetRef: { kind, name } } = look.autoscaler.spec
  const statuses: MetricStatus[] = specs.map(() => ({ type: '' }))
  const giveUp = async (error: Error): Promise<never> => {
    look.sizes(current, look.autoscaler.status?.desiredReplicas ?? 0, statuses, false)
    await look.write()
    look.warn('FailedComputeMetricsReplicas', error.message)
    throw new Error(`failed to compute desired number of replicas based on listed metrics for ${kind}/${namespace}/${name}: ${error.message}`, { cause: error })
  }
  const text = target.scale.status?.selector ?? ''
  const selector = readSelector(edge, look, text)
  if (selector instanceof Error) return giveUp(selector)
  const pods = edge.podsOf(namespace).filter((pod) => selector.matches(pod.metadata.labels ?? {}))
  const selecting = edge.selectors.selecting(namespace, pods)
  if (selecting.length > 1) {
    const message = `pods by selector ${text} are controlled by multiple HPAs: ${printedKeys(selecting)}`
    look.warn('AmbiguousSelector', message)
    look.say('ScalingActive', false, { reason: 'AmbiguousSelector', message })
    return giveUp(new Error(message))
  }

  const situation = {
    metrics: edge.metrics, namespace, selector: text, pods, specReplicas: current, statusReplicas: target.scale.status?.replicas ?? 0, tolerances: tolerancesOf(edge.settings, look.autoscaler),
    readiness: { now: edge.now(), cpuInitializationPeriodMs: edge.settings.cpuInitializationPeriodMs, initialReadinessDelayMs: edge.settings.initialReadinessDelayMs },
  }
  let most: MetricProposal | undefined
  const errors: MetricError[] = []
  for (const [at, spec] of specs.entries()) {
    try {
      const proposal = await propose(spec, situation)
      statuses[at] = proposal.status
      if (most === undefined || proposal.replicas > most.replicas || most.replicas === 0) most = proposal
    } catch (error) {
      if (!(error instanceof MetricError)) throw error
      look.warn(error.reason, error.detail)
      errors.push(error)
    }
  }
  const [first] = errors
  const failure = first && new Error(`invalid metrics (${errors.length} invalid out of ${specs.length}), first error is: ${first.message}`, { cause: first })
  if (failure && (most === undefined || most.replicas < current)) {
    look.say('ScalingActive', false, { reason: first.reason, message: first.reason === 'InvalidMetricSourceType' ? first.detail : `the HPA was unable to compute the replica count: ${first.detail}` })
    return giveUp(failure)
  }
  look.say('ScalingActive', true, { reason: 'ValidMetricFound', message: `the HPA was able to successfully calculate a replica count from ${most?.metric ?? ''}` })
  return { replicas: most?.replicas ?? 0, metric: most?.metric ?? '', statuses, ...(failure === undefined ? {} : { failure }) }
}

function readSelector(edge: Autoscaling, look: Look, text: string): Selector | Error {
  if (text === '') {
    look.warn('SelectorRequired', 'selector is required')
    look.say('ScalingActive', false, { reason: 'InvalidSelector', message: "the HPA target's scale is missing a selector" })
    return new Error('selector is required')
  }
  try {
    const selector = parseLabelSelector(text)
    edge.selectors.set(keyOf(look.autoscaler), selector)
    return selector
  } catch (error) {
    const message = `couldn't convert selector into a corresponding internal selector object: ${errorText(error)}`
    look.warn('InvalidSelector', message)
    look.say('ScalingActive', false, { reason: 'InvalidSelector', message })
    return new Error(message, { cause: error })
  }
}

function tolerancesOf({ tolerance, configurableTolerance }: AutoscalingSettings, { spec: { behavior } }: HorizontalPodAutoscaler): Tolerances {
  const of = (text: string | undefined): number => (text === undefined || !configurableTolerance ? tolerance : parseQuantity(text).toNumber())
  return { down: of(behavior?.scaleDown?.tolerance), up: of(behavior?.scaleUp?.tolerance) }
}

function sayScaledToZero(edge: Autoscaling, look: Look, from: number, to: number): void {
  if (!edge.settings.scaleToZero) return look.unsay('ScaledToZero')
  const isZero = from > 0 && to === 0 && look.autoscaler.spec.minReplicas === 0 && hasOutsideMetrics(look.autoscaler)
  look.say('ScaledToZero', isZero, isZero ? { reason: 'ScaledToZero', message: 'the HPA controller scaled the workload to zero' } : { reason: 'NotScaledToZero', message: 'the HPA controller did not scale the workload to zero' })
}
