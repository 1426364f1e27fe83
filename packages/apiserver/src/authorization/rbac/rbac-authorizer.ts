import type { ClusterRoleBinding, RoleBinding, Subject } from '@berth/api/types/rbac/v1'
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer } from '../../interfaces.ts'
import type { RbacIndex } from './rbac-index.ts'
import { ruleAllows } from './rules.ts'

/** RBAC: allows what a role bound to the user, to one of the user's groups or to the service account allows; has no opinion otherwise. */
export class RbacAuthorizer implements Authorizer {
  readonly #index: RbacIndex

  constructor(index: RbacIndex) {
    this.#index = index
  }

  authorize(asked: AuthorizationAttributes): AuthorizationDecision {
    const errors: string[] = []
    for (const { binding, subject } of this.#index.bindingsFor(asked.user, asked.namespace)) {
      try {
        const rules = this.#index.rulesOf(binding.roleRef, binding.metadata.namespace ?? '')
        if (rules.some((rule) => ruleAllows(rule, asked))) return { decision: 'allow', reason: `RBAC: allowed by ${describeBinding(binding, subject)}` }
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error))
      }
    }
    return { decision: 'noOpinion', reason: errors.length === 0 ? '' : `RBAC: ${aggregate(errors)}` }
  }
}

function describeBinding(binding: RoleBinding | ClusterRoleBinding, subject: Subject): string {
  const namespace = binding.metadata.namespace ?? ''
  const name = namespace === '' ? binding.metadata.name : `${binding.metadata.name}/${namespace}`
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name
  return `${namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding'} ${JSON.stringify(name)} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`
}

function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)]
  return distinct.length === 1 ? distinct[0] ?? '' : `[${distinct.join(', ')}]`
}
