import type { ClusterRoleBinding, RoleBinding, Subject } from '../types/rbac/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const names = (subjects: readonly Subject[] | undefined, kind: string): string =>
  (subjects ?? []).filter((subject) => subject.kind === kind).map(({ name, namespace = '' }) => (kind === 'ServiceAccount' ? `${namespace}/${name}` : name)).join(', ')

// Fields whose type is a struct have no documentation of their own in what descriptions are read from.
const reach = {
  RoleBinding: 'reference a Role in the current namespace or a ClusterRole in the global namespace',
  ClusterRoleBinding: 'only reference a ClusterRole in the global namespace',
}

function tableOf(type: 'RoleBinding' | 'ClusterRoleBinding'): KindTable<RoleBinding & ClusterRoleBinding> {
  const word = type.charAt(0).toLowerCase() + type.slice(1)
  return {
    columns: [
      nameColumn,
      { name: 'Role', description: `RoleRef can ${reach[type]}. If the RoleRef cannot be resolved, the Authorizer must return an error.` },
      ageColumn,
      ...['Users', 'Groups', 'ServiceAccounts'].map((name) => ({ name, wide: true, description: `${name} in the ${word}` })),
    ],
    cells: (binding, now) => [
      binding.metadata.name, `${binding.roleRef.kind}/${binding.roleRef.name}`, ageOf(binding, now), ...['User', 'Group', 'ServiceAccount'].map((kind) => names(binding.subjects, kind)),
    ],
  }
}

export const roleBindingTable = tableOf('RoleBinding')
export const clusterRoleBindingTable = tableOf('ClusterRoleBinding')
