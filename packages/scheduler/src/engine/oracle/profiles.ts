import type { Plugin } from '../../framework/plugin.ts'
import { makeProfile, type Profile } from '../../framework/profile.ts'
import type { PluginsConfig } from '../../config/types.ts'
import type { PluginArgs } from '../../plugins/registry.ts'

function profile(args: PluginArgs = {}, plugins: PluginsConfig = {}): Profile {
  return makeProfile({ schedulerName: 'default-scheduler', args, plugins })
}

/** A plugin that says nothing of how it can be kept: it is asked about every node. It keeps what it was asked. */
export class Probe {
  readonly asked: string[] = []
  readonly plugin: Plugin

  constructor() {
    this.plugin = {
      name: 'Probe',
      score: (_state, _pod, node) => {
        this.asked.push(node.name)
        return 50
      },
    }
  }
}

/** Profiles that cases are decided by; the first one is the default. */
export function oracleProfiles(): Profile[] {
  const zone = 'topology.kubernetes.io/zone'
  return [
    profile(),
    profile(),
    profile({
      NodeResourcesFit: { scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 3 }, { name: 'example.com/gpu', weight: 5 }] } },
      InterPodAffinity: { hardPodAffinityWeight: 0, ignorePreferredTermsOfExistingPods: true },
      PodTopologySpread: { defaultingType: 'List', defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule' }, { maxSkew: 2, topologyKey: 'rack', whenUnsatisfiable: 'ScheduleAnyway' }] },
    }),
    profile({
      NodeResourcesFit: { ignoredResources: ['example.com/gpu'], scoringStrategy: { type: 'RequestedToCapacityRatio', resources: [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 2 }], requestedToCapacityRatio: { shape: [{ utilization: 0, score: 0 }, { utilization: 50, score: 9 }, { utilization: 100, score: 3 }] } } },
      NodeResourcesBalancedAllocation: { resources: [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }, { name: 'example.com/gpu', weight: 1 }] },
      NodeAffinity: { addedAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 7, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } }] } },
      InterPodAffinity: { hardPodAffinityWeight: 40 },
    }),
    // Plugins that are asked about every node each time, one of them in the place of fast forms.
    profile({}, { multiPoint: { enabled: [{ name: 'SwarmSpread', weight: 2 }, { name: 'RackSpread', weight: 1 }], disabled: [{ name: 'ImageLocality' }] }, score: { disabled: [{ name: 'InterPodAffinity' }] } }),
    profile({}, { multiPoint: { disabled: [{ name: 'NodeResourcesFit' }, { name: 'TaintToleration' }] }, filter: { enabled: [{ name: 'TaintToleration' }, { name: 'NodeResourcesFit' }] } }),
  ]
}
