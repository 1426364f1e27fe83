import type { Shape } from '@berth/kube'

const string: Shape = { type: 'string' }
const boolean: Shape = { type: 'boolean' }
const integer: Shape = { type: 'integer' }
const raw: Shape = { type: 'raw' }
const list = (items: Shape): Shape => ({ type: 'list', items })
const object = (fields: Record<string, Shape>, required: readonly string[] = []): Shape => ({ type: 'object', fields, required })

const pluginSet = object({ enabled: list(object({ name: string, weight: { type: 'integer', minimum: 0 } }, ['name'])), disabled: list(object({ name: string }, ['name'])) })

const extensionPoints = ['preEnqueue', 'queueSort', 'preFilter', 'filter', 'postFilter', 'preScore', 'score', 'reserve', 'permit', 'preBind', 'bind', 'postBind', 'multiPoint']

/** The fields of KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1). */
export const configurationShape: Shape = object({
  parallelism: { type: 'integer', minimum: 1 },
  leaderElection: object({ leaderElect: boolean, leaseDuration: { type: 'duration' }, renewDeadline: { type: 'duration' }, retryPeriod: { type: 'duration' }, resourceLock: { type: 'string', enum: ['leases'] }, resourceName: string, resourceNamespace: string }),
  clientConnection: object({ kubeconfig: string, acceptContentTypes: string, contentType: string, qps: { type: 'number' }, burst: integer }),
  enableProfiling: boolean,
  enableContentionProfiling: boolean,
  percentageOfNodesToScore: { type: 'integer', minimum: 0, maximum: 100 },
  podInitialBackoffSeconds: integer,
  podMaxBackoffSeconds: integer,
  profiles: list(object({
    schedulerName: string,
    percentageOfNodesToScore: { type: 'integer', minimum: 0, maximum: 100 },
    plugins: object(Object.fromEntries(extensionPoints.map((point) => [point, pluginSet]))),
    pluginConfig: list(object({ name: string, args: raw }, ['name'])),
  })),
  extenders: list(raw),
  delayCacheUntilActive: boolean,
})

const typeMeta = { apiVersion: string, kind: string }
const weights = list(object({ name: string, weight: { type: 'integer', minimum: 1, maximum: 100 } }, ['name']))

/** The args of the plugins that take any. */
export const pluginArgsShapes: Readonly<Record<string, Shape>> = {
  DefaultPreemption: object({ ...typeMeta, minCandidateNodesPercentage: { type: 'integer', minimum: 0, maximum: 100 }, minCandidateNodesAbsolute: { type: 'integer', minimum: 0 } }),
  NodeAffinity: object({ ...typeMeta, addedAffinity: raw }),
  NodeResourcesFit: object({
    ...typeMeta,
    ignoredResources: list(string),
    ignoredResourceGroups: list(string),
    scoringStrategy: object({
      type: { type: 'string', enum: ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] },
      resources: weights,
      requestedToCapacityRatio: object({ shape: list(object({ utilization: { type: 'integer', minimum: 0, maximum: 100 }, score: { type: 'integer', minimum: 0, maximum: 10 } }, ['utilization', 'score'])) }, ['shape']),
    }),
  }),
  NodeResourcesBalancedAllocation: object({ ...typeMeta, resources: weights }),
  InterPodAffinity: object({ ...typeMeta, hardPodAffinityWeight: { type: 'integer', minimum: 0, maximum: 100 }, ignorePreferredTermsOfExistingPods: boolean }),
  PodTopologySpread: object({ ...typeMeta, defaultConstraints: list(raw), defaultingType: { type: 'string', enum: ['System', 'List'] } }),
}
