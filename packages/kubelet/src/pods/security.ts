import type { Container, Pod, SeccompProfile, AppArmorProfile } from '@berth/api/types/core/v1'
import type { Init, LinuxContainerSecurityContext, LinuxSandboxSecurityContext, NamespaceOption, SecurityProfile } from '@berth/cri'

/** The image's user as the runtime tells it. */
export interface ImageUser { uid?: number; username?: string }

const big = (value: number | undefined): { value: bigint } | undefined => (value === undefined ? undefined : { value: BigInt(value) })

/** The namespaces a pod's containers share, among themselves or with the host. */
export function namespaceOptions(pod: Pod): Init<NamespaceOption> {
  return {
    network: pod.spec.hostNetwork ? 'NODE' : 'POD',
    ipc: pod.spec.hostIPC ? 'NODE' : 'POD',
    pid: pod.spec.hostPID ? 'NODE' : pod.spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
  }
}

export interface SecurityOptions {
  /** Where localhost profiles lie: <root>/seccomp. */
  seccompRoot: string
  /** Use the runtime's default where a pod says nothing. */
  seccompDefault: boolean
}

function seccomp(profile: SeccompProfile | undefined, options: SecurityOptions): Init<SecurityProfile> {
  if (!profile) return { profileType: options.seccompDefault ? 'RuntimeDefault' : 'Unconfined' }
  if (profile.type === 'Localhost') return { profileType: 'Localhost', localhostRef: `${options.seccompRoot}/${profile.localhostProfile ?? ''}` }
  return { profileType: profile.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' }
}

function apparmor(profile: AppArmorProfile | undefined): Init<SecurityProfile> | undefined {
  if (!profile) return undefined
  if (profile.type === 'Localhost') return { profileType: 'Localhost', localhostRef: profile.localhostProfile ?? '' }
  return { profileType: profile.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' }
}

/** The sandbox's part of the pod's security context. */
export function sandboxSecurity(pod: Pod): Init<LinuxSandboxSecurityContext> {
  const context = pod.spec.securityContext ?? {}
  const groups = [...(context.fsGroup === undefined ? [] : [BigInt(context.fsGroup)]), ...(context.supplementalGroups ?? []).map(BigInt)]
  return {
    namespaceOptions: namespaceOptions(pod),
    privileged: [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some((c) => c.securityContext?.privileged === true),
    // The sandbox itself runs nothing of the user's: the default profile always fits it.
    seccomp: { profileType: 'RuntimeDefault' },
    runAsUser: big(context.runAsUser),
    runAsGroup: context.runAsUser === undefined ? undefined : big(context.runAsGroup),
    supplementalGroups: groups,
    supplementalGroupsPolicy: context.supplementalGroupsPolicy ?? 'Merge',
    ...(context.seLinuxOptions ? { selinuxOptions: context.seLinuxOptions } : {}),
  }
}

const maskedPaths = ['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap']
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/**
 * The security context of a container: its own fields over the pod's, and the image's user where neither names one.
 * Throws (CreateContainerConfigError) where `runAsNonRoot` cannot be kept, in upstream's words.
 */
export function containerSecurity(pod: Pod, c: Container, image: ImageUser, options: SecurityOptions): Init<LinuxContainerSecurityContext> {
  const ofPod = pod.spec.securityContext ?? {}
  const own = c.securityContext ?? {}
  const runAsUser = own.runAsUser ?? ofPod.runAsUser
  const runAsGroup = own.runAsGroup ?? ofPod.runAsGroup
  checkNonRoot(pod, c, runAsUser, image)
  const groups = [...(ofPod.supplementalGroups ?? []), ...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup])].map(BigInt)
  const unmasked = own.procMount === 'Unmasked'
  const profile = apparmor(own.appArmorProfile ?? ofPod.appArmorProfile)
  const selinux = own.seLinuxOptions ?? ofPod.seLinuxOptions
  return {
    namespaceOptions: namespaceOptions(pod),
    privileged: own.privileged === true,
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    capabilities: { addCapabilities: own.capabilities?.add ?? [], dropCapabilities: own.capabilities?.drop ?? [] },
    // The runtime applies the image's own user when nothing else is said; a numeric one is passed for runtimes that need a group with it.
    ...(runAsUser !== undefined ? { runAsUser: big(runAsUser) } : image.username ? { runAsUsername: image.username } : image.uid !== undefined ? { runAsUser: big(image.uid) } : {}),
    ...(runAsGroup === undefined ? {} : { runAsGroup: big(runAsGroup) }),
    supplementalGroups: groups,
    supplementalGroupsPolicy: ofPod.supplementalGroupsPolicy ?? 'Merge',
    seccomp: seccomp(own.seccompProfile ?? ofPod.seccompProfile, options),
    ...(profile ? { apparmor: profile } : {}),
    ...(selinux ? { selinuxOptions: selinux } : {}),
    maskedPaths: own.privileged || unmasked ? [] : maskedPaths,
    readonlyPaths: own.privileged || unmasked ? [] : readonlyPaths,
  }
}

function checkNonRoot(pod: Pod, c: Container, runAsUser: number | undefined, image: ImageUser): void {
  if ((c.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot) !== true) return
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${c.name})`
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`)
    return
  }
  if (image.username) throw new Error(`container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`)
  if (image.uid === undefined || image.uid === 0) throw new Error(`container has runAsNonRoot and image will run as root ${where}`)
}
