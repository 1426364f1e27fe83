// matchLabelKeys and mismatchLabelKeys: at creation the pod's own values of those labels are merged into the selectors beside them, as upstream does.
import type { ApiObject } from '../interfaces.ts'
import { asRecord, valueAt } from '../registry/values.ts'

const affinities = ['podAffinity', 'podAntiAffinity'] as const

function listAt(value: unknown, ...path: string[]): unknown[] {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found as unknown[] : []
}

function merge(holder: Record<string, unknown>, labels: Readonly<Record<string, string>>): void {
  const selector = asRecord(holder['labelSelector'])
  if (!selector) return
  const added = (['matchLabelKeys', 'mismatchLabelKeys'] as const).flatMap((field) => listAt(holder, field).flatMap((key) => {
    const value = labels[String(key)]
    return value === undefined ? [] : [{ key, operator: field === 'matchLabelKeys' ? 'In' : 'NotIn', values: [value] }]
  }))
  if (added.length > 0) holder['labelSelector'] = { ...selector, matchExpressions: [...listAt(selector, 'matchExpressions'), ...added] }
}

/** Changes a new pod's affinity terms. Topology spread constraints stay: the scheduler reads their keys itself. */
export function mergeLabelKeys(pod: ApiObject): void {
  const labels = pod.metadata.labels ?? {}
  for (const affinity of affinities) {
    const required = listAt(pod, 'spec', 'affinity', affinity, 'requiredDuringSchedulingIgnoredDuringExecution')
    const preferred = listAt(pod, 'spec', 'affinity', affinity, 'preferredDuringSchedulingIgnoredDuringExecution').map((term) => valueAt(term, 'podAffinityTerm'))
    for (const term of [...required, ...preferred]) {
      const record = asRecord(term)
      if (record) merge(record, labels)
    }
  }
}
