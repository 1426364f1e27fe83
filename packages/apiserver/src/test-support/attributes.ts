import type { ResourceInfo } from '@berth/api'
import type { AdmissionAttributes, ApiObject, AuthorizationAttributes, Operation, UserInfo } from '../interfaces.ts'

/** A question to an authorizer: `verb resource[/subresource][.group] [namespace/][name]`, such as `get pods/log.  a/b`. */
export function ask(user: UserInfo, verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes {
  const [path = '', subresource = ''] = resource.split('/')
  return { user, verb, resourceRequest: true, path: '', namespace: '', apiGroup: '', apiVersion: 'v1', resource: path, subresource, name: '', ...more }
}

/** What admission sees. */
export function admission(operation: Operation, resource: ResourceInfo, object: unknown, more: Partial<AdmissionAttributes> = {}): AdmissionAttributes {
  const given = object as ApiObject | undefined
  return {
    operation, resource, subresource: '', kind: { group: resource.group, version: resource.version, kind: resource.kind },
    namespace: given?.metadata.namespace ?? '', name: given?.metadata.name ?? '', object: operation === 'DELETE' ? undefined : given, oldObject: operation === 'DELETE' ? given : undefined,
    options: {}, user: { name: 'admin', groups: ['system:masters'] }, dryRun: false, warn: () => {}, ...more,
  }
}
