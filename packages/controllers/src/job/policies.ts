import type { PodFailurePolicy, PodFailurePolicyAction, PodFailurePolicyOnExitCodesRequirement, SuccessPolicy } from '@berth/api/types/batch/v1'
import type { ContainerStatus, Pod } from '@berth/api/types/core/v1'
import { countIndexes, overlap, parseIndexes, type Indexes } from './indexes.ts'

export interface FailureVerdict {
  /** Whether the failure counts towards the back-off limits. */
  readonly counts: boolean
  readonly action?: PodFailurePolicyAction
  /** Why the whole job fails. */
  readonly failsJob?: string
}

/** What a job's pod failure policy says of a pod that failed: the first rule that matches. */
export function matchFailurePolicy(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`
  for (const [index, { action, onExitCodes, onPodConditions = [] }] of (policy?.rules ?? []).entries()) {
    if (onExitCodes) {
      const status = matchingContainer(pod.status?.containerStatuses ?? [], onExitCodes) ?? matchingContainer(pod.status?.initContainerStatuses ?? [], onExitCodes)
      if (status) return verdict(action, `Container ${status.name} for pod ${name} failed with exit code ${status.state?.terminated?.exitCode} matching ${action} rule at index ${index}`)
    } else {
      const condition = (pod.status?.conditions ?? []).find(({ type, status }) => onPodConditions.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === status))
      if (condition) return verdict(action, `Pod ${name} has condition ${condition.type} matching ${action} rule at index ${index}`)
    }
  }
  return { counts: true }
}

function verdict(action: PodFailurePolicyAction, message: string): FailureVerdict {
  return { counts: action !== 'Ignore', action, ...(action === 'FailJob' ? { failsJob: message } : {}) }
}

function matchingContainer(statuses: readonly ContainerStatus[], { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement): ContainerStatus | undefined {
  return statuses.find(({ name, state }) => {
    const code = state?.terminated?.exitCode
    if (code === undefined || code === 0 || containerName !== undefined && containerName !== name) return false
    return operator === 'In' ? values.includes(code) : operator === 'NotIn' && !values.includes(code)
  })
}

/** Which rule of a success policy is met, in words; undefined for none. */
export function matchSuccessPolicy(policy: SuccessPolicy | undefined, completions: number, succeeded: Indexes): string | undefined {
  if (succeeded.length === 0) return undefined
  const met = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount
    const wanted = parseIndexes(succeededIndexes, completions)
    const has = overlap(wanted, succeeded)
    return wanted.length > 0 && (has === countIndexes(wanted) || succeededCount !== undefined && has >= succeededCount)
  })
  return met < 0 ? undefined : `Matched rules at index ${met}`
}
