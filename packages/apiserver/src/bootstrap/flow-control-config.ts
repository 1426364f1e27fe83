// The flow schemas and priority levels that every cluster has: upstream's mandatory and suggested ones.
import type { FlowDistinguisherMethodType, FlowSchema, PolicyRulesWithSubjects, PriorityLevelConfiguration, PriorityLevelConfigurationSpec, Subject } from '@berth/api/types/flowcontrol/v1'

/** Whose spec the server keeps as it should be, while this says `true`. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
const metadata = (name: string): FlowSchema['metadata'] => ({ name, annotations: { [autoUpdateAnnotation]: 'true' } })

function limited(name: string, nominalConcurrencyShares: number, lendablePercent: number, queues: number, handSize: number): PriorityLevelConfiguration {
  const limitResponse = queues === 0 ? { type: 'Reject' } : { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }
  const spec: PriorityLevelConfigurationSpec = { type: 'Limited', limited: { nominalConcurrencyShares, lendablePercent, limitResponse } }
  return { apiVersion, kind: 'PriorityLevelConfiguration', metadata: metadata(name), spec }
}

export const priorityLevels: readonly PriorityLevelConfiguration[] = [
  { apiVersion, kind: 'PriorityLevelConfiguration', metadata: metadata('exempt'), spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  limited('catch-all', 5, 0, 0, 0),
  limited('system', 30, 33, 64, 6),
  limited('node-high', 40, 25, 64, 6),
  limited('leader-election', 10, 0, 16, 4),
  limited('workload-high', 40, 50, 128, 6),
  limited('workload-low', 100, 90, 128, 6),
  limited('global-default', 20, 50, 128, 6),
]

const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const systemAccounts: Subject = { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } }
const everybody = groups('system:unauthenticated', 'system:authenticated')

/** All that these may ask for. */
function all(subjects: Subject[]): PolicyRulesWithSubjects {
  return {
    subjects, resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }
}

function schema(name: string, level: string, matchingPrecedence: number, distinguisher: FlowDistinguisherMethodType | undefined, rule: PolicyRulesWithSubjects): FlowSchema {
  return {
    apiVersion, kind: 'FlowSchema', metadata: metadata(name),
    spec: { priorityLevelConfiguration: { name: level }, matchingPrecedence, ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }), rules: [rule] },
  }
}

export const flowSchemas: readonly FlowSchema[] = [
  schema('exempt', 'exempt', 1, undefined, all(groups('system:masters'))),
  schema('probes', 'exempt', 2, undefined, { subjects: everybody, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), systemAccounts],
    resourceRules: [{ verbs: ['get', 'create', 'update'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] }],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: groups('system:nodes'),
    resourceRules: [
      { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], namespaces: ['*'], clusterScope: true },
      { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', all(groups('system:nodes'))),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', all(users('system:kube-controller-manager'))),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', all(users('system:kube-scheduler'))),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', all([systemAccounts])),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', all(groups('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', all(everybody)),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', all(everybody)),
]
