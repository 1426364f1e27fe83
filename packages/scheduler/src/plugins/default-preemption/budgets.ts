import { selectorOf } from '@berth/api'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import type { PodInfo } from '../../framework/pod-info.ts'

/**
 * Divides pods into those whose removal, in this order, would overdraw a PodDisruptionBudget and the others; both keep
 * their order. A pod that its budget already counts as disrupted takes nothing from it; an empty selector is about none.
 */
export function splitByBudgets(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): { violating: PodInfo[]; others: PodInfo[] } {
  const accounts = budgets.map((budget) => ({
    namespace: budget.metadata.namespace ?? 'default', selector: selectorOf(budget.spec.selector),
    disrupted: budget.status?.disruptedPods ?? {}, left: budget.status?.disruptionsAllowed ?? 0,
  })).filter(({ selector }) => !selector.isEmpty() && !selector.nothing)
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of pods) {
    const { labels = {}, name } = pod.pod.metadata
    let overdrawn = false
    for (const account of Object.keys(labels).length === 0 ? [] : accounts) {
      if (account.namespace !== pod.namespace || !account.selector.matches(labels) || name in account.disrupted) continue
      account.left--
      if (account.left < 0) overdrawn = true
    }
    (overdrawn ? violating : others).push(pod)
  }
  return { violating, others }
}
