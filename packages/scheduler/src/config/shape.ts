import type { Shape } from '@berth/kube'
import { extensionPoints } from './types.ts'

const string: Shape = { type: 'string' }
const boolean: Shape = { type: 'boolean' }
const integer: Shape = { type: 'integer' }
const raw: Shape = { type: 'raw' }
const list = (items: Shape): Shape => ({ type: 'list', items })
const object = (fields: Record<string, Shape>, required: readonly string[] = []): Shape => ({ type: 'object', fields, required })

const pluginSet = object({ enabled: list(object({ name: string, weight: integer }, ['name'])), disabled: list(object({ name: string, weight: integer }, ['name'])) })

const extender = object({
  urlPrefix: string, filterVerb: string, preemptVerb: string, prioritizeVerb: string, weight: integer, bindVerb: string, enableHTTPS: boolean,
  tlsConfig: object({ insecure: boolean, serverName: string, certFile: string, keyFile: string, caFile: string, certData: string, keyData: string, caData: string }),
  httpTimeout: { type: 'duration' }, nodeCacheCapable: boolean, managedResources: list(object({ name: string, ignoredByScheduler: boolean }, ['name'])), ignorable: boolean,
}, ['urlPrefix'])

/** The fields of KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1). */
export const configurationShape: Shape = object({
  parallelism: integer,
  leaderElection: object({ leaderElect: boolean, leaseDuration: { type: 'duration' }, renewDeadline: { type: 'duration' }, retryPeriod: { type: 'duration' }, resourceLock: string, resourceName: string, resourceNamespace: string }),
  clientConnection: object({ kubeconfig: string, acceptContentTypes: string, contentType: string, qps: { type: 'number' }, burst: integer }),
  enableProfiling: boolean,
  enableContentionProfiling: boolean,
  percentageOfNodesToScore: integer,
  podInitialBackoffSeconds: integer,
  podMaxBackoffSeconds: integer,
  profiles: list(object({
    schedulerName: string,
    percentageOfNodesToScore: integer,
    plugins: object(Object.fromEntries([...extensionPoints, 'multiPoint'].map((point) => [point, pluginSet]))),
    pluginConfig: list(object({ name: string, args: raw }, ['name'])),
  })),
  extenders: list(extender),
  delayCacheUntilActive: boolean,
})

const typeMeta = { apiVersion: string, kind: string }
const weights = list(object({ name: string, weight: integer }, ['name']))
const points = list(object({ utilization: integer, score: integer }))
const requirement = object({ key: string, operator: string, values: list(string) }, ['key', 'operator'])
const term = object({ matchExpressions: list(requirement), matchFields: list(requirement) })
const nodeAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: object({ nodeSelectorTerms: list(term) }, ['nodeSelectorTerms']),
  preferredDuringSchedulingIgnoredDuringExecution: list(object({ weight: integer, preference: term }, ['weight', 'preference'])),
})
const spreadConstraint = object({ maxSkew: integer, topologyKey: string, whenUnsatisfiable: string, labelSelector: raw, minDomains: integer, nodeAffinityPolicy: string, nodeTaintsPolicy: string, matchLabelKeys: list(string) })

/** The args of the plugins that take any. */
export const pluginArgsShapes: Readonly<Record<string, Shape>> = {
  DefaultPreemption: object({ ...typeMeta, minCandidateNodesPercentage: integer, minCandidateNodesAbsolute: integer }),
  NodeAffinity: object({ ...typeMeta, addedAffinity: nodeAffinity }),
  NodeResourcesFit: object({
    ...typeMeta,
    ignoredResources: list(string),
    ignoredResourceGroups: list(string),
    scoringStrategy: object({
      type: string,
      resources: weights,
      requestedToCapacityRatio: object({ shape: points }),
    }),
  }),
  NodeResourcesBalancedAllocation: object({ ...typeMeta, resources: weights }),
  InterPodAffinity: object({ ...typeMeta, hardPodAffinityWeight: integer, ignorePreferredTermsOfExistingPods: boolean }),
  PodTopologySpread: object({ ...typeMeta, defaultConstraints: list(spreadConstraint), defaultingType: string }),
  VolumeBinding: object({ ...typeMeta, bindTimeoutSeconds: integer, shape: points }),
  DynamicResources: object({ ...typeMeta, filterTimeout: { type: 'duration' }, bindingTimeout: { type: 'duration' } }),
  NetworkBandwidth: object({ ...typeMeta, unknownCapacity: { type: 'string', enum: ['Reject', 'Allow'] } }),
  RackPack: object({ ...typeMeta, mode: { type: 'string', enum: ['Preferred', 'Required'] } }),
  RealLoad: object({ ...typeMeta, pollInterval: { type: 'duration' }, maxAge: { type: 'duration' }, resources: list(object({ name: { type: 'string', enum: ['cpu', 'memory'] }, weight: { type: 'integer', minimum: 1, maximum: 100 } }, ['name', 'weight'])) }),
  SwarmRandom: object({ ...typeMeta, seed: { type: 'integer', minimum: 0, maximum: 4_294_967_295 } }),
}
