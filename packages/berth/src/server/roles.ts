import { apiVersionOf, rbac } from '@berth/api'
import type { PolicyRule } from '@berth/api/types/rbac/v1'
import type { KubeClient } from '@berth/kube'

const read = ['get', 'list', 'watch']

/** Exactly what Berth's own parts do on a node, one role a part. (Kubelet and service proxy have upstream's bootstrap roles.) */
const roles: Readonly<Record<string, PolicyRule[]>> = {
  'berth:overlay': [
    { apiGroups: [''], resources: ['nodes'], verbs: read },
  ],
  'berth:dns': [
    { apiGroups: [''], resources: ['services'], verbs: [...read, 'create', 'update'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: [...read, 'create', 'update', 'delete'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
  ],
  'berth:local-path': [
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: read },
    { apiGroups: [''], resources: ['persistentvolumes'], verbs: [...read, 'create', 'patch', 'delete'] },
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ],
}

/** Sees to it that the roles and their bindings are there. */
export async function ensureRoles(client: KubeClient): Promise<void> {
  const apiVersion = apiVersionOf(rbac.clusterroles)
  for (const [name, rules] of Object.entries(roles)) {
    const apply = { fieldManager: 'berth', force: true }
    await client.patch(rbac.clusterroles, name, { type: 'apply', body: { apiVersion, kind: 'ClusterRole', metadata: { name }, rules } }, apply)
    await client.patch(rbac.clusterrolebindings, name, { type: 'apply', body: {
      apiVersion, kind: 'ClusterRoleBinding', metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name }],
    } }, apply)
  }
}
