import type { DaemonSet, DaemonSetStatus } from '@berth/api/types/apps/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { findUntoleratedTaint, requiredNodeAffinityMatches } from '@berth/pod-rules'
import { scaledValue } from '../common/int-or-percent.ts'
import { isPodAvailable, isPodReady, isPodTerminal } from '../common/pods.ts'
import { hashLabel, isUpdated, targetNode, templatePod } from './pod-template.ts'

/** What a set thinks of one node: whether a pod should be started there, and whether one that runs may stay. */
export interface NodeVerdict {
  run: boolean
  keep: boolean
}

/** Asks of each node whether it takes the set's pod: by name, by selector and affinity, by taints. NoSchedule lets what runs stay. */
export function nodeVerdicts(set: DaemonSet): (node: Node) => NodeVerdict {
  const pod = templatePod(set)
  const wanted = pod.spec.nodeName ?? ''
  return (node) => {
    if ((wanted !== '' && wanted !== node.metadata.name) || !requiredNodeAffinityMatches(pod, node)) return { run: false, keep: false }
    const taints = node.spec?.taints ?? []
    const tolerations = pod.spec.tolerations ?? []
    if (findUntoleratedTaint(taints, tolerations, ['NoExecute', 'NoSchedule']) === undefined) return { run: true, keep: true }
    return { run: false, keep: findUntoleratedTaint(taints, tolerations, ['NoExecute']) === undefined }
  }
}

/** What the plans look at. */
export interface DaemonView {
  set: DaemonSet
  nodes: readonly Node[]
  /** Each node's pods of the set (also of nodes that are no more); those that are over and being deleted do not count. */
  podsOf: ReadonlyMap<string, readonly Pod[]>
  verdict(node: Node): NodeVerdict
  /** The hash of the present revision. */
  hash: string
  now: number
}

export function viewOf(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], hash: string, now: number): DaemonView {
  const podsOf = new Map<string, Pod[]>()
  for (const pod of pods) {
    if (isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined) continue
    const node = targetNode(pod)
    if (node === undefined) continue
    podsOf.set(node, [...podsOf.get(node) ?? [], pod])
  }
  return { set, nodes, podsOf, verdict: nodeVerdicts(set), hash, now }
}

/** Pods to delete and nodes to start one on. */
export interface DaemonPlan {
  create: string[]
  delete: Pod[]
}

/** Scheduled pods first, then older ones. */
export function byAge(a: Pod, b: Pod): number {
  const assigned = Number((b.spec.nodeName ?? '') !== '') - Number((a.spec.nodeName ?? '') !== '')
  if (assigned !== 0) return assigned
  const [timeA, timeB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (timeA !== timeB) return timeA < timeB ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

export function maxSurgeOf(set: DaemonSet, desired: number): number {
  return set.spec.updateStrategy?.type === 'OnDelete' ? 0 : scaledValue(set.spec.updateStrategy?.rollingUpdate?.maxSurge, desired, true)
}

/**
 * Which pods are missing and which are too many, whatever their template (upstream's manage). `replace` is asked of each pod that is over,
 * whether it may be deleted now: it holds back those that fail again and again.
 */
export function placePods(view: DaemonView, replace: (pod: Pod) => boolean): DaemonPlan {
  const plan: DaemonPlan = { create: [], delete: [] }
  const surges = maxSurgeOf(view.set, view.nodes.length) > 0
  for (const node of view.nodes) {
    const { run, keep } = view.verdict(node)
    const pods = view.podsOf.get(node.metadata.name)
    if (run && pods === undefined) plan.create.push(node.metadata.name)
    else if (keep) {
      const alive: Pod[] = []
      for (const pod of pods ?? []) {
        if (pod.metadata.deletionTimestamp !== undefined) continue
        if (!isPodTerminal(pod)) alive.push(pod)
        else if (replace(pod)) plan.delete.push(pod)
      }
      plan.delete.push(...surplus(view, alive.toSorted(byAge), surges))
    } else plan.delete.push(...(pods ?? []).filter((pod) => pod.metadata.deletionTimestamp === undefined))
  }
  const known = new Set(view.nodes.map((node) => node.metadata.name))
  for (const [node, pods] of view.podsOf) {
    // Made for a node that is gone, and never started: nobody else would delete it.
    if (!known.has(node)) plan.delete.push(...pods.filter((pod) => (pod.spec.nodeName ?? '') === '' && pod.metadata.deletionTimestamp === undefined))
  }
  return plan
}

/** Of several pods on one node: the oldest stays; with a surge the oldest of the new and of the old template, until the new one is available. */
function surplus(view: DaemonView, pods: readonly Pod[], surges: boolean): Pod[] {
  if (pods.length <= 1) return []
  if (!surges) return pods.slice(1)
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[hashLabel] === view.hash
  const newest = pods.find(isNew)
  const oldest = pods.find((pod) => !isNew(pod))
  const doomed = pods.filter((pod) => pod !== newest && pod !== oldest)
  if (newest !== undefined && oldest !== undefined && (!isPodReady(oldest) || isPodAvailable(newest, view.set.spec.minReadySeconds ?? 0, view.now))) doomed.push(oldest)
  return doomed
}

/** The one pod of the present and of an earlier template on a node; undefined where there are several of one. */
function pairOn(view: DaemonView, pods: readonly Pod[]): { fresh?: Pod; old?: Pod } | undefined {
  const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
  const fresh = alive.filter((pod) => isUpdated(view.set, pod, view.hash))
  const old = alive.filter((pod) => !isUpdated(view.set, pod, view.hash))
  return fresh.length > 1 || old.length > 1 ? undefined : { fresh: fresh[0], old: old[0] }
}

/** The next step of a rolling update: old pods to delete within `maxUnavailable`, or nodes to start a new pod on within `maxSurge`. */
export function rollPods(view: DaemonView): DaemonPlan {
  const pods = new Map(view.podsOf)
  const running = new Set<string>()
  for (const node of view.nodes) {
    if (!view.verdict(node).run) continue
    running.add(node.metadata.name)
    if (!pods.has(node.metadata.name)) pods.set(node.metadata.name, [])
  }
  const desired = running.size
  const surge = maxSurgeOf(view.set, desired)
  const unavailable = scaledValue(view.set.spec.updateStrategy?.rollingUpdate?.maxUnavailable, desired, true)
  const pairs = [...pods].map(([node, on]) => ({ node, pair: pairOn(view, on) }))
  const available = (pod: Pod): boolean => isPodAvailable(pod, view.set.spec.minReadySeconds ?? 0, view.now)
  return surge > 0 ? surgeStep(pairs, surge, running, available) : replaceStep(pairs, unavailable === 0 ? 1 : unavailable, available)
}

type NodePairs = readonly { node: string; pair: { fresh?: Pod; old?: Pod } | undefined }[]

function replaceStep(pairs: NodePairs, maxUnavailable: number, available: (pod: Pod) => boolean): DaemonPlan {
  let missing = 0
  const broken: Pod[] = []
  const candidates: Pod[] = []
  for (const { pair } of pairs) {
    const fresh = pair?.fresh
    const old = pair?.old
    if (fresh !== undefined && old === undefined) missing += available(fresh) ? 0 : 1
    else if (old === undefined || fresh !== undefined) missing += 1
    else (available(old) ? candidates : broken).push(old)
  }
  return { create: [], delete: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - missing))] }
}

