import type { NodeAffinity, TopologySpreadConstraint } from '@berth/api/types/core/v1'
import { core, resource, storage, type ResourceInfo } from '@berth/api'
import { parseDuration, type Clock, type KubeClient } from '@berth/kube'
import type { FeatureGates } from '../config/feature-gates.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { WaitingPods } from '../framework/waiting-pods.ts'
import type { KubernetesObject } from '../framework/resource-key.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { defaultBinder } from './default-binder.ts'
import { defaultPreemption, type DefaultPreemptionArgs } from './default-preemption.ts'
import { dynamicResources, type DynamicResourcesArgs } from './dynamic-resources.ts'
import { gangScheduling } from './gang-scheduling.ts'
import { podGroups } from './gang-scheduling/pod-groups.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { layerLocality } from './layer-locality.ts'
import { networkBandwidth, type NetworkBandwidthArgs } from './network-bandwidth.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeDeclaredFeatures } from './node-declared-features.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { nodeResourcesFit, type NodeResourcesFitArgs, type ResourceWeight } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { prioritySort } from './priority-sort.ts'
import { rackPack, type RackPackArgs } from './rack-pack.ts'
import { rackSpread } from './rack-spread.ts'
import { defaultPollInterval, nodeMetrics, realLoad, type RealLoadArgs } from './real-load.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { swarmBinpack } from './swarm-binpack.ts'
import { swarmRandom, type SwarmRandomArgs } from './swarm-random.ts'
import { swarmSpread } from './swarm-spread.ts'
import { taintToleration } from './taint-toleration.ts'
import { volumeBinding, type VolumeBindingArgs } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

/** The args of the plugins that take any, by plugin name (KubeSchedulerConfiguration, pluginConfig). */
export interface PluginArgs {
  readonly DefaultPreemption?: DefaultPreemptionArgs
  readonly DynamicResources?: DynamicResourcesArgs
  readonly NodeAffinity?: { readonly addedAffinity?: NodeAffinity }
  readonly NodeResourcesFit?: NodeResourcesFitArgs
  readonly NodeResourcesBalancedAllocation?: { readonly resources?: readonly ResourceWeight[] }
  readonly InterPodAffinity?: { readonly hardPodAffinityWeight?: number; readonly ignorePreferredTermsOfExistingPods?: boolean }
  readonly PodTopologySpread?: { readonly defaultConstraints?: readonly TopologySpreadConstraint[]; readonly defaultingType?: 'System' | 'List' }
  readonly NetworkBandwidth?: NetworkBandwidthArgs
  readonly RackPack?: RackPackArgs
  readonly RealLoad?: RealLoadArgs
  readonly SwarmRandom?: SwarmRandomArgs
  readonly VolumeBinding?: VolumeBindingArgs
}

/** What plugins are made of. */
export interface PluginContext {
  readonly args: PluginArgs
  /** Absent where nothing is bound: tests, explanations. */
  readonly client?: KubeClient
  readonly clock: Clock
  readonly gates: FeatureGates
  /** Binds a pod to a node; absent where nothing is bound. */
  readonly bind?: (pod: PodInfo, node: string) => Promise<void>
  /** The pods that wait for leave to be bound, and those in the queue; absent where nothing is scheduled. */
  readonly pods?: WaitingPods
  /** The cluster as it is now: for preBind and for books kept between cycles. In a cycle a plugin reads the snapshot that it is given. */
  snapshot(): Snapshot
}

export interface PluginEntry {
  /** Its scores' weight in the default profile. */
  readonly weight: number
  make(context: PluginContext): Plugin
  /** Kinds that the plugin reads by `snapshot.objects`; they are watched while some profile has the plugin and the API serves them. */
  readonly watches?: readonly ResourceInfo[]
  /** A kind that the plugin reads by `snapshot.objects` and that cannot be watched: it is listed again and again. */
  readonly polls?: (args: PluginArgs) => { readonly resource: ResourceInfo<KubernetesObject>; readonly everyMs: number }
  /** The plugin is in the default profile only while this says so; always, where absent. Named in a configuration, it is there all the same. */
  readonly byDefault?: (gates: FeatureGates) => boolean
}

