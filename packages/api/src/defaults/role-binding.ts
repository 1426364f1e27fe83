import type { ClusterRoleBinding, RoleBinding } from '../types/rbac/v1.ts'

const group = 'rbac.authorization.k8s.io'

/** Roles, users and groups are of the RBAC group; service accounts are of the core group, which is the empty one. */
export function defaultRoleBinding({ roleRef, subjects }: RoleBinding | ClusterRoleBinding): void {
  if (roleRef) roleRef.apiGroup ||= group
  for (const subject of subjects ?? []) if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= group
}