function surgeStep(pairs: NodePairs, maxSurge: number, running: ReadonlySet<string>, available: (pod: Pod) => boolean): DaemonPlan {
  let surging = 0
  const doomed: Pod[] = []
  const urgent: string[] = []
  const candidates: string[] = []
  for (const { node, pair } of pairs) {
    if (pair === undefined) surging += 1
    else if (pair.old === undefined) continue
    else if (pair.fresh !== undefined) {
      if (available(pair.fresh)) doomed.push(pair.old)
      else surging += 1
    } else if (!running.has(node)) continue
    else (available(pair.old) ? candidates : urgent).push(node)
  }
  return { create: [...urgent, ...candidates.slice(0, Math.max(0, maxSurge - surging))], delete: doomed }
}

/** The status that a set should have. */
export function daemonSetStatus(view: DaemonView): DaemonSetStatus {
  const { set } = view
  const count = { desiredNumberScheduled: 0, currentNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0, numberAvailable: 0, updatedNumberScheduled: 0 }
  for (const node of view.nodes) {
    const [pod] = (view.podsOf.get(node.metadata.name) ?? []).toSorted(byAge)
    if (!view.verdict(node).run) {
      if (pod !== undefined) count.numberMisscheduled += 1
      continue
    }
    count.desiredNumberScheduled += 1
    if (pod === undefined) continue
    count.currentNumberScheduled += 1
    if (isPodReady(pod)) count.numberReady += 1
    if (isPodAvailable(pod, set.spec.minReadySeconds ?? 0, view.now)) count.numberAvailable += 1
    if (isUpdated(set, pod, view.hash)) count.updatedNumberScheduled += 1
  }
  return {
    ...set.status, ...count, numberUnavailable: count.desiredNumberScheduled - count.numberAvailable, observedGeneration: set.metadata.generation ?? 0,
  }
}

/** Whether two statuses count the same; absent numbers are zero. */
export function sameDaemonStatus(a: DaemonSetStatus | undefined, b: DaemonSetStatus): boolean {
  const names = ['desiredNumberScheduled', 'currentNumberScheduled', 'numberMisscheduled', 'numberReady', 'numberAvailable', 'numberUnavailable', 'updatedNumberScheduled', 'observedGeneration', 'collisionCount'] as const
  return a !== undefined && names.every((name) => (a[name] ?? 0) === (b[name] ?? 0))
}
