import type { NodeAffinity, TopologySpreadConstraint } from '@berth/api/types/core/v1'
import type { ResourceInfo } from '@berth/api'
import type { Clock, KubeClient } from '@berth/kube'
import type { FeatureGates } from '../config/feature-gates.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { defaultBinder } from './default-binder.ts'
import { defaultPreemption, type DefaultPreemptionArgs } from './default-preemption.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { nodeResourcesFit, type NodeResourcesFitArgs, type ResourceWeight } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { prioritySort } from './priority-sort.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'
import { unserved } from './unserved.ts'

/** The args of the plugins that take any, by plugin name (KubeSchedulerConfiguration, pluginConfig). */
export interface PluginArgs {
  readonly DefaultPreemption?: DefaultPreemptionArgs
  readonly NodeAffinity?: { readonly addedAffinity?: NodeAffinity }
  readonly NodeResourcesFit?: NodeResourcesFitArgs
  readonly NodeResourcesBalancedAllocation?: { readonly resources?: readonly ResourceWeight[] }
  readonly InterPodAffinity?: { readonly hardPodAffinityWeight?: number; readonly ignorePreferredTermsOfExistingPods?: boolean }
  readonly PodTopologySpread?: { readonly defaultConstraints?: readonly TopologySpreadConstraint[]; readonly defaultingType?: 'System' | 'List' }
}

/** What plugins are made of. */
export interface PluginContext {
  readonly args: PluginArgs
  /** Absent where nothing is bound: tests, explanations. */
  readonly client?: KubeClient
  readonly clock: Clock
  readonly gates: FeatureGates
  /** The cluster as it is now: for preBind and for books kept between cycles. In a cycle a plugin reads the snapshot that it is given. */
  snapshot(): Snapshot
}

export interface PluginEntry {
  /** Its scores' weight in the default profile. */
  readonly weight: number
  make(context: PluginContext): Plugin
  /** Kinds that the plugin reads by `snapshot.objects`; they are watched while some profile has the plugin and the API serves them. */
  readonly watches?: readonly ResourceInfo[]
  /** The plugin is in the default profile only while this says so; always, where absent. Named in a configuration, it is there all the same. */
  readonly byDefault?: (gates: FeatureGates) => boolean
}

/** Every plugin, in the order in which filters run (upstream: default_plugins.go). A new plugin is one file and one line here. */
export const plugins: Readonly<Record<string, PluginEntry>> = {
  SchedulingGates: { weight: 0, make: schedulingGates },
  PrioritySort: { weight: 0, make: prioritySort },
  NodeUnschedulable: { weight: 0, make: nodeUnschedulable },
  NodeName: { weight: 0, make: nodeName },
  TaintToleration: { weight: 3, make: taintToleration },
  NodeAffinity: { weight: 2, make: ({ args }) => nodeAffinity(args.NodeAffinity?.addedAffinity) },
  NodePorts: { weight: 0, make: nodePorts },
  NodeResourcesFit: { weight: 1, make: ({ args }) => nodeResourcesFit(args.NodeResourcesFit) },
  Unserved: { weight: 0, make: unserved },
  PodTopologySpread: { weight: 2, make: ({ args }) => podTopologySpread(args.PodTopologySpread?.defaultingType === 'List' ? args.PodTopologySpread.defaultConstraints ?? [] : undefined) },
  InterPodAffinity: { weight: 2, make: ({ args }) => interPodAffinity(args.InterPodAffinity) },
  DefaultPreemption: { weight: 0, make: ({ args }) => defaultPreemption(args.DefaultPreemption) },
  NodeResourcesBalancedAllocation: { weight: 1, make: ({ args }) => nodeResourcesBalancedAllocation(args.NodeResourcesBalancedAllocation?.resources) },
  ImageLocality: { weight: 1, make: imageLocality },
  DefaultBinder: { weight: 0, make: ({ client }) => defaultBinder(client) },
}
