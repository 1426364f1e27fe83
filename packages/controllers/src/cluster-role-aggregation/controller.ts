import { rbac } from '@berth/api'
import type { ClusterRole, PolicyRule } from '@berth/api/types/rbac/v1'
import { labelSelectorMatcher } from '@berth/kube'
import { canonicalJson } from '../common/hash.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'

/** The rules of an aggregated role: those of every role that one of its selectors matches, by name, each once. */
export function aggregatedRules(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map((selector) => labelSelectorMatcher(selector))
  const rules = new Map<string, PolicyRule>()
  for (const matches of selectors) {
    const selected = roles.filter((other) => other.metadata.name !== role.metadata.name && matches(other.metadata.labels)).toSorted((a, b) => a.metadata.name < b.metadata.name ? -1 : 1)
    for (const rule of selected.flatMap((other) => other.rules ?? [])) {
      const key = canonicalJson(rule)
      if (!rules.has(key)) rules.set(key, rule)
    }
  }
  return [...rules.values()]
}

/** Keeps the rules of ClusterRoles with an aggregationRule. */
export const clusterRoleAggregationController: Controller = {
  name: 'clusterrole-aggregation-controller',
  async run(context) {
    const roles = context.informers.for(rbac.clusterroles)
    const frame = keyedController({
      name: 'ClusterRoleAggregator', workers: 1, context, informers: [roles],
      async sync(key) {
        const role = roles.store.get(key)
        if (role?.aggregationRule === undefined || role.metadata.deletionTimestamp !== undefined) return
        const rules = aggregatedRules(role, roles.store.list())
        if (canonicalJson(rules) === canonicalJson(role.rules ?? [])) return
        await context.client.patch(rbac.clusterroles, key, { type: 'apply', body: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: key }, rules } }, { fieldManager: 'clusterrole-aggregation-controller', force: true })
      },
    })
    // Any role may be part of any aggregate.
    const enqueue = (): void => {
      for (const role of roles.store.list()) if (role.aggregationRule !== undefined) frame.queue.add(role.metadata.name)
    }
    const off = roles.on({ added: enqueue, updated: enqueue, deleted: enqueue })
    await frame.run()
    off()
  },
}
