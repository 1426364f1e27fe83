import { nodesOf, podsOf } from '../framework/event-objects.ts'
import { NodeInfo } from '../framework/node-info.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import { podInfoOf, type PodInfo } from '../framework/pod-info.ts'
import { unresolvable, unschedulable } from '../framework/status.ts'
import { scalarNotWanted, usageOf } from './node-resources/usage.ts'

export interface ResourceWeight {
  readonly name: string
  readonly weight: number
}

/** NodeResourcesFitArgs, as far as it is served (kubescheduler.config.k8s.io/v1). */
export interface NodeResourcesFitArgs {
  readonly ignoredResources?: readonly string[]
  readonly ignoredResourceGroups?: readonly string[]
  readonly scoringStrategy?: { readonly type?: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'; readonly resources?: readonly ResourceWeight[]; readonly requestedToCapacityRatio?: { readonly shape: ReadonlyArray<{ readonly utilization: number; readonly score: number }> } }
}

const defaultResources: readonly ResourceWeight[] = [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }]

/** What a node lacks for a pod, in upstream's words; `hopeless` where even the empty node lacks it. */
function lacking(pod: PodInfo, node: NodeInfo, ignored: (resource: string) => boolean): { reasons: string[]; hopeless: boolean } {
  const reasons: string[] = []
  let hopeless = false
  if (node.pods.size + 1 > node.allowedPods) reasons.push('Too many pods')
  const check = (resource: string, wanted: number): void => {
    if (wanted === 0) return
    const allocatable = node.allocatable.get(resource)
    if (wanted <= allocatable - node.requested.get(resource)) return
    reasons.push(`Insufficient ${resource}`)
    if (wanted > allocatable) hopeless = true
  }
  check('cpu', pod.requests.milliCpu)
  check('memory', pod.requests.memory)
  check('ephemeral-storage', pod.requests.ephemeralStorage)
  for (const [resource, wanted] of pod.requests.scalar) if (!ignored(resource)) check(resource, wanted)
  return { reasons, hopeless }
}

/** The score of a utilization (0 to 100) by a shape of points, broken linear between them. */
function shaped(shape: ReadonlyArray<{ utilization: number; score: number }>, utilization: number): number {
  for (const [i, point] of shape.entries()) {
    if (utilization > point.utilization) continue
    const before = shape[i - 1]
    if (!before) return point.score
    return before.score + Math.trunc(((point.score - before.score) * (utilization - before.utilization)) / (point.utilization - before.utilization))
  }
  return shape.at(-1)?.score ?? 0
}

/** Keeps pods off nodes that lack what they ask for, and scores nodes by how much is left or taken. */
export function nodeResourcesFit(args: NodeResourcesFitArgs = {}): Plugin {
  const ignoredNames = new Set(args.ignoredResources)
  const ignoredGroups = new Set(args.ignoredResourceGroups)
  const ignored = (resource: string): boolean => ignoredNames.has(resource) || (resource.includes('/') && ignoredGroups.has(resource.split('/')[0] ?? ''))
  const resources = args.scoringStrategy?.resources?.length ? args.scoringStrategy.resources : defaultResources
  const strategy = args.scoringStrategy?.type ?? 'LeastAllocated'
  // A shape's scores are 0 to 10 (config.MaxCustomPriorityScore); nodes' scores 0 to 100.
  const shape = (args.scoringStrategy?.requestedToCapacityRatio?.shape ?? []).map(({ utilization, score }) => ({ utilization, score: score * 10 }))
  const scoreOf = (allocatable: number, used: number): number => {
    if (strategy === 'RequestedToCapacityRatio') return shaped(shape, allocatable === 0 || used > allocatable ? 100 : Math.trunc((used * 100) / allocatable))
    if (allocatable === 0) return 0
    if (strategy === 'MostAllocated') return Math.trunc((Math.min(used, allocatable) * maxNodeScore) / allocatable)
    return used > allocatable ? 0 : Math.trunc(((allocatable - used) * maxNodeScore) / allocatable)
  }
  /** The node as it is now would take the pod if it were empty, and has more than before of something that the pod wants. */
  const fitsNow = (pod: PodInfo, objects: EventObjects): boolean => {
    const { old, now } = nodesOf(objects)
    if (!now) return false
    const node = new NodeInfo(now)
    if (lacking(pod, node, ignored).reasons.length > 0) return false
    if (!old) return true
    const before = new NodeInfo(old)
    return node.allowedPods > before.allowedPods || wantedResources(pod).some((name) => node.allocatable.get(name) > before.allocatable.get(name))
  }
  return {
    name: 'NodeResourcesFit',
    dependsOn: 'node-and-pods',
    fast: { kind: 'resource-fit', ignored, resources, strategy, scoreOf },
    events: () => [
      { event: 'NodeAdded', helps: fitsNow },
      { event: 'NodeAllocatableChanged', helps: fitsNow },
      { event: 'AssignedPodDeleted' },
      { event: 'AssignedPodUpdated', helps: asksForLess },
      { event: 'UnscheduledPodUpdated', helps: (pod, objects) => podsOf(objects).now !== undefined && asksForLess(pod, objects) },
    ],
    filter(_state, pod, node) {
      const { reasons, hopeless } = lacking(pod, node, ignored)
      if (reasons.length === 0) return undefined
      return hopeless ? unresolvable(...reasons) : unschedulable(...reasons)
    },
    score(_state, pod, node) {
      let sum = 0
      let weights = 0
      for (const { name, weight } of resources) {
        if (scalarNotWanted(pod, name)) continue
        const { allocatable, used } = usageOf(pod, node, name, 'nonZero')
        if (allocatable === 0) continue
        const score = scoreOf(allocatable, used)
        if (strategy === 'RequestedToCapacityRatio' && score <= 0) continue
        sum += score * weight
        weights += weight
      }
      if (weights === 0) return 0
      return strategy === 'RequestedToCapacityRatio' ? Math.round(sum / weights) : Math.trunc(sum / weights)
    },
  }
}

function wantedResources({ requests }: PodInfo): string[] {
  return ['cpu', 'memory', 'ephemeral-storage', ...requests.scalar.keys()].filter((name) => requests.get(name) > 0)
}

/** A pod has been resized, and asks for less of something that this one wants. */
function asksForLess(pod: PodInfo, objects: EventObjects): boolean {
  const { old, now } = podsOf(objects)
  if (!old || !now) return true
  const before = podInfoOf(old).requests
  const after = podInfoOf(now).requests
  return wantedResources(pod).some((name) => after.get(name) < before.get(name))
}
