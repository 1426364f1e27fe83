import type { ContainerStatus, Pod } from '../../types/core/v1.ts'
import { checkFormat, checkImmutable, checkOneOf, textOf } from '../common.ts'
import { duplicate, forbidden, invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain, groupId, qualifiedName, userId } from '../formats.ts'
import { toInternal } from '../internal/forms.ts'
import { checkIp, isDualStack } from '../ip.ts'
import { checkMetaUpdate } from '../object-meta.ts'
import { checkPodAnnotationsUpdate } from './annotations.ts'
import { isSidecar } from './context.ts'

const systemConditions = ['PodScheduled', 'Ready', 'Initialized']

/** A pod's status: what has ended stays ended, addresses are addresses. */
export function checkPodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const status = pod.status ?? {}
  const before = old.status ?? {}
  const errors = [
    ...checkMetaUpdate(pod.metadata, old.metadata),
    ...checkPodAnnotationsUpdate(pod, old, 'metadata.annotations'),
    ...(status.conditions ?? []).flatMap((condition, i) => (systemConditions.includes(condition.type) ? [] : checkFormat(`metadata.conditions[${i}].Type`, textOf(condition.type), qualifiedName))),
  ]
  if (textOf(pod.spec.nodeName) !== textOf(old.spec.nodeName)) errors.push(forbidden('status.nodeName', 'may not be changed directly'))
  const nominated = textOf(status.nominatedNodeName)
  if (nominated !== '' && nominated !== textOf(before.nominatedNodeName)) errors.push(...checkFormat('status.nominatedNodeName', nominated, dns1123Subdomain))
  errors.push(...checkImmutable('status.qosClass', textOf(status.qosClass), textOf(before.qosClass)))
  const policy = textOf(old.spec.restartPolicy)
  const mayRestart = (name: string) => {
    const container = [...(old.spec.containers ?? []), ...(old.spec.initContainers ?? [])].find((c) => c.name === name)
    return container !== undefined && (isSidecar(container) || container.restartPolicy !== undefined || (container.restartPolicyRules?.length ?? 0) > 0)
  }
  for (const list of ['containerStatuses', 'initContainerStatuses'] as const) errors.push(...checkTransitions(status[list], before[list], `status.${list}`, policy, mayRestart))
  errors.push(...checkTransitions(status.ephemeralContainerStatuses, before.ephemeralContainerStatuses, 'status.ephemeralContainerStatuses', 'Never', () => false))
  errors.push(...checkClaimStatuses(pod), ...checkPodIps(pod), ...checkHostIps(pod))
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) errors.push(...checkUsers(status[list], `status.${list}`, pod.spec.os?.name))
  return [...errors, ...checkAllocated(pod)]
}

function checkTransitions(now: readonly ContainerStatus[] | undefined, before: readonly ContainerStatus[] | undefined, at: string, policy: string, mayRestart: (name: string) => boolean): FieldError[] {
  if (policy === 'Always') return []
  return (before ?? []).flatMap((old, i) => {
    const ended = old.state?.terminated
    if (!ended || (ended.exitCode !== 0 && policy === 'OnFailure') || mayRestart(old.name)) return []
    return (now ?? []).filter((status) => status.name === old.name && !status.state?.terminated).map(() => forbidden(`${at}[${i}].state`, 'may not be transitioned to non-terminated state'))
  })
}

function checkClaimStatuses(pod: Pod): FieldError[] {
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

function checkPodIps({ status }: Pod): FieldError[] {
  const ips = (status?.podIPs ?? []).map(({ ip }) => textOf(ip))
  const errors = ips.flatMap((ip, i) => checkIp(`status.podIPs[${i}]`, ip))
  if (ips.length <= 1) return errors
  if (!isDualStack(ips) || ips.length > 2) errors.push(invalid('status.podIPs', ips.map((ip) => toInternal('PodIP', { ip })), 'may specify no more than one IP for each IP family'))
  ips.forEach((ip, i) => {
    if (ips.indexOf(ip) < i) errors.push(duplicate(`status.podIPs[${i}]`, toInternal('PodIP', { ip })))
  })
  return errors
}

function checkHostIps({ status }: Pod): FieldError[] {
  const ips = (status?.hostIPs ?? []).map(({ ip }) => textOf(ip))
  if (ips.length === 0) return []
  const errors: FieldError[] = []
  if (textOf(status?.hostIP) !== ips[0]) errors.push(invalid('status.hostIPs[0].ip', ips[0], 'must be equal to `hostIP`'))
  errors.push(...ips.flatMap((ip, i) => checkIp(`status.hostIPs[${i}]`, ip)))
  if (ips.length === 1) return errors
  ips.forEach((ip, i) => {
    if (ips.indexOf(ip) < i) errors.push(duplicate(`status.hostIPs[${i}]`, toInternal('HostIP', { ip })))
  })
  if (!isDualStack(ips) || ips.length > 2) errors.push(invalid('status.hostIPs', ips.map((ip) => toInternal('HostIP', { ip })), 'may specify no more than one IP for each IP family'))
  return errors
}

function checkUsers(statuses: readonly ContainerStatus[] | undefined, at: string, os = 'linux'): FieldError[] {
  return (statuses ?? []).flatMap((status, i) => {
    const user = status.user?.linux
    const field = `${at}[${i}].linux`
    if (!user) return []
    if (os === 'windows') return [forbidden(field, 'cannot be set for a windows pod')]
    const number = (name: string, value: number | undefined, format: typeof userId) => format(value ?? 0).map((problem) => invalid(`${field}.${name}`, value ?? 0, problem))
    return [
      ...number('uid', user.uid, userId),
      ...number('gid', user.gid, groupId),
      ...(user.supplementalGroups ?? []).flatMap((group, j) => number(`supplementalGroups[${j}]`, group, groupId)),
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
