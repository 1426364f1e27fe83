import type { PodSpec, SecurityContext } from '../../types/core/v1.ts'
import { child, textOf } from '../common.ts'
import { forbidden, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { containersWithPaths } from './context.ts'

/** The pod's operating system, and that nothing is set which only another one has. */
export function checkOs(spec: PodSpec, at: string): FieldError[] {
  if (!spec.os) return []
  const name = textOf(spec.os.name)
  if (name === '') return [required(`${at}.os.name`, 'cannot be empty')]
  if (name === 'linux') return checkLinux(spec, at)
  if (name === 'windows') return checkWindows(spec, at)
  return [notSupported(child(at, 'os'), name, ['linux', 'windows'])]
}

function checkLinux(spec: PodSpec, at: string): FieldError[] {
  const why = 'windows options cannot be set for a linux pod'
  return [
    ...(spec.securityContext?.windowsOptions ? [forbidden(`${at}.securityContext.windowsOptions`, why)] : []),
    ...containersWithPaths(spec, at).filter(({ container }) => container.securityContext?.windowsOptions).map(({ path }) => forbidden(`${path}.securityContext.windowsOptions`, why)),
  ]
}

const podFields = ['appArmorProfile', 'seLinuxOptions', 'hostUsers', 'hostPID', 'hostIPC', 'seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls', 'shareProcessNamespace', 'runAsUser', 'runAsGroup',
  'supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy'] as const
const ofSpec = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace']
const containerFields = ['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged', 'allowPrivilegeEscalation', 'procMount', 'runAsUser',
  'runAsGroup'] as const satisfies readonly (keyof SecurityContext)[]

function checkWindows(spec: PodSpec, at: string): FieldError[] {
  const why = 'cannot be set for a windows pod'
  const isSet = (value: unknown) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
  const values: Record<string, unknown> = { ...spec.securityContext, hostUsers: spec.hostUsers, hostPID: spec.hostPID, hostIPC: spec.hostIPC, shareProcessNamespace: spec.shareProcessNamespace }
  const errors = podFields
    .filter((name) => (name === 'hostUsers' || name === 'shareProcessNamespace' ? values[name] !== undefined : isSet(values[name])))
    .map((name) => forbidden(ofSpec.includes(name) ? child(at, name) : `${at}.securityContext.${name}`, why))
  for (const { container, path } of containersWithPaths(spec, at)) {
    for (const name of containerFields) if (container.securityContext?.[name] !== undefined) errors.push(forbidden(`${path}.securityContext.${name}`, why))
  }
  return errors
}
