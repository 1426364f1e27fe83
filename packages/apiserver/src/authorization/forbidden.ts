import { forbidden } from '../errors.ts'
import type { StatusError } from '../errors.ts'
import type { AuthorizationAttributes } from '../interfaces.ts'

/** The 403 of a request that no authorizer allowed, worded as upstream's. `reason` is the deciding authorizer's. */
export function authorizationForbidden(asked: AuthorizationAttributes, reason: string): StatusError {
  const message = describe(asked)
  return forbidden({ group: asked.apiGroup, resource: asked.resource }, asked.name, reason === '' ? message : `${message}: ${reason}`)
}

function describe(asked: AuthorizationAttributes): string {
  const who = `User ${JSON.stringify(asked.user.name)} cannot ${asked.verb}`
  if (!asked.resourceRequest) return `${who} path ${JSON.stringify(asked.path)}`
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  const scope = asked.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(asked.namespace)}`
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(asked.apiGroup)} ${scope}`
}
