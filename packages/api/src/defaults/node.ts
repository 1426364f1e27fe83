import type { Node } from '../types/core/v1.ts'
import { canonicalizeResources } from './quantities.ts'

export function defaultNode({ spec, status }: Node): void {
  if (spec?.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR]
  else if (spec && !spec.podCIDR && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0]
  if (!status) return
  if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
  canonicalizeResources(status.capacity)
  canonicalizeResources(status.allocatable)
}
