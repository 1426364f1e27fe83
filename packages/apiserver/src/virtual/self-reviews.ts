import { authentication, authorization } from '@berth/api'
import type { NonResourceRule, ResourceRule, SelfSubjectRulesReview } from '@berth/api/types/authorization/v1'
import { nodeIdentity } from '../authorization/node/node-authorizer.ts'
import type { RbacIndex } from '../authorization/rbac/rbac-index.ts'
import { badRequest } from '../errors.ts'
import type { ApiObject, UserInfo, VirtualResource } from '../interfaces.ts'
import { wireUser } from './user-info.ts'

/** SelfSubjectReview: who am I? (`kubectl auth whoami`) */
export const selfSubjectReview: VirtualResource = {
  resource: authentication.selfsubjectreviews,
  async create(object, context) {
    return {
      ...object,
      metadata: { ...object.metadata, creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z') },
      status: { userInfo: wireUser(context.user) },
    } as unknown as ApiObject
  },
}

/** SelfSubjectRulesReview: what may I do in a namespace? (`kubectl auth can-i --list`) */
export function selfSubjectRulesReview(index: RbacIndex, modes: readonly string[]): VirtualResource {
  return {
    resource: authorization.selfsubjectrulesreviews,
    async create(object, context) {
      const namespace = (object as unknown as Partial<SelfSubjectRulesReview>).spec?.namespace
      if (!namespace) throw badRequest('no namespace on request')
      return { ...object, status: rulesOf(index, modes, context.user, namespace) } as unknown as ApiObject
    },
  }
}

function rulesOf(index: RbacIndex, modes: readonly string[], user: UserInfo, namespace: string): SelfSubjectRulesReview['status'] {
  const resourceRules: ResourceRule[] = []
  const nonResourceRules: NonResourceRule[] = []
  const errors: string[] = []
  let incomplete = false
  for (const mode of modes) {
    if (mode === 'AlwaysAllow') {
      resourceRules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] })
      nonResourceRules.push({ verbs: ['*'], nonResourceURLs: ['*'] })
    }
    if (mode === 'Node' && nodeIdentity(user) !== undefined) {
      incomplete = true
      errors.push('node authorizer does not support user rule resolution')
    }
    if (mode !== 'RBAC') continue
    const found = index.rulesFor(user, namespace)
    errors.push(...found.errors.map((e) => e.message))
    for (const rule of found.rules) {
      if (rule.resources?.length) resourceRules.push({ verbs: rule.verbs, apiGroups: rule.apiGroups ?? [], resources: rule.resources, ...(rule.resourceNames && { resourceNames: rule.resourceNames }) })
      if (rule.nonResourceURLs?.length) nonResourceRules.push({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs })
    }
  }
  return { resourceRules, nonResourceRules, incomplete, ...(errors.length > 0 && { evaluationError: errors.join(', ') }) }
}
