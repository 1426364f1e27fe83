import { decidePlain } from '../cycle/decide.ts'
import type { PlainDecision } from '../cycle/decision.ts'
import { misfitMessage, rejectingPlugins, type Misfit } from '../cycle/fit-error.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import type { NearNode, ReasonGroup, Reconsidered } from './answers.ts'
import { deficitOf } from './deficit.ts'
import { evictionFor } from './eviction.ts'
import { inquire } from './verdicts.ts'

const bestShown = 5
const nodesShown = 8
const nearestShown = 3

/** Among equals the first one: the same question gets the same answer. */
export const first = (): number => 1 - Number.EPSILON

/** The nodes grouped by what keeps the pod from them, the largest group first. */
export function reasonGroups(misfit: Misfit): ReasonGroup[] {
  const groups = new Map<string, { reason: string; plugin: string; count: number; nodes: string[]; resolvable: boolean }>()
  for (const [node, { reasons, plugin = '', code }] of misfit.verdicts) {
    for (const reason of reasons) {
      const key = `${plugin} ${reason}`
      const group = groups.get(key) ?? { reason, plugin, count: 0, nodes: [], resolvable: code === 'Unschedulable' }
      group.count++
      if (group.nodes.length < nodesShown) group.nodes.push(node)
      groups.set(key, group)
    }
  }
  if (misfit.preFilter) {
    for (const reason of misfit.preFilter.reasons) groups.set(reason, { reason, plugin: misfit.preFilter.plugin ?? '', count: misfit.allNodes, nodes: [], resolvable: false })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason))
}

/** The nodes on which the least is missing, and what that is. */
export function nearestNodes(pod: PodInfo, profile: Profile, snapshot: Snapshot): NearNode[] {
  const inquiry = inquire(pod, profile, snapshot)
  if (inquiry.preFilter) return []
  const near = snapshot.nodes.map((node) => ({ node, ...inquiry.refusals(node), deficit: deficitOf(pod, node) })).filter(({ reasons }) => reasons.length > 0)
  // What pods' leaving can cure is nearer than what it cannot; then fewer reasons; then less of the node's resources missing.
  near.sort((a, b) => Number(b.resolvable) - Number(a.resolvable) || a.reasons.length - b.reasons.length || a.deficit.share - b.deficit.share)
  return near.slice(0, nearestShown).map(({ node, reasons, resolvable, deficit }) => {
    const eviction = resolvable ? evictionFor(pod, node, inquiry) : undefined
    return { node: node.name, reasons, lacks: deficit.words, ...(eviction ? { evict: eviction.pods, byPreemption: eviction.byPreemption } : {}) }
  })
}

/** Decides on a pod as if it came now; nothing is changed. The pod must not be counted on any node. */
export function reconsider(pod: PodInfo, profile: Profile, snapshot: Snapshot): { answer: Reconsidered; decision: PlainDecision; rejectedBy: ReadonlySet<string> } {
  const decision = decidePlain(pod, profile, snapshot, first)
  if (decision.node !== undefined) {
    const best = [...decision.scores].sort((a, b) => b.total - a.total).slice(0, bestShown)
    return { decision, rejectedBy: new Set(), answer: { node: decision.node, feasible: decision.feasible.length, best, groups: [], nearest: [] } }
  }
  const { misfit, preemption } = decision
  return {
    decision,
    rejectedBy: rejectingPlugins(misfit),
    answer: {
      feasible: 0, best: [], message: misfitMessage(misfit), groups: reasonGroups(misfit), nearest: nearestNodes(pod, profile, snapshot),
      ...(preemption?.nominatedNode ? { preemptsOn: preemption.nominatedNode, preempts: preemption.victims.map(({ key }) => key) } : {}),
    },
  }
}
