import { rbac } from '@berth/api'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from '@berth/api/types/rbac/v1'
import type { ResourceStore, UserInfo } from '../../interfaces.ts'
import { StatusError } from '../../errors.ts'

/** A binding that speaks of a user, with the subject that does. */
export interface BindingMatch {
  readonly binding: RoleBinding | ClusterRoleBinding
  readonly subject: Subject
}

/**
 * RBAC's objects arranged for questions about one user: bindings by subject, roles by name. A question touches the bindings that name the user or
 * one of the user's groups, and nothing else. It follows the registry's changes as they are committed.
 */
export class RbacIndex {
  readonly #roles = new Map<string, readonly PolicyRule[]>()
  readonly #clusterRoles = new Map<string, readonly PolicyRule[]>()
  /** namespace ('' for cluster role bindings) → subject key → binding name → match. */
  readonly #bindings = new Map<string, Map<string, Map<string, BindingMatch>>>()

  setRole(namespace: string, name: string, rules: readonly PolicyRule[] | undefined): void {
    const [map, key] = namespace === '' ? [this.#clusterRoles, name] : [this.#roles, `${namespace}/${name}`]
    if (rules === undefined) map.delete(key)
    else map.set(key, rules)
  }

  addBinding(binding: RoleBinding | ClusterRoleBinding): void {
    const namespace = binding.metadata.namespace ?? ''
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace)
      if (key === undefined) continue
      const bySubject = getOrAdd(this.#bindings, namespace, () => new Map<string, Map<string, BindingMatch>>())
      const byName = getOrAdd(bySubject, key, () => new Map<string, BindingMatch>())
      if (!byName.has(binding.metadata.name)) byName.set(binding.metadata.name, { binding, subject })
    }
  }

  removeBinding(binding: RoleBinding | ClusterRoleBinding): void {
    const namespace = binding.metadata.namespace ?? ''
    const bySubject = this.#bindings.get(namespace)
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace)
      const byName = key === undefined ? undefined : bySubject?.get(key)
      if (key === undefined || !byName) continue
      byName.delete(binding.metadata.name)
      if (byName.size === 0) bySubject?.delete(key)
    }
    if (bySubject?.size === 0) this.#bindings.delete(namespace)
  }

  /** The bindings that give a user rights: cluster-wide ones first, then those of the namespace ('' for none). */
  * bindingsFor(user: UserInfo, namespace: string): Generator<BindingMatch> {
    const keys = [`u:${user.name}`, ...user.groups.map((g) => `g:${g}`)]
    const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user.name)
    if (account) keys.push(`s:${account[1]}/${account[2]}`)
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      const bySubject = this.#bindings.get(scope)
      if (!bySubject) continue
      for (const key of keys) {
        const byName = bySubject.get(key)
        if (byName) yield* byName.values()
      }
    }
  }

  /** The rules of the role that a binding in `namespace` refers to. Throws NotFound, worded as upstream's listers do. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] {
    const cluster = ref.kind === 'ClusterRole'
    const rules = cluster ? this.#clusterRoles.get(ref.name) : this.#roles.get(`${namespace}/${ref.name}`)
    if (rules) return rules
    const kind = cluster ? 'clusterrole' : 'role'
    throw new StatusError(404, 'NotFound', `${kind}.rbac.authorization.k8s.io "${ref.name}" not found`, { group: 'rbac.authorization.k8s.io', kind, name: ref.name })
  }

  /** Every rule that holds for a user in a namespace, and what could not be resolved. */
  rulesFor(user: UserInfo, namespace: string): { rules: PolicyRule[], errors: Error[] } {
    const rules: PolicyRule[] = []
    const errors: Error[] = []
    for (const { binding } of this.bindingsFor(user, namespace)) {
      try {
        rules.push(...this.rulesOf(binding.roleRef, binding.metadata.namespace ?? ''))
      } catch (error) {
        errors.push(error instanceof Error ? error : new Error(String(error)))
      }
    }
    return { rules, errors }
  }
}

/** Fills an index from the registry and keeps it in step. */
export function watchRbac(store: ResourceStore): RbacIndex {
  const index = new RbacIndex()
  const role = (type: string, object: Role | ClusterRole): void => {
    index.setRole(object.metadata.namespace ?? '', object.metadata.name, type === 'DELETED' ? undefined : object.rules ?? [])
  }
  const binding = (type: string, object: RoleBinding | ClusterRoleBinding, old: RoleBinding | ClusterRoleBinding | undefined): void => {
    if (old) index.removeBinding(old)
    if (type === 'DELETED') index.removeBinding(object)
    else index.addBinding(object)
  }
  store.onChange(rbac.clusterroles, role)
  store.onChange(rbac.roles, role)
  store.onChange(rbac.clusterrolebindings, binding)
  store.onChange(rbac.rolebindings, binding)
  return index
}

function subjectKey(subject: Subject, bindingNamespace: string): string | undefined {
  if (subject.kind === 'User') return `u:${subject.name}`
  if (subject.kind === 'Group') return `g:${subject.name}`
  if (subject.kind === 'ServiceAccount') return `s:${subject.namespace || bindingNamespace}/${subject.name}`
  return undefined
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const value = make()
  map.set(key, value)
  return value
}
