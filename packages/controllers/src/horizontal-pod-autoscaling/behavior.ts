// How fast an autoscaler may go: what it recommended and did lately, and the rules of spec.behavior.
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '@berth/api/types/autoscaling/v2'

/** What an autoscaler remembers; times are in milliseconds. It is lost with the process, as upstream's is. */
export interface History {
  readonly recommendations: readonly { readonly replicas: number; readonly at: number }[]
  /** By how much replicas were changed. */
  readonly ups: readonly Change[]
  readonly downs: readonly Change[]
}

interface Change {
  readonly by: number
  readonly at: number
}

/** A reason and a message of a condition. */
export interface Said {
  readonly reason: string
  readonly message: string
}

export interface Sizes {
  readonly current: number
  /** What the metrics ask for. */
  readonly desired: number
  readonly min: number
  readonly max: number
}

export interface Normalized {
  readonly replicas: number
  /** For the condition AbleToScale. */
  readonly able: Said
  /** For the condition ScalingLimited, which is true where this is not what was asked for. */
  readonly limited: Said & { readonly isLimited: boolean }
  readonly history: History
}

const secondMs = 1000
const upLimitFactor = 2
const upLimitMinimum = 4

const ready: Said = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const withinRange: Said = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const tooFew: Said = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' }
const tooMany: Said = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' }
const tooFastUp: Said = { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' }
const tooFastDown: Said = { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' }
const stabilizedDown: Said = { reason: 'ScaleDownStabilized', message: 'recent recommendations were higher than current one, applying the highest recent recommendation' }
const stabilizedUp: Said = { reason: 'ScaleUpStabilized', message: 'recent recommendations were lower than current one, applying the lowest recent recommendation' }

/** The memory of an autoscaler that is seen for the first time: that its target's size was right. */
export function newHistory(replicas: number, now: number): History {
  return { recommendations: [{ replicas, at: now }], ups: [], downs: [] }
}

/** Without spec.behavior: nothing shrinks below what was recommended within the window, and nothing grows beyond double (or four) at once. */
export function normalize(history: History, { current, desired, min, max }: Sizes, windowMs: number, now: number): Normalized {
  const recent = history.recommendations.filter(({ at }) => at >= now - windowMs)
  const stable = Math.max(desired, ...recent.map(({ replicas }) => replicas))
  const upLimit = Math.max(upLimitFactor * current, upLimitMinimum)
  const [most, why] = max > upLimit ? [upLimit, tooFastUp] : [max, tooMany]
  const [replicas, limit] = stable < min ? [min, tooFew] : stable > most ? [most, why] : [stable, withinRange]
  return {
    replicas, able: stable === desired ? ready : stabilizedDown, limited: { ...limit, isLimited: replicas !== stable },
    history: { ...history, recommendations: [...recent, { replicas: desired, at: now }] },
  }
}

/** With spec.behavior, whose defaults are filled in; `windowMs` is that of shrinking where the rules name none. */
export function normalizeWithBehavior(history: History, sizes: Sizes, behavior: HorizontalPodAutoscalerBehavior, windowMs: number, now: number): Normalized {
  const { current, desired } = sizes
  const upFrom = now - (behavior.scaleUp?.stabilizationWindowSeconds ?? 0) * secondMs
  const downFrom = now - (behavior.scaleDown?.stabilizationWindowSeconds ?? windowMs / secondMs) * secondMs
  const replicasSince = (from: number): number[] => history.recommendations.filter(({ at }) => at > from).map(({ replicas }) => replicas)
  const lowest = Math.min(desired, ...replicasSince(upFrom))
  const highest = Math.max(desired, ...replicasSince(downFrom))
  const stable = Math.min(Math.max(current, lowest), highest)
  const { replicas, limit } = limitRate(history, { ...sizes, desired: stable }, behavior, now)
  const kept = history.recommendations.filter(({ at }) => at >= Math.min(upFrom, downFrom))
  return {
    replicas, able: stable === desired ? ready : desired >= current ? stabilizedUp : stabilizedDown, limited: { ...limit, isLimited: replicas !== stable },
    history: { ...history, recommendations: [...kept, { replicas: desired, at: now }] },
  }
}

function limitRate(history: History, { current, desired, min, max }: Sizes, { scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior, now: number): { replicas: number; limit: Said } {
  if (desired > current) {
    const rate = Math.max(current, upLimit(history, current, scaleUp, now))
    const [most, limit] = max > rate ? [rate, tooFastUp] : [max, tooMany]
    if (desired > most) return { replicas: most, limit }
  } else if (desired < current) {
    const rate = Math.min(current, downLimit(history, current, scaleDown, now))
    const [least, limit] = min < rate ? [rate, tooFastDown] : [min, tooFew]
    if (desired < least) return { replicas: least, limit }
  }
  return { replicas: desired, limit: withinRange }
}

/** How many there were when a policy's period began. */
function atStartOf(periodSeconds: number, { ups, downs }: History, current: number, now: number): number {
  const since = (changes: readonly Change[]): number => changes.reduce((sum, { by, at }) => (at > now - periodSeconds * secondMs ? sum + by : sum), 0)
  return current - since(ups) + since(downs)
}

function upLimit(history: History, current: number, rules: HPAScalingRules | undefined, now: number): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = atStartOf(periodSeconds, history, current, now)
    // Rounded up: a share that adds less than one pod would never let anything grow.
    return type === 'Percent' ? Math.ceil(start * (1 + value / 100)) : start + value
  })
  return rules?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits)
}

function downLimit(history: History, current: number, rules: HPAScalingRules | undefined, now: number): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = atStartOf(periodSeconds, history, current, now)
    return type === 'Percent' ? Math.trunc(start * (1 - value / 100)) : start - value
  })
  return rules?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits)
}

/** Remembers a change of size, for as long as a policy looks back. */
export function rememberChange(history: History, from: number, to: number, behavior: HorizontalPodAutoscalerBehavior | undefined, now: number): History {
  if (behavior === undefined) return history
  const longest = (rules: HPAScalingRules | undefined): number => Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds)) * secondMs
  const known = (changes: readonly Change[], periodMs: number): Change[] => changes.filter(({ at }) => at >= now - periodMs)
  const period = Math.max(longest(behavior.scaleUp), longest(behavior.scaleDown))
  const change = { by: Math.abs(to - from), at: now }
  const [ups, downs] = [known(history.ups, period), known(history.downs, period)]
  return { ...history, ups: to > from ? [...ups, change] : ups, downs: to > from ? downs : [...downs, change] }
}
