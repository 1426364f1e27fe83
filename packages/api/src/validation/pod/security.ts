import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext, WindowsSecurityContextOptions } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, child, textOf } from '../common.ts'
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain, ownerId } from '../formats.ts'
import { toInternal } from '../internal/forms.ts'
import { containersWithPaths } from './context.ts'
import type { PodContext } from './context.ts'
import { checkDescendingPath } from './paths.ts'

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']
/** A user's or group's number, if there is one. */
export const checkOwner = (field: string, value: number | undefined): FieldError[] => (value === undefined ? [] : ownerId(value).map((problem) => invalid(field, value, problem)))

function checkSeccomp(profile: SeccompProfile | undefined, at: string): FieldError[] {
  if (!profile) return []
  const type = textOf(profile.type)
  const errors = type === '' ? [required(child(at, 'type'), 'type is required when seccompProfile is set')] : checkOneOf(child(at, 'type'), type, profileTypes)
  const field = child(at, 'localhostProfile')
  if (type !== 'Localhost') return profile.localhostProfile === undefined ? errors : [...errors, invalid(field, toInternal('SeccompProfile', profile), 'can only be set when seccomp type is Localhost')]
  if (profile.localhostProfile === undefined) return [...errors, required(field, 'must be set when seccomp type is Localhost')]
  return [...errors, ...checkDescendingPath(field, profile.localhostProfile)]
}

function checkAppArmor(profile: AppArmorProfile | undefined, at: string): FieldError[] {
  if (!profile) return []
  const field = child(at, 'localhostProfile')
  const local = profile.localhostProfile
  switch (profile.type) {
    case 'Localhost': {
      const needed = required(field, 'must be set when AppArmor type is Localhost')
      if (local === undefined) return [needed]
      const errors: FieldError[] = []
      if (local.trim() !== local) errors.push(invalid(field, local, 'must not be padded with whitespace'))
      else if (local === '') errors.push(needed)
      if (Buffer.byteLength(local) > 4095) errors.push(tooLong(field, 4095))
      return errors
    }
    case 'RuntimeDefault': case 'Unconfined':
      return local === undefined ? [] : [invalid(field, local, 'can only be set when AppArmor type is Localhost')]
    default:
      return textOf(profile.type) === '' ? [required(child(at, 'type'), 'type is required when appArmorProfile is set')] : [notSupported(child(at, 'type'), profile.type, profileTypes)]
  }
}

