import { aggregateRequests } from '../../validation/pod/pod-resources.ts'
import { quantity } from '../../validation/common.ts'
import { Quantity } from '../../quantity/index.ts'
import type { PodSpec } from '../../types/core/v1.ts'

const isHugePages = (name: string) => name.startsWith('hugepages-')
const isSupported = (name: string) => name === 'cpu' || name === 'memory' || isHugePages(name)

/** A pod with resources of its own requests what its containers do together, or else what its limits say; huge pages of containers limit it too. */
export function defaultPodLevelResources(spec: PodSpec): void {
  const resources = spec.resources
  if (!resources) return
  const pages: Record<string, Quantity> = {}
  for (const container of spec.containers ?? []) {
    for (const [name, amount] of Object.entries(container.resources?.limits ?? {})) if (isHugePages(name)) pages[name] = (pages[name] ?? new Quantity(0n)).add(quantity(amount))
  }
  for (const [name, amount] of Object.entries(pages)) {
    if (resources.limits?.[name] === undefined && resources.requests?.[name] === undefined) resources.limits = { ...resources.limits, [name]: amount.toString() }
  }
  if (Object.keys(resources.limits ?? {}).length === 0) return
  const requests = { ...resources.requests }
  for (const [name, sum] of Object.entries(aggregateRequests(spec))) if (requests[name] === undefined && isSupported(name) && !isHugePages(name)) requests[name] = sum.toString()
  for (const [name, limit] of Object.entries(resources.limits ?? {})) if (requests[name] === undefined && isSupported(name)) requests[name] = limit
  if (Object.keys(requests).length > 0) resources.requests = requests
}
