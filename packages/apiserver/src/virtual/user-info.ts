import type { UserInfo as WireUser } from '@berth/api/types/authentication/v1'
import type { UserInfo } from '../interfaces.ts'

/** A user as reviews write it. */
export function wireUser(user: UserInfo): WireUser {
  return { username: user.name, ...(user.uid && { uid: user.uid }), ...(user.groups.length > 0 && { groups: user.groups }), ...(user.extra && { extra: user.extra }) }
}
