// What a write brings along besides the object.
import type { UserInfo, WriteContext } from '../interfaces.ts'
import type { AdmissionChain } from './admission-chain.ts'

export interface WriteScope extends WriteContext {
  admission: AdmissionChain
  /** Who goes into managedFields: ?fieldManager=, else the head of the User-Agent, else `unknown`. */
  manager: string
  /** CreateOptions and so on, as admission plugins see them. */
  options: Readonly<Record<string, unknown>>
  /** For updates that create what is not there: throws Forbidden unless the user may create it as well. Absent for writes from within the server. */
  authorizeCreate?(): Promise<void>
}

const internalUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** A write from within the server: no admission, no warnings. */
export function internalScope(admission: AdmissionChain, manager = 'kube-apiserver'): WriteScope {
  return { user: internalUser, dryRun: false, warn: () => {}, admission, manager, options: {} }
}

/** The manager's name for managedFields. */
export function managerName(fieldManager: string, userAgent: string | undefined): string {
  if (fieldManager !== '') return fieldManager
  const head = (userAgent ?? '').split('/')[0] ?? ''
  return head === '' ? 'unknown' : head.slice(0, 128)
}
