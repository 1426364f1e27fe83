import type { PolicyRule, Subject } from '@berth/api/types/rbac/v1'

/** A role in a namespace, with those it is bound to. */
export interface NamespacedRole {
  readonly namespace: string
  readonly name: string
  readonly bindingName?: string
  readonly rules: PolicyRule[]
  readonly subjects?: Subject[]
}

const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })
const user = (name: string): Subject => ({ kind: 'User', name })
const events: PolicyRule = { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] }

function leaderLocking(component: string): NamespacedRole {
  const name = `system::leader-locking-${component}`
  return {
    namespace: 'kube-system', name,
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['watch'] },
      { apiGroups: [''], resources: ['configmaps'], resourceNames: [component], verbs: ['get', 'update'] },
    ],
    subjects: [user(`system:${component}`), account(component)],
  }
}

/** The roles of kube-system and kube-public that a server has from the start. */
export const namespacedPolicy: readonly NamespacedRole[] = [
  {
    namespace: 'kube-system', name: 'extension-apiserver-authentication-reader', bindingName: 'system::extension-apiserver-authentication-reader',
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['extension-apiserver-authentication'], verbs: ['get', 'list', 'watch'] }],
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler')],
  },
  {
    namespace: 'kube-system', name: 'system:controller:bootstrap-signer',
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
    subjects: [account('bootstrap-signer')],
  },
  {
    namespace: 'kube-system', name: 'system:controller:cloud-provider',
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'get', 'list', 'watch'] }],
    subjects: [account('cloud-provider')],
  },
  {
    namespace: 'kube-system', name: 'system:controller:token-cleaner',
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['delete', 'get', 'list', 'watch'] }, events],
    subjects: [account('token-cleaner')],
  },
  leaderLocking('kube-controller-manager'),
  leaderLocking('kube-scheduler'),
  {
    namespace: 'kube-public', name: 'system:controller:bootstrap-signer',
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['cluster-info'], verbs: ['update'] },
      events,
    ],
    subjects: [account('bootstrap-signer')],
  },
]
