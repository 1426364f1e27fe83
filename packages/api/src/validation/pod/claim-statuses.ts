import type { Pod } from '../../types/core/v1.ts'
import { checkFormat, checkRequiredFormat, textOf } from '../common.ts'
import { duplicate, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain } from '../formats.ts'

/** The claims that were made for a pod: of claims that it names, each once. */
export function checkClaimStatuses(pod: Pod): FieldError[] {
  const seen = new Set<string>()
  return (pod.status?.resourceClaimStatuses ?? []).flatMap((status, i) => {
    const at = `status.resourceClaimStatuses[${i}].name`
    const errors: FieldError[] = []
    if (!pod.spec.resourceClaims?.some((claim) => claim.name === status.name)) errors.push(invalid(at, textOf(status.name), 'must match the name of an entry in `spec.resourceClaims`'))
    if (seen.has(status.name)) errors.push(duplicate(at, status.name))
    seen.add(status.name)
    return status.resourceClaimName === undefined ? errors : [...errors, ...checkFormat(at, status.resourceClaimName, dns1123Subdomain)]
  })
}

const whichResource = 'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests'
const whichContainer = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'

/** The claim that stands for a pod's extended resources, and which request of it is whose. */
export function checkExtendedClaimStatus(pod: Pod): FieldError[] {
  const claim = pod.status?.extendedResourceClaimStatus
  if (!claim) return []
  const at = 'status.extendedResourceClaimStatus'
  const containers = new Map([...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])].map((container) => [container.name, container]))
  const mappings = claim.requestMappings ?? []
  const errors = mappings.length === 0 ? [required(`${at}.requestMappings`, 'at least one request mapping is required')] : []
  const seen = new Set<string>()
  mappings.forEach((mapping, i) => {
    const field = `${at}.requestMappings[${i}]`
    const container = containers.get(mapping.containerName)
    if (!container) errors.push(invalid(`${field}.containerName`, textOf(mapping.containerName), whichContainer))
    else if (container.resources?.requests?.[mapping.resourceName] === undefined) errors.push(invalid(`${field}.resourceName`, textOf(mapping.resourceName), whichResource))
    errors.push(...checkFormat(`${at}.requestName`, textOf(mapping.requestName), dns1123Label))
    const key = JSON.stringify([mapping.containerName, mapping.resourceName, mapping.requestName])
    if (seen.has(key)) for (const part of ['containerName', 'resourceName', 'requestName'] as const) errors.push(duplicate(`${field}.${part}`, textOf(mapping[part])))
    seen.add(key)
  })
  return [...errors, ...checkRequiredFormat(`${at}.resourceClaimName`, claim.resourceClaimName, dns1123Subdomain)]
}
