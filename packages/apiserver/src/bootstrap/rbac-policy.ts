import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '@berth/api/types/rbac/v1'
import policy from './rbac-policy.json' with { type: 'json' }
import { namespacedPolicy } from './rbac-namespaced.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'
const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' }

interface RoleRow { name: string, labels?: Record<string, string>, aggregationRule?: ClusterRole['aggregationRule'], rules?: PolicyRule[] }
interface BindingRow { name: string, role: string, subjects?: Subject[] }

/** The cluster roles that a server has from the start. */
export function bootstrapClusterRoles(): ClusterRole[] {
  return (policy.clusterRoles as RoleRow[]).map((row) => ({
    apiVersion, kind: 'ClusterRole',
    metadata: { name: row.name, labels: { ...labels, ...row.labels }, annotations },
    ...(row.aggregationRule ? { aggregationRule: row.aggregationRule } : { rules: row.rules ?? [] }),
  }))
}

/** The cluster role bindings that a server has from the start. */
export function bootstrapClusterRoleBindings(): ClusterRoleBinding[] {
  return (policy.clusterRoleBindings as BindingRow[]).map((row) => ({
    apiVersion, kind: 'ClusterRoleBinding',
    metadata: { name: row.name, labels, annotations },
    roleRef: { apiGroup, kind: 'ClusterRole', name: row.role },
    ...(row.subjects && { subjects: row.subjects.map(withGroup) }),
  }))
}

/** The roles in kube-system and kube-public. */
export function bootstrapRoles(): Role[] {
  return namespacedPolicy.map((row) => ({ apiVersion, kind: 'Role', metadata: { name: row.name, namespace: row.namespace, labels, annotations }, rules: row.rules }))
}

/** The bindings of those roles. */
export function bootstrapRoleBindings(): RoleBinding[] {
  return namespacedPolicy.flatMap((row) => (row.subjects ?? []).length === 0 ? [] : [{
    apiVersion, kind: 'RoleBinding',
    metadata: { name: row.bindingName ?? row.name, namespace: row.namespace, labels, annotations },
    roleRef: { apiGroup, kind: 'Role', name: row.name },
    subjects: (row.subjects ?? []).map(withGroup),
  }])
}

/** What the node authorizer allows every node: the rules of `system:node`. */
export function nodeRules(): PolicyRule[] {
  return (policy.clusterRoles as RoleRow[]).find((row) => row.name === 'system:node')?.rules ?? []
}

function withGroup(subject: Subject): Subject {
  return subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup }
}