/** A container's security context. */
export function checkSecurityContext(context: SecurityContext | undefined, at: string, { allowPrivileged, hostUsers }: PodContext): FieldError[] {
  if (!context) return []
  const errors: FieldError[] = []
  if (context.privileged && !allowPrivileged) errors.push(forbidden(child(at, 'privileged'), 'disallowed by cluster policy'))
  errors.push(...checkOwner(child(at, 'runAsUser'), context.runAsUser), ...checkOwner(child(at, 'runAsGroup'), context.runAsGroup))
  if (context.procMount !== undefined) {
    errors.push(...checkOneOf(child(at, 'procMount'), context.procMount, ['Default', 'Unmasked']))
    if (hostUsers && context.procMount === 'Unmasked') errors.push(invalid(child(at, 'procMount'), context.procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  errors.push(...checkSeccomp(context.seccompProfile, child(at, 'seccompProfile')))
  if (context.allowPrivilegeEscalation === false) {
    const whole = toInternal('SecurityContext', context)
    if (context.privileged) errors.push(invalid(at, whole, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) errors.push(invalid(at, whole, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
  }
  return [...errors, ...checkWindowsOptions(context.windowsOptions, child(at, 'windowsOptions')), ...checkAppArmor(context.appArmorProfile, child(at, 'appArmorProfile'))]
}

/** The pod's security context, with the host's namespaces that it may not share at the same time. */
export function checkPodSecurityContext(spec: PodSpec, at: string): FieldError[] {
  const context = spec.securityContext
  if (!context) return checkSharedProcesses(spec, at)
  return [
    ...checkOwner(child(at, 'fsGroup'), context.fsGroup),
    ...checkOwner(child(at, 'runAsUser'), context.runAsUser),
    ...checkOwner(child(at, 'runAsGroup'), context.runAsGroup),
    ...(context.supplementalGroups ?? []).flatMap((group, i) => checkOwner(`${at}.supplementalGroups[${i}]`, group)),
    ...checkSharedProcesses(spec, at),
    ...checkSysctls(spec, child(at, 'sysctls')),
    ...oneOfIfSet(child(at, 'fsGroupChangePolicy'), context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...checkSeccomp(context.seccompProfile, child(at, 'seccompProfile')),
    ...checkWindowsOptions(context.windowsOptions, child(at, 'windowsOptions')),
    ...checkAppArmor(context.appArmorProfile, child(at, 'appArmorProfile')),
    ...oneOfIfSet(child(at, 'supplementalGroupsPolicy'), context.supplementalGroupsPolicy, ['Merge', 'Strict']),
    ...oneOfIfSet(child(at, 'seLinuxChangePolicy'), context.seLinuxChangePolicy, ['MountOption', 'Recursive']),
  ]
}

const oneOfIfSet = (field: string, value: string | undefined, supported: readonly string[]) => (value === undefined ? [] : checkOneOf(field, value, supported))

function checkSharedProcesses(spec: PodSpec, at: string): FieldError[] {
  return spec.shareProcessNamespace && spec.hostPID ? [invalid(child(at, 'shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled')] : []
}

const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const sysctlName = new RegExp(sysctlPattern)

function checkSysctls(spec: PodSpec, at: string): FieldError[] {
  const names = new Set<string>()
  return (spec.securityContext?.sysctls ?? []).flatMap((sysctl, i) => {
    const field = `${at}[${i}].name`
    const name = textOf(sysctl.name)
    const errors: FieldError[] = []
    if (name === '') errors.push(required(field))
    else if (name.length > 253 || !sysctlName.test(name)) errors.push(invalid(field, name, `must have at most 253 characters and match regex ${sysctlPattern}`))
    else if (names.has(name)) errors.push(duplicate(field, name))
    const dotted = name.replaceAll('/', '.')
    if (spec.hostNetwork && dotted.startsWith('net.')) errors.push(invalid(field, name, "may not be specified when 'hostNetwork' is true"))
    if (spec.hostIPC && /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$|fs\.mqueue\.)/.test(dotted)) errors.push(invalid(field, name, "may not be specified when 'hostIPC' is true"))
    names.add(name)
    return errors
  })
}

function checkWindowsOptions(options: WindowsSecurityContextOptions | undefined, at: string): FieldError[] {
  if (!options) return []
  const errors: FieldError[] = []
  if (options.gmsaCredentialSpecName !== undefined) errors.push(...checkFormat(child(at, 'gmsaCredentialSpecName'), options.gmsaCredentialSpecName, dns1123Subdomain))
  const credential = options.gmsaCredentialSpec
  if (credential === '') errors.push(invalid(child(at, 'gmsaCredentialSpec'), credential, 'gmsaCredentialSpec cannot be an empty string'))
  else if (Buffer.byteLength(textOf(credential)) > 64 * 1024) errors.push(invalid(child(at, 'gmsaCredentialSpec'), credential, 'gmsaCredentialSpec size must be under 64 KiB'))
  if (options.runAsUserName !== undefined) errors.push(...windowsUserProblems(options.runAsUserName).map((problem) => invalid(child(at, 'runAsUserName'), options.runAsUserName, problem)))
  return errors
}

function windowsUserProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined
  const problems: string[] = []
  if (domain !== undefined && domain.length >= 256) problems.push("runAsUserName's Domain length must be under 256 characters")
  if (domain !== undefined && !/^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/.test(domain) && !/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  if (user === '') problems.push("runAsUserName's User cannot be empty")
  else if (user.length > 104) problems.push("runAsUserName's User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return problems
}

/** Windows host processes: all containers or none, and on the host's network. */
export function checkHostProcess(spec: PodSpec, at: string, allowPrivileged: boolean): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  const containers = containersWithPaths(spec, at)
  const errors: FieldError[] = []
  let count = 0
  for (const { container, path } of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess
    if (ofPod !== undefined && own !== undefined && own !== ofPod) {
      errors.push(invalid(`${path}.securityContext.windowsOptions.hostProcess`, own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`))
    }
    if (own ?? ofPod) count++
  }
  if (count === 0) return errors
  if (count !== containers.length) errors.push(invalid(at, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'))
  if (!spec.hostNetwork) errors.push(invalid(child(at, 'hostNetwork'), false, 'hostNetwork must be true if pod contains any hostProcess containers'))
  if (!allowPrivileged) errors.push(forbidden(at, 'hostProcess containers are disallowed by cluster policy'))
  return errors
}
