import type { Pod } from '@berth/api/types/core/v1'
import { podsOf } from '../framework/event-objects.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { unresolvable } from '../framework/status.ts'
import { podGroups } from './gang-scheduling/pod-groups.ts'
import type { PluginContext } from './registry.ts'

const name = 'GangScheduling'
/** How long a gang's pods hold their places while others of it are missing; milliseconds. */
const permitMs = 5 * 60_000

function groupName({ spec }: Pick<Pod, 'spec'>): string | undefined {
  return spec.schedulingGroup?.podGroupName
}

/** A pod of the same group has come. */
function isOfGroup(pod: PodInfo, objects: EventObjects): boolean {
  const { now } = podsOf(objects)
  return now !== undefined && (now.metadata.namespace ?? 'default') === pod.namespace && groupName(now) === groupName(pod.pod)
}

/** The pod's group has come. */
function isGroup(pod: PodInfo, { now }: EventObjects): boolean {
  const metadata = (now as { metadata?: { name: string; namespace?: string } } | undefined)?.metadata
  return metadata?.namespace === pod.namespace && metadata.name === groupName(pod.pod)
}

/**
 * Pods of a PodGroup with a gang policy start together or not at all (scheduling.k8s.io/v1alpha2, KEP-4671): they are kept out of the queue until
 * minCount of them are there, and none is bound before minCount of them have a place.
 */
export function gangScheduling({ pods, snapshot }: Pick<PluginContext, 'pods' | 'snapshot'>): Plugin {
  const gangOf = ({ pod, namespace }: PodInfo) => {
    const group = groupName(pod)
    return group === undefined ? undefined : { group, found: snapshot().objects(podGroups).get(`${namespace}/${group}`) }
  }
  return {
    name,
    events: () => [
      { event: 'UnscheduledPodAdded', helps: isOfGroup },
      { event: 'AssignedPodAdded', helps: isOfGroup },
      { event: 'PodGroupAdded', helps: isGroup },
    ],
    preEnqueue(info) {
      const gang = gangOf(info)
      if (!gang) return undefined
      if (!gang.found) return unresolvable(`waiting for pods's pod group ${JSON.stringify(gang.group)} to appear in scheduling queue`)
      const { gang: policy } = gang.found.spec.schedulingPolicy
      if (!policy || !pods || pods.group(info.namespace, gang.group).all >= policy.minCount) return undefined
      return unresolvable('waiting for minCount pods from a gang to appear in scheduling queue')
    },
    permit(_state, info) {
      const gang = gangOf(info)
      if (!gang || !pods) return undefined
      if (!gang.found) throw new Error(`failed to get podGroup ${info.namespace}/${gang.group}`)
      const { gang: policy } = gang.found.spec.schedulingPolicy
      if (!policy) return undefined
      const { placed } = pods.group(info.namespace, gang.group)
      if (placed.size < policy.minCount) return { waitMs: permitMs }
      for (const waiter of pods.permitted()) if (placed.has(waiter.pod.key)) waiter.allow(name)
      return undefined
    },
  }
}