const tolerationOptions = (gates: FeatureGates) => ({ comparisons: gates.enabled('TaintTolerationComparisonOperators') })

/** Not in the default profile: what Kubernetes does not have. */
const never = (): boolean => false

/** Every plugin, in the order in which filters run (upstream: default_plugins.go). A new plugin is one file and one line here. */
export const plugins: Readonly<Record<string, PluginEntry>> = {
  SchedulingGates: { weight: 0, make: schedulingGates },
  PrioritySort: { weight: 0, make: prioritySort },
  NodeUnschedulable: { weight: 0, make: ({ gates }) => nodeUnschedulable(tolerationOptions(gates)) },
  NodeName: { weight: 0, make: nodeName },
  TaintToleration: { weight: 3, make: ({ gates }) => taintToleration(tolerationOptions(gates)) },
  NodeAffinity: { weight: 2, make: ({ args }) => nodeAffinity(args.NodeAffinity?.addedAffinity) },
  NodePorts: { weight: 0, make: nodePorts },
  NodeResourcesFit: { weight: 1, make: ({ args }) => nodeResourcesFit(args.NodeResourcesFit) },
  VolumeRestrictions: { weight: 0, make: volumeRestrictions, watches: [core.persistentvolumeclaims] },
  NodeVolumeLimits: { weight: 0, make: nodeVolumeLimits, watches: [storage.csinodes, storage.csidrivers, core.persistentvolumes, core.persistentvolumeclaims, storage.storageclasses, storage.volumeattachments] },
  VolumeBinding: { weight: 1, make: volumeBinding, watches: [core.persistentvolumeclaims, core.persistentvolumes, storage.storageclasses, storage.csinodes, storage.csidrivers, storage.csistoragecapacities] },
  VolumeZone: { weight: 0, make: volumeZone, watches: [core.persistentvolumeclaims, core.persistentvolumes, storage.storageclasses] },
  PodTopologySpread: { weight: 2, make: ({ args }) => podTopologySpread(args.PodTopologySpread?.defaultingType === 'List' ? args.PodTopologySpread.defaultConstraints ?? [] : undefined) },
  InterPodAffinity: { weight: 2, make: ({ args }) => interPodAffinity(args.InterPodAffinity) },
  DynamicResources: { weight: 2, byDefault: (gates) => gates.enabled('DynamicResourceAllocation'), make: dynamicResources, watches: [resource.resourceclaims, resource.resourceslices, resource.deviceclasses] },
  DefaultPreemption: { weight: 0, make: ({ args }) => defaultPreemption(args.DefaultPreemption) },
  NodeResourcesBalancedAllocation: { weight: 1, make: ({ args }) => nodeResourcesBalancedAllocation(args.NodeResourcesBalancedAllocation?.resources) },
  ImageLocality: { weight: 1, make: imageLocality },
  GangScheduling: { weight: 0, byDefault: (gates) => gates.enabled('GangScheduling'), make: gangScheduling, watches: [podGroups] },
  DefaultBinder: { weight: 0, make: ({ bind }) => defaultBinder(bind) },
  NodeDeclaredFeatures: { weight: 0, byDefault: (gates) => gates.enabled('NodeDeclaredFeatures'), make: nodeDeclaredFeatures },
  SwarmSpread: { weight: 1, byDefault: never, make: swarmSpread },
  SwarmBinpack: { weight: 1, byDefault: never, make: swarmBinpack },
  SwarmRandom: { weight: 1, byDefault: never, make: ({ args }) => swarmRandom(args.SwarmRandom) },
  RackSpread: { weight: 1, byDefault: never, make: rackSpread },
  RackPack: { weight: 1, byDefault: never, make: ({ args }) => rackPack(args.RackPack) },
  NetworkBandwidth: { weight: 1, byDefault: never, make: ({ args }) => networkBandwidth(args.NetworkBandwidth) },
  RealLoad: { weight: 1, byDefault: never, polls: ({ RealLoad }) => ({ resource: nodeMetrics, everyMs: parseDuration(RealLoad?.pollInterval ?? defaultPollInterval) }), make: ({ args, clock }) => realLoad(args.RealLoad, clock) },
  LayerLocality: { weight: 1, byDefault: never, make: layerLocality },
}
