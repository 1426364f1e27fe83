import { isDeepStrictEqual } from 'node:util'
import { rbac, type ResourceInfo } from '@berth/api'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '@berth/api/types/rbac/v1'
import { compactRules, uncoveredRules } from '../authorization/rbac/rules.ts'
import type { BootstrapHook, ResourceStore } from '../interfaces.ts'
import { bootstrapClusterRoleBindings, bootstrapClusterRoles, bootstrapRoleBindings, bootstrapRoles } from './rbac-policy.ts'

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'

/** Creates RBAC's default roles and bindings, and gives those that are there what they lack (unless their autoupdate annotation says "false"). */
export function rbacHook(store: ResourceStore): BootstrapHook {
  return {
    name: 'rbac/bootstrap-roles',
    async run() {
      await reconcileAll(store, rbac.clusterroles, bootstrapClusterRoles(), reconciledRole)
      await reconcileAll(store, rbac.clusterrolebindings, bootstrapClusterRoleBindings(), reconciledBinding)
      await reconcileAll(store, rbac.roles, bootstrapRoles(), reconciledRole)
      await reconcileAll(store, rbac.rolebindings, bootstrapRoleBindings(), reconciledBinding)
    },
  }
}

async function reconcileAll<T extends { metadata: ObjectMeta }>(store: ResourceStore, resource: ResourceInfo<T>, wanted: T[], merge: (live: T, wanted: T) => T | 'recreate'): Promise<void> {
  await Promise.all(wanted.map(async (object) => {
    const live = store.get(resource, object.metadata.name, object.metadata.namespace)
    if (!live) {
      await store.create(resource, object)
      return
    }
    if (live.metadata.annotations?.[autoupdate] === 'false') return
    const merged = merge(live, object)
    if (merged === 'recreate') {
      await store.delete(resource, object.metadata.name, { ...(object.metadata.namespace && { namespace: object.metadata.namespace }), ...(live.metadata.uid && { uid: live.metadata.uid }) })
      await store.create(resource, object)
    } else if (!isDeepStrictEqual(merged, live)) {
      await store.update(resource, merged)
    }
  }))
}

function reconciledMetadata(live: ObjectMeta, wanted: ObjectMeta): ObjectMeta {
  return { ...live, labels: { ...live.labels, ...wanted.labels }, annotations: { ...live.annotations, ...wanted.annotations } }
}

/** The live role with the rules and labels that it lacks; what somebody added stays. */
export function reconciledRole<T extends Role | ClusterRole>(live: T, wanted: T): T {
  const metadata = reconciledMetadata(live.metadata, wanted.metadata)
  const aggregation = 'aggregationRule' in wanted ? wanted.aggregationRule : undefined
  if (aggregation) return { ...live, metadata, aggregationRule: aggregation }
  const missing = uncoveredRules(live.rules ?? [], wanted.rules ?? [])
  return missing.length === 0 ? { ...live, metadata } : { ...live, metadata, rules: [...(live.rules ?? []), ...compactRules(missing)] }
}

/** The live binding with the subjects and labels that it lacks, or word that it names another role and must be made anew. */
export function reconciledBinding<T extends RoleBinding | ClusterRoleBinding>(live: T, wanted: T): T | 'recreate' {
  if (live.roleRef.kind !== wanted.roleRef.kind || live.roleRef.name !== wanted.roleRef.name) return 'recreate'
  const metadata = reconciledMetadata(live.metadata, wanted.metadata)
  const missing = (wanted.subjects ?? []).filter((s) => !(live.subjects ?? []).some((l) => sameSubject(l, s)))
  return missing.length === 0 ? { ...live, metadata } : { ...live, metadata, subjects: [...(live.subjects ?? []), ...missing] }
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '')
}
