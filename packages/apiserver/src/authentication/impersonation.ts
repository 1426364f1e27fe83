import { authorizationForbidden } from '../authorization/forbidden.ts'
import { badRequest } from '../errors.ts'
import type { AuthenticationRequest, AuthorizationAttributes, Authorizer, UserInfo } from '../interfaces.ts'
import { extraOf, valuesOf } from './header-values.ts'
import { serviceAccountGroups } from './service-account-tokens.ts'

const extraPrefix = 'impersonate-extra-'

/**
 * The user that a request wants to be seen as (Impersonate-User, -Group, -Uid, -Extra-*), once `user` may impersonate each of its attributes;
 * undefined where it wants nothing of the kind. Throws Forbidden. Each group is a header of its own: a comma is part of its name.
 */
export async function impersonate(request: Pick<AuthenticationRequest, 'headers' | 'rawHeaders'>, user: UserInfo, authorizer: Authorizer): Promise<UserInfo | undefined> {
  const [name = ''] = valuesOf(request, 'impersonate-user')
  const groups = valuesOf(request, 'impersonate-group').filter((group) => group !== '')
  const [uid = ''] = valuesOf(request, 'impersonate-uid')
  const extra = extraOf(request, [extraPrefix])
  if (name === '') {
    if (groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return undefined
    throw badRequest(`requested ${JSON.stringify({ groups, uid, extra })} without impersonating a user`)
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  const asked: Partial<AuthorizationAttributes>[] = [
    account ? { resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' } : { resource: 'users', name },
    ...groups.map((group) => ({ resource: 'groups', name: group })),
    ...Object.entries(extra).flatMap(([key, values]) => values.map((value) => ({ apiGroup: 'authentication.k8s.io', apiVersion: 'v1', resource: 'userextras', subresource: key, name: value }))),
    ...(uid === '' ? [] : [{ apiGroup: 'authentication.k8s.io', apiVersion: 'v1', resource: 'uids', name: uid }]),
  ]
  for (const part of asked) {
    const attributes: AuthorizationAttributes = { user, verb: 'impersonate', resourceRequest: true, path: '', namespace: '', apiGroup: '', apiVersion: '', resource: '', subresource: '', name: '', ...part }
    const { decision, reason } = await authorizer.authorize(attributes)
    if (decision !== 'allow') throw authorizationForbidden(attributes, reason)
  }
  const own = groups.length === 0 && account ? serviceAccountGroups(account[1] ?? '') : groups
  return {
    name, ...(uid && { uid }),
    groups: withStanding(own, name),
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}

/** Adds what everybody is in: `system:unauthenticated` for the anonymous user, `system:authenticated` for others, unless one is there. */
function withStanding(groups: readonly string[], name: string): string[] {
  if (groups.includes('system:authenticated') || groups.includes('system:unauthenticated')) return [...groups]
  return [...groups, name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated']
}
