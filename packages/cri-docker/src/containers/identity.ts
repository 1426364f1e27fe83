import { CriError, type LinuxContainerSecurityContext } from '@berth/cri'
import type { Identity } from '../state/labels.ts'

/** An image's /etc/passwd and /etc/group, and the user it names. */
export interface ImageUsers {
  /** The image's own `User`: '' for root. */
  user: string
  passwd: string
  group: string
}

interface PasswdEntry {
  name: string
  uid: number
  gid: number
}

interface GroupEntry {
  name: string
  gid: number
  members: string[]
}

export function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    return name !== '' && /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}

export function parseGroup(text: string): GroupEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':')
    return name !== '' && /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(',').map((member) => member.trim()).filter((member) => member !== '') }] : []
  })
}

type Context = Partial<Pick<LinuxContainerSecurityContext, 'runAsUser' | 'runAsGroup' | 'runAsUsername' | 'supplementalGroups' | 'supplementalGroupsPolicy'>>

/**
 * As whom a container's first process runs: the pod's user or the image's, its primary group, and its supplemental groups: those that CRI names and, unless the policy is
 * Strict, those that the image's /etc/group gives the user. Undefined where the image does not know the user's name (the Engine says so when it starts it).
 */
export function identityOf(context: Context, image: ImageUsers): Identity | undefined {
  const asked = context.runAsUser ? String(context.runAsUser.value) : (context.runAsUsername ?? '')
  const [userText = '', groupText = ''] = (asked === '' ? image.user : asked).split(':')
  const users = parsePasswd(image.passwd)
  const groups = parseGroup(image.group)
  const user = userText === '' ? '0' : userText
  const entry = users.find(({ name }) => name === user) ?? users.find(({ uid }) => String(uid) === user)
  const uid = entry?.uid ?? numeric(user)
  if (uid === undefined) return undefined
  const gid = context.runAsGroup ? Number(context.runAsGroup.value) : groupText === '' ? (entry?.gid ?? 0) : (groups.find(({ name }) => name === groupText)?.gid ?? numeric(groupText))
  if (gid === undefined) return undefined
  const ofImage = context.supplementalGroupsPolicy === 'Strict' || !entry ? [] : groups.filter(({ members }) => members.includes(entry.name)).map((group) => group.gid)
  const named = (context.supplementalGroups ?? []).map(Number)
  return { uid, gid, supplementalGroups: [...new Set([gid, ...named, ...ofImage])].toSorted((left, right) => left - right) }
}

function numeric(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/** Throws where CRI's combination of fields is none. */
export function checkUser(context: Context): void {
  if (context.runAsUser && (context.runAsUsername ?? '') !== '') throw new CriError('InvalidArgument', 'security_context: only one of run_as_user and run_as_username may be set')
  if (context.runAsGroup && !context.runAsUser && (context.runAsUsername ?? '') === '') throw new CriError('InvalidArgument', 'security_context.run_as_group: user group is specified without user')
  const policy = context.supplementalGroupsPolicy ?? 'Merge'
  if (policy !== 'Merge' && policy !== 'Strict') throw new CriError('InvalidArgument', `security_context.supplemental_groups_policy: unknown value ${String(policy)}`)
}
