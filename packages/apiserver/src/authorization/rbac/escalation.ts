import { isDeepStrictEqual } from 'node:util'
import type { AggregationRule, PolicyRule, RoleRef } from '@berth/api/types/rbac/v1'
import { forbidden, notFound, StatusError } from '../../errors.ts'
import type { ApiObject, Authorizer, UserInfo, WriteContext, WriteHook, WriteOutcome } from '../../interfaces.ts'
import type { RbacIndex } from './rbac-index.ts'
import { compactRules, describeRule, quoteAll, uncoveredRules } from './rules.ts'

const group = 'rbac.authorization.k8s.io'
const everything: PolicyRule[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }]

/**
 * RBAC's own protection: nobody grants what he does not hold. A role may be written by who holds its rules or may `escalate` it; a binding by who
 * holds the rules of the role it names or may `bind` it. Members of system:masters pass.
 */
export function escalationHooks(index: RbacIndex, authorizer: Authorizer): WriteHook[] {
  const check = { roles: checkRole, clusterroles: checkRole, rolebindings: checkBinding, clusterrolebindings: checkBinding }
  return Object.entries(check).map(([resource, verify]) => ({
    group,
    resource,
    async beginCreate(object: ApiObject, context: WriteContext): Promise<WriteOutcome> {
      if (!isSuperuser(context.user)) await verify({ index, authorizer, user: context.user, resource }, object)
      return {}
    },
    async beginUpdate(object: ApiObject, old: ApiObject, context: WriteContext): Promise<WriteOutcome> {
      if (!isSuperuser(context.user) && !changesOnlyOwnership(object, old)) await verify({ index, authorizer, user: context.user, resource }, object)
      return {}
    },
  }))
}

interface Check {
  index: RbacIndex
  authorizer: Authorizer
  user: UserInfo
  resource: string
}

async function checkRole(check: Check, object: ApiObject): Promise<void> {
  const namespace = object.metadata.namespace ?? ''
  const name = object.metadata.name
  if (await allowed(check, 'escalate', check.resource, namespace, name)) return
  const missing = missingRights(check, namespace, (object['rules'] ?? []) as PolicyRule[])
  if (missing !== undefined) throw forbidden({ group, resource: check.resource }, name, missing)
  const aggregation = object['aggregationRule'] as AggregationRule | undefined
  if (aggregation?.clusterRoleSelectors?.length && missingRights(check, namespace, everything) !== undefined) {
    throw forbidden({ group, resource: check.resource }, name, 'must have cluster-admin privileges to use an aggregationRule')
  }
}

async function checkBinding(check: Check, object: ApiObject): Promise<void> {
  const namespace = object.metadata.namespace ?? ''
  const ref = object['roleRef'] as RoleRef
  const resource = ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  if (await allowed(check, 'bind', resource, namespace, ref.name)) return
  let rules: readonly PolicyRule[]
  try {
    rules = check.index.rulesOf(ref, namespace)
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) throw notFound({ group, resource: check.resource }, ref.name)
    throw error
  }
  const missing = missingRights(check, namespace, rules)
  if (missing !== undefined) throw forbidden({ group, resource: check.resource }, object.metadata.name, missing)
}

async function allowed(check: Check, verb: string, resource: string, namespace: string, name: string): Promise<boolean> {
  const { decision } = await check.authorizer.authorize({
    user: check.user, verb, namespace, apiGroup: group, apiVersion: '*', resource, subresource: '', name, resourceRequest: true, path: '',
  })
  return decision === 'allow'
}

/** Why a user may not grant these rules, in upstream's words; undefined when the user holds them all. */
function missingRights(check: Check, namespace: string, rules: readonly PolicyRule[]): string | undefined {
  const held = check.index.rulesFor(check.user, namespace)
  const missing = uncoveredRules(held.rules, rules)
  if (missing.length === 0) return undefined
  const lines = [...new Set(compactRules(missing).map(describeRule))].sort()
  const unresolved = held.errors.length === 0 ? '' : `; resolution errors: [${held.errors.map((e) => e.message).join(' ')}]`
  return `user ${JSON.stringify(check.user.name)} (groups=${quoteAll(check.user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${unresolved}`
}

function isSuperuser(user: UserInfo): boolean {
  return user.groups.includes('system:masters')
}

/** The garbage collector may set owners and finalizers of what it could not grant. */
function changesOnlyOwnership(object: ApiObject, old: ApiObject): boolean {
  const strip = (o: ApiObject): ApiObject => ({ ...o, metadata: { ...o.metadata, ownerReferences: undefined, finalizers: undefined, managedFields: undefined, resourceVersion: undefined } as never })
  return isDeepStrictEqual(strip(object), strip(old))
}
