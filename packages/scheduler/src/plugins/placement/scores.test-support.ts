import type { Node, Pod } from '@berth/api/types/core/v1'
import { Cache } from '../../cache/cache.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import type { Plugin } from '../../framework/plugin.ts'
import { podInfoOf } from '../../framework/pod-info.ts'

/** A node of 4 CPUs and 8 GiB. */
export const nodeOf = (name: string, labels: Record<string, string> = {}, annotations: Record<string, string> = {}, more: Partial<Node['status']> = {}): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels }, annotations }, spec: {}, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' }, ...more },
})

export interface GivenPod { name: string; node?: string; owner?: string; cpu?: string; memory?: string; requests?: Record<string, string>; annotations?: Record<string, string>; group?: string; image?: string; deleted?: boolean; startTime?: string }

/** A pod; `owner` is `Kind/name`. */
export const podOf = ({ name, node, owner, cpu, memory, requests, annotations, group, image = 'x', deleted, startTime }: GivenPod): Pod => {
  const [kind = '', ownerName = ''] = owner?.split('/') ?? []
  return {
    metadata: {
      name, namespace: 'default', ...(annotations ? { annotations } : {}), ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      ...(owner ? { ownerReferences: [{ apiVersion: 'apps/v1', kind, name: ownerName, uid: ownerName, controller: true }] } : {}),
      ...(kind === 'ReplicaSet' ? { labels: { 'pod-template-hash': ownerName.split('-').at(-1) ?? '' } } : {}),
    },
    spec: { containers: [{ name: 'c', image, resources: { requests: { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}), ...requests } } }], ...(node ? { nodeName: node } : {}), ...(group ? { schedulingGroup: { podGroupName: group } } : {}) },
    ...(startTime ? { status: { startTime } } : {}),
  }
}

export function clusterOf(nodes: readonly Node[], pods: readonly GivenPod[] = []): Cache {
  const cache = new Cache()
  for (const node of nodes) cache.apply({ type: 'node-set', node })
  for (const pod of pods) cache.apply({ type: 'pod-set', pod: podOf(pod) })
  return cache
}

/** What one plugin says of a pod: node → its reasons, or its score among the nodes that it lets pass. */
export function verdictsOf(plugin: Plugin, cluster: Cache, given: GivenPod): Record<string, number | string> {
  const pod = podInfoOf(podOf(given))
  const state = new CycleState()
  const before = plugin.preFilter?.(state, pod, cluster)?.status
  if (before && before.code !== 'Skip') return { all: `${before.code}: ${before.reasons.join(', ')}` }
  const said: Record<string, number | string> = {}
  const passing = cluster.nodes.filter((node) => {
    const status = before ? undefined : plugin.filter?.(state, pod, node)
    if (status) said[node.name] = `${status.code}: ${status.reasons.join(', ')}`
    return !status
  })
  const skipped = plugin.preScore?.(state, pod, passing, cluster)?.code === 'Skip'
  const scores = passing.map((node) => skipped ? 0 : plugin.score?.(state, pod, node) ?? 0)
  if (!skipped) plugin.normalize?.(state, pod, scores)
  for (const [i, node] of passing.entries()) said[node.name] = scores[i] ?? 0
  return said
}
