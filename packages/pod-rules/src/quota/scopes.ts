import type { Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '@berth/api/types/core/v1'
import { computePodQos } from '../qos.ts'
import type { QuotaResource } from './usage.ts'

/** A quota's scopes and its scope selector, as one list of requirements. */
function requirementsOf({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  return [...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' as const })), ...(spec?.scopeSelector?.matchExpressions ?? [])]
}

/** Whether a quota with these scopes counts an object. */
export function quotaMatches(quota: ResourceQuota, { group, resource }: QuotaResource, object: object): boolean {
  const requirements = requirementsOf(quota)
  if (requirements.length === 0) return true
  if (group === '' && resource === 'pods') return requirements.every((requirement) => podMatches(object as Pod, requirement))
  if (group === '' && resource === 'persistentvolumeclaims') {
    const name = (object as { spec?: { volumeAttributesClassName?: string } }).spec?.volumeAttributesClassName ?? ''
    return requirements.every((requirement) => requirement.scopeName === 'VolumeAttributesClass' && named(name, requirement))
  }
  return false
}

function podMatches(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  switch (requirement.scopeName) {
    case 'Terminating': return (pod.spec.activeDeadlineSeconds ?? -1) >= 0
    case 'NotTerminating': return !((pod.spec.activeDeadlineSeconds ?? -1) >= 0)
    case 'BestEffort': return computePodQos(pod) === 'BestEffort'
    case 'NotBestEffort': return computePodQos(pod) !== 'BestEffort'
    case 'PriorityClass': return named(pod.spec.priorityClassName ?? '', requirement)
    case 'CrossNamespacePodAffinity': return crossesNamespaces(pod)
    default: return false
  }
}

function named(name: string, { operator, values = [] }: ScopedResourceSelectorRequirement): boolean {
  switch (operator) {
    case 'In': return values.includes(name)
    case 'NotIn': return !values.includes(name)
    case 'DoesNotExist': return name === ''
    default: return name !== ''
  }
}

/** Whether an affinity term of the pod looks into other namespaces. */
function crossesNamespaces({ spec: { affinity } }: Pod): boolean {
  const halves = [affinity?.podAffinity, affinity?.podAntiAffinity]
  const terms = halves.flatMap((half) => [...(half?.requiredDuringSchedulingIgnoredDuringExecution ?? []), ...(half?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm)])
  return terms.some(({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector !== undefined)
}
