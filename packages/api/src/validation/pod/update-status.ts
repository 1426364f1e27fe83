import type { ContainerStatus, Pod } from '../../types/core/v1.ts'
import { checkFormat, checkImmutable, checkOneOf, textOf } from '../common.ts'
import { duplicate, forbidden, invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain, qualifiedName } from '../formats.ts'
import { toInternal } from '../internal/forms.ts'
import { checkIp, isDualStack } from '../ip.ts'
import { checkMetaUpdate } from '../object-meta.ts'
import { checkPodAnnotationsUpdate } from './annotations.ts'
import { checkClaimStatuses, checkExtendedClaimStatus } from './claim-statuses.ts'
import { checkOwner } from './security.ts'
import { checkTransitions, restartsOf } from './transitions.ts'

const systemConditions = ['PodScheduled', 'Ready', 'Initialized']

/** A pod's status: what has ended stays ended, addresses are addresses. */
export function checkPodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const status = pod.status ?? {}
  const before = old.status ?? {}
  const errors = [
    ...checkMetaUpdate(pod.metadata, old.metadata),
    ...checkPodAnnotationsUpdate(pod, old, 'metadata.annotations'),
    ...(status.conditions ?? []).flatMap((condition, i) => [
      ...checkGeneration(`status.conditions[${i}].observedGeneration`, condition.observedGeneration),
      ...(systemConditions.includes(condition.type) ? [] : checkFormat(`status.conditions[${i}].Type`, textOf(condition.type), qualifiedName)),
    ]),
  ]
  if (textOf(pod.spec.nodeName) !== textOf(old.spec.nodeName)) errors.push(forbidden('status.nodeName', 'may not be changed directly'))
  const nominated = textOf(status.nominatedNodeName)
  if (nominated !== '' && nominated !== textOf(before.nominatedNodeName)) {
    errors.push(...checkFormat('status.nominatedNodeName', nominated, dns1123Subdomain))
    if (textOf(old.spec.nodeName) !== '') errors.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'))
  }
  errors.push(...checkGeneration('status.observedGeneration', status.observedGeneration))
  errors.push(...checkImmutable('status.qosClass', textOf(status.qosClass), textOf(before.qosClass)))
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = status
  errors.push(
    ...checkTransitions(containerStatuses, before.containerStatuses, 'status.containerStatuses', restartsOf(old.spec, old.spec.containers)),
    ...checkTransitions(initContainerStatuses, before.initContainerStatuses, 'status.initContainerStatuses', restartsOf(old.spec, old.spec.initContainers)),
    ...checkTransitions(ephemeralContainerStatuses, before.ephemeralContainerStatuses, 'status.ephemeralContainerStatuses', () => false),
    ...checkClaimStatuses(pod), ...checkExtendedClaimStatus(pod), ...checkPodIps(pod, old), ...checkHostIps(pod, old),
  )
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) errors.push(...checkUsers(status[list], `status.${list}`, pod.spec.os?.name))
  return [...errors, ...checkAllocated(pod)]
}

const checkGeneration = (field: string, value: number | undefined) => ((value ?? 0) < 0 ? [invalid(field, value, 'must be a non-negative integer')] : [])

/** Addresses are well-formed; what was stored before stays good. */
function checkPodIps({ status }: Pod, old: Pod): FieldError[] {
  const ips = (status?.podIPs ?? []).map(({ ip }) => textOf(ip))
  const known = new Set(old.status?.podIPs?.map(({ ip }) => ip))
  const errors = ips.flatMap((ip, i) => (known.has(ip) ? [] : checkIp(`status.podIPs[${i}]`, ip)))
  if (ips.length <= 1) return errors
  if (!isDualStack(ips) || ips.length > 2) errors.push(invalid('status.podIPs', ips.map((ip) => toInternal('PodIP', { ip })), 'may specify no more than one IP for each IP family'))
  return errors
}

function checkHostIps({ status }: Pod, old: Pod): FieldError[] {
  const ips = (status?.hostIPs ?? []).map(({ ip }) => textOf(ip))
  const known = new Set(old.status?.hostIPs?.map(({ ip }) => ip))
  if (ips.length === 0) return []
  const errors: FieldError[] = []
  if (textOf(status?.hostIP) !== ips[0]) errors.push(invalid('status.hostIPs[0].ip', ips[0], 'must be equal to `hostIP`'))
  errors.push(...ips.flatMap((ip, i) => (known.has(ip) ? [] : checkIp(`status.hostIPs[${i}]`, ip))))
  if (ips.length === 1) return errors
  if (!isDualStack(ips) || ips.length > 2) errors.push(invalid('status.hostIPs', ips.map((ip) => toInternal('HostIP', { ip })), 'may specify no more than one IP for each IP family'))
  return errors
}

function checkUsers(statuses: readonly ContainerStatus[] | undefined, at: string, os = 'linux'): FieldError[] {
  return (statuses ?? []).flatMap((status, i) => {
    const user = status.user?.linux
    const field = `${at}[${i}].linux`
    if (!user) return []
    if (os === 'windows') return [forbidden(field, 'cannot be set for a windows pod')]
    return [
      ...checkOwner(`${field}.uid`, user.uid ?? 0),
      ...checkOwner(`${field}.gid`, user.gid ?? 0),
      ...(user.supplementalGroups ?? []).flatMap((group, j) => checkOwner(`${field}.supplementalGroups[${j}]`, group)),
    ]
  })
}

function checkAllocated(pod: Pod): FieldError[] {
  const errors: FieldError[] = []
  for (const [list, containers] of [['containerStatuses', pod.spec.containers], ['initContainerStatuses', pod.spec.initContainers]] as const) {
    pod.status?.[list]?.forEach((status, i) => status.allocatedResourcesStatus?.forEach((allocated, j) => {
      const at = `status.${list}[${i}].allocatedResourcesStatus[${j}]`
      const container = containers?.find((c) => c.name === status.name)
      const isClaim = allocated.name.startsWith('claim:')
      const names = isClaim
        ? container?.resources?.claims?.map((claim) => `claim:${claim.name}${textOf(claim.request) === '' ? '' : `/${claim.request}`}`)
        : Object.keys(container?.resources?.requests ?? {})
      if (container && !names?.includes(allocated.name)) {
        errors.push(invalid(`${at}.name`, allocated.name, isClaim
          ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
          : "must match one of the container's resource requests"))
      }
      const ids = new Set<string>()
      allocated.resources?.forEach((resource, k) => {
        errors.push(...checkOneOf(`${at}.resources[${k}].health`, textOf(resource.health), ['Healthy', 'Unhealthy', 'Unknown']))
        if (ids.has(resource.resourceID)) errors.push(duplicate(`${at}.resources[${k}].resourceID`, resource.resourceID))
        ids.add(resource.resourceID)
      })
    }))
  }
  pod.status?.ephemeralContainerStatuses?.forEach((status, i) => {
    if (status.allocatedResourcesStatus?.length) errors.push(forbidden(`status.ephemeralContainerStatuses[${i}].allocatedResourcesStatus`, 'must not be specified in container status'))
  })
  return errors
}
