import { CriError, type LinuxContainerSecurityContext, type SecurityProfile } from '@berth/cri'

/** Reads the file of a seccomp profile. */
export type ReadProfile = (path: string) => Promise<string>

/** Docker's security options of a container or sandbox. Throws CriError (InvalidArgument) naming the field. */
export async function securityOptions(
  context: Pick<Partial<LinuxContainerSecurityContext>, 'seccomp' | 'seccompProfilePath' | 'apparmor' | 'apparmorProfile' | 'noNewPrivs' | 'privileged' | 'selinuxOptions'>,
  readProfile: ReadProfile,
): Promise<string[]> {
  const options: string[] = []
  const seccomp = await seccompOption(context.seccomp ?? legacyProfile(context.seccompProfilePath, 'seccomp_profile_path'), readProfile)
  if (seccomp && !context.privileged) options.push(seccomp)
  const apparmor = apparmorOption(context.apparmor ?? legacyProfile(context.apparmorProfile, 'apparmor_profile'))
  if (apparmor) options.push(apparmor)
  if (context.noNewPrivs) options.push('no-new-privileges')
  const { user = '', role = '', type = '', level = '' } = context.selinuxOptions ?? {}
  for (const [key, value] of Object.entries({ user, role, type, level })) if (value !== '') options.push(`label=${key}:${value}`)
  return options
}

/** The older form of a profile: `runtime/default`, `unconfined` or `localhost/NAME`. */
function legacyProfile(text: string | undefined, field: string): SecurityProfile | undefined {
  if (text === undefined || text === '') return undefined
  if (text === 'runtime/default' || text === 'docker/default') return { profileType: 'RuntimeDefault', localhostRef: '' }
  if (text === 'unconfined') return { profileType: 'Unconfined', localhostRef: '' }
  if (text.startsWith('localhost/')) return { profileType: 'Localhost', localhostRef: text.slice('localhost/'.length) }
  throw new CriError('InvalidArgument', `security_context.${field}: unknown profile ${JSON.stringify(text)}`)
}

async function seccompOption(profile: SecurityProfile | undefined, readProfile: ReadProfile): Promise<string | undefined> {
  if (!profile) return 'seccomp=unconfined'
  if (profile.profileType === 'RuntimeDefault') return undefined
  if (profile.profileType === 'Unconfined') return 'seccomp=unconfined'
  if (profile.profileType !== 'Localhost') throw new CriError('InvalidArgument', `security_context.seccomp.profile_type: unknown value ${String(profile.profileType)}`)
  try {
    return `seccomp=${JSON.stringify(JSON.parse(await readProfile(profile.localhostRef)))}`
  } catch (error) {
    throw new CriError('InvalidArgument', `security_context.seccomp.localhost_ref: cannot use ${JSON.stringify(profile.localhostRef)}: ${(error as Error).message}`, { cause: error })
  }
}

function apparmorOption(profile: SecurityProfile | undefined): string | undefined {
  if (!profile || profile.profileType === 'RuntimeDefault') return undefined
  if (profile.profileType === 'Unconfined') return 'apparmor=unconfined'
  if (profile.profileType === 'Localhost') return `apparmor=${profile.localhostRef}`
  throw new CriError('InvalidArgument', `security_context.apparmor.profile_type: unknown value ${String(profile.profileType)}`)
}
