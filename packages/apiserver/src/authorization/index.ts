import type { Authorizer, ResourceStore, WriteHook } from '../interfaces.ts'
import { nodeRules } from '../bootstrap/rbac-policy.ts'
import { alwaysAllow, alwaysDeny, privilegedGroups, UnionAuthorizer } from './modes.ts'
import { NodeAuthorizer } from './node/node-authorizer.ts'
import { watchNodeReferences } from './node/node-references.ts'
import { escalationHooks } from './rbac/escalation.ts'
import { RbacAuthorizer } from './rbac/rbac-authorizer.ts'
import { type RbacIndex, watchRbac } from './rbac/rbac-index.ts'

export { authorizationForbidden } from './forbidden.ts'

/** What `--authorization-mode` may list. Adding a mode is a line here. */
const modes: Record<string, (store: ResourceStore, index: RbacIndex) => Authorizer> = {
  AlwaysAllow: () => alwaysAllow,
  AlwaysDeny: () => alwaysDeny,
  RBAC: (_store, index) => new RbacAuthorizer(index),
  Node: (store) => new NodeAuthorizer(watchNodeReferences(store), nodeRules()),
}

/** Authorization as `--authorization-mode` names it. */
export interface Authorization {
  readonly authorizer: Authorizer
  /** RBAC's rules by user, for rules reviews. */
  readonly index: RbacIndex
  /** Whether RBAC is among the modes. */
  readonly rbac: boolean
  /** The escalation checks, where RBAC is on. */
  readonly hooks: WriteHook[]
}

/** Checks the modes' names; throws with upstream's words. */
export function checkAuthorizationModes(names: readonly string[]): void {
  if (names.length === 0) throw new Error('at least one authorization-mode must be passed')
  for (const name of names) {
    if (!(name in modes)) throw new Error(`authorization-mode ${JSON.stringify(name)} is not a valid mode`)
    if (names.filter((n) => n === name).length > 1) throw new Error(`authorization-mode ${JSON.stringify(names)} has mode specified more than once`)
  }
}

/** Builds the authorizers that the modes name, in that order, behind system:masters. */
export function createAuthorization(names: readonly string[], store: ResourceStore): Authorization {
  checkAuthorizationModes(names)
  const index = watchRbac(store)
  const authorizer = new UnionAuthorizer([privilegedGroups, ...names.flatMap((name) => modes[name]?.(store, index) ?? [])])
  const rbac = names.includes('RBAC')
  return { authorizer, index, rbac, hooks: rbac ? escalationHooks(index, authorizer) : [] }
}
