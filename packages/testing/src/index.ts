export {
  admissionregistration, apiextensions, apiregistration, apps, authentication, authorization, autoscaling, autoscalingV2, batch, certificates, coordination, core, discovery, events, flowcontrol, networking,
  node, policy, rbac, resource, scheduling, storage,
} from '@berth/api/resources'
export { defineResource, type ResourceInfo } from '@berth/api/resource'
export type { KubeClient, KubeList, WatchEvent } from '@berth/kube/client'
export { ApiError, isAlreadyExists, isConflict, isForbidden, isNotFound } from '@berth/kube/errors'
export { startCluster } from './cluster.ts'
export type { Cluster, ClusterUser } from './interface.ts'
export { hollowAnnotations } from './nodes/hollow/instructions.ts'
export type { Manifest, NamedObject } from './objects/manifests.ts'
export type { ClusterOptions, HollowNodeOptions, NodeOptions, RealNodeOptions } from './options.ts'
export type { AnyObject } from './wait/last-state.ts'
export { WaitTimeoutError, type Target, type Until, type WaitOptions } from './wait/wanted.ts'
