import type { PodResourceClaim, PodSpec } from '../../types/core/v1.ts'
import type { ObjectMeta } from '../../types/meta/v1.ts'
import { checkFormat, checkRange, checkRequiredFormat, checkRequiredOneOf, child, textOf } from '../common.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain, dns1123SubdomainWithUnderscore, qualifiedName } from '../formats.ts'
import { toInternal } from '../internal/forms.ts'
import { checkIp } from '../ip.ts'
import { checkLabels } from '../object-meta.ts'
import { checkContainers, checkEphemeralContainers, checkInitContainers } from './containers.ts'
import type { PodContext } from './context.ts'
import { checkOs } from './os.ts'
import { checkPodLevelResources } from './pod-resources.ts'
import { checkResources } from './resources.ts'
import { checkAffinity, checkSchedulingGates, checkTolerations, checkTopologySpread } from './scheduling.ts'
import { checkHostProcess, checkPodSecurityContext } from './security.ts'
import { checkVolumes } from './volumes.ts'

export interface PodSpecScope {
  /** True for a Pod, false for a template. */
  readonly isPod: boolean
  readonly allowPrivileged: boolean
}

/** A pod's spec, alone or inside a template (then without `meta`). */
export function checkPodSpec(spec: PodSpec, meta: ObjectMeta | undefined, at: string, scope: PodSpecScope): FieldError[] {
  const grace = spec.terminationGracePeriodSeconds
  const { volumes, errors: volumeErrors } = checkVolumes(spec.volumes, child(at, 'volumes'), { isPod: scope.isPod, podName: textOf(meta?.name) })
  const context: PodContext = {
    ...scope,
    gracePeriodSeconds: grace,
    hostUsers: spec.hostUsers ?? true,
    restartPolicy: textOf(spec.restartPolicy),
    volumes,
    claimNames: new Set((spec.resourceClaims ?? []).map((claim) => textOf(claim.name)).filter((name) => name !== '')),
  }
  return [
    ...(grace === undefined ? [required(child(at, 'terminationGracePeriodSeconds'))] : []),
    ...volumeErrors,
    ...checkResourceClaims(spec.resourceClaims, child(at, 'resourceClaims')),
    ...checkContainers(spec, child(at, 'containers'), context),
    ...checkInitContainers(spec, child(at, 'initContainers'), context),
    ...checkEphemeralContainers(spec, child(at, 'ephemeralContainers'), context),
    ...checkPodLevelResources(spec, child(at, 'resources'), context),
    ...checkHostNetworkPorts(spec, at, scope.isPod),
    ...checkRequiredOneOf(child(at, 'restartPolicy'), spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...checkRequiredOneOf(child(at, 'dnsPolicy'), spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']),
    ...checkLabels(child(at, 'nodeSelector'), spec.nodeSelector),
    ...checkPodSecurityContext(spec, child(at, 'securityContext')),
    ...checkAffinity(spec.affinity, child(at, 'affinity')),
    ...checkDns(spec, child(at, 'dnsConfig')),
    ...(spec.readinessGates ?? []).flatMap((gate, i) => checkFormat(`${at}.readinessGates[${i}].conditionType`, textOf(gate.conditionType), qualifiedName)),
    ...checkSchedulingGates(spec.schedulingGates, child(at, 'schedulingGates')),
    ...checkTopologySpread(spec.topologySpreadConstraints, child(at, 'topologySpreadConstraints')),
    ...checkHostProcess(spec, at, scope.allowPrivileged),
    ...checkHostUsers(spec, at),
    ...checkNames(spec, at),
    ...checkRuntime(spec, at),
    ...checkOs(spec, at),
    ...checkSchedulingGroup(spec.schedulingGroup, child(at, 'schedulingGroup')),
  ]
}

/** The group of pods that are placed together: one of several kinds to come, of which there is one. */
function checkSchedulingGroup(group: PodSpec['schedulingGroup'], at: string): FieldError[] {
  if (!group) return []
  const { podGroupName } = group
  return podGroupName === undefined ? [invalid(child(at, 'podGroupName'), null, 'must specify one of: `podGroupName`')] : checkFormat(child(at, 'podGroupName'), podGroupName, dns1123Subdomain)
}

function checkResourceClaims(claims: readonly PodResourceClaim[] | undefined, at: string): FieldError[] {
  const names = new Set<string>()
  return (claims ?? []).flatMap((claim, i) => {
    const field = `${at}[${i}]`
    const name = textOf(claim.name)
    const errors = names.has(name) ? [duplicate(child(field, 'name'), name)] : checkRequiredFormat(child(field, 'name'), name, dns1123Label)
    if (name !== '') names.add(name)
    const whole = toInternal('PodResourceClaim', claim)
    if (claim.resourceClaimName !== undefined && claim.resourceClaimTemplateName !== undefined) {
      errors.push(invalid(field, whole, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
    }
    if (claim.resourceClaimName === undefined && claim.resourceClaimTemplateName === undefined) {
      errors.push(invalid(field, whole, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    for (const part of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[part]
      if (value !== undefined) errors.push(...checkFormat(child(field, part), value, dns1123Subdomain))
    }
    return errors
  })
}

/** On the host's network a container's port is the host's port. */
function checkHostNetworkPorts(spec: PodSpec, at: string, isPod: boolean): FieldError[] {
  if (!spec.hostNetwork) return []
  return (spec.containers ?? []).flatMap((container, i) => (container.ports ?? []).flatMap((port, j) => {
    const host = port.hostPort ?? 0
    if ((!isPod && host === 0) || host === (port.containerPort ?? 0)) return []
    return [invalid(`${at}.containers[${i}].ports[${j}].hostPort`, host, 'must match `containerPort` when `hostNetwork` is true')]
  }))
}

function checkDns(spec: PodSpec, at: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {}
  if (spec.dnsPolicy === 'None') {
    if (!spec.dnsConfig) return [required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    if (nameservers.length === 0) return [required(child(at, 'nameservers'), 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
  }
  const errors: FieldError[] = []
  if (nameservers.length > 3) errors.push(invalid(child(at, 'nameservers'), nameservers, 'must not have more than 3 nameservers'))
  nameservers.forEach((server, i) => errors.push(...checkIp(`${at}.nameservers[${i}]`, server)))
  if (searches.length > 32) errors.push(invalid(child(at, 'searches'), searches, 'must not have more than 32 search paths'))
  if (searches.join(' ').length > 2048) errors.push(invalid(child(at, 'searches'), searches, 'must not have more than 2048 characters (including spaces) in the search list'))
  searches.forEach((search, i) => {
    if (search !== '.') errors.push(...checkFormat(`${at}.searches[${i}]`, search.replace(/\.$/, ''), dns1123SubdomainWithUnderscore))
  })
  options.forEach((option, i) => {
    if (textOf(option.name) === '') errors.push(required(`${at}.options[${i}]`, 'must not be empty'))
  })
  return errors
}

/** A user namespace of one's own does not go with the host's other namespaces. */
function checkHostUsers(spec: PodSpec, at: string): FieldError[] {
  if (spec.hostUsers !== false) return []
  const why = 'when `pod.Spec.HostUsers` is false'
  return [
    ...(spec.hostNetwork ? [forbidden(child(at, 'hostNetwork'), why)] : []),
    ...(spec.hostPID ? [forbidden(child(at, 'HostPID'), why)] : []),
    ...(spec.hostIPC ? [forbidden(child(at, 'HostIPC'), why)] : []),
  ]
}

function checkNames(spec: PodSpec, at: string): FieldError[] {
  const named = (name: 'serviceAccountName' | 'nodeName' | 'hostname' | 'subdomain', format: typeof dns1123Label) =>
    textOf(spec[name]) === '' ? [] : checkFormat(child(at, name), textOf(spec[name]), format)
  const deadline = spec.activeDeadlineSeconds
  return [
    ...named('serviceAccountName', dns1123Subdomain),
    ...named('nodeName', dns1123Subdomain),
    ...(deadline === undefined ? [] : checkRange(child(at, 'activeDeadlineSeconds'), deadline, 1, 2147483647)),
    ...named('hostname', dns1123Label),
    ...named('subdomain', dns1123Label),
    ...checkHostnameOverride(spec, at),
  ]
}

function checkHostnameOverride(spec: PodSpec, at: string): FieldError[] {
  const override = spec.hostnameOverride
  if (override === undefined) return []
  const field = child(at, 'hostnameOverride')
  const errors = checkFormat(field, override, dns1123Subdomain)
  if (override.length > 64) errors.push({ type: 'TooLong', field, detail: 'may not be more than 64 bytes' })
  if (spec.setHostnameAsFQDN) errors.push(forbidden(field, 'may not be specified when `setHostnameAsFQDN` is true'))
  if (spec.hostNetwork) errors.push(forbidden(field, 'may not be specified when `hostNetwork` is true'))
  return errors
}

function checkRuntime(spec: PodSpec, at: string): FieldError[] {
  const errors = checkTolerations(spec.tolerations, child(at, 'tolerations'))
  spec.hostAliases?.forEach((alias, i) => {
    const field = `${at}.hostAliases[${i}]`
    errors.push(...checkIp(child(field, 'ip'), textOf(alias.ip)), ...(alias.hostnames ?? []).flatMap((name, j) => checkFormat(`${field}.hostnames[${j}]`, name, dns1123Subdomain)))
  })
  for (const name of ['priorityClassName', 'runtimeClassName'] as const) {
    const value = spec[name]
    if (value !== undefined && (value !== '' || name === 'runtimeClassName')) errors.push(...checkFormat(child(at, name), value, dns1123Subdomain))
  }
  if (spec.preemptionPolicy !== undefined) errors.push(...checkPreemptionPolicy(child(at, 'preemptionPolicy'), spec.preemptionPolicy))
  if (spec.overhead !== undefined) errors.push(...checkResources(child(at, 'overhead'), { limits: spec.overhead }, new Set()))
  return errors
}

/** Whether a pod or a priority class preempts. */
export function checkPreemptionPolicy(field: string, policy: string): FieldError[] {
  if (policy === '') return [required(field)]
  return ['PreemptLowerPriority', 'Never'].includes(policy) ? [] : [notSupported(field, policy, ['PreemptLowerPriority', 'Never'])]
}
