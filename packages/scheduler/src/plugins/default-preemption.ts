import { reasonCounts } from '../framework/reason-lines.ts'
import type { Candidate, FailedCycle, Plugin, PostFilterResult } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Status } from '../framework/status.ts'
import { whyNotEligible } from './default-preemption/eligibility.ts'
import { bestCandidates } from './default-preemption/pick-node.ts'
import { selectVictims } from './default-preemption/select-victims.ts'

/** DefaultPreemptionArgs (kubescheduler.config.k8s.io/v1): how many candidates are enough to choose from. */
export interface DefaultPreemptionArgs {
  readonly minCandidateNodesPercentage?: number
  readonly minCandidateNodesAbsolute?: number
}

const notHelpful = 'Preemption is not helpful for scheduling'

/** The candidates among the nodes where removing pods could help, or each such node's reason why it cannot. */
function findCandidates(pod: PodInfo, cycle: FailedCycle, enough: (nodes: number) => number): { candidates: Candidate[]; failures: Status[] } {
  const { nodes, budgets } = cycle.snapshot
  const potential = cycle.resolvable?.() ?? nodes.filter(({ name }) => cycle.verdict(name)?.code === 'Unschedulable')
  const wanted = enough(potential.length)
  const offset = Math.floor(cycle.random() * potential.length)
  const candidates: Candidate[] = []
  const failures: Status[] = []
  let isHarmless = false
  for (let i = 0; i < potential.length; i++) {
    const found = selectVictims(pod, potential[(offset + i) % potential.length]!, cycle, budgets)
    if ('code' in found) failures.push(found)
    else {
      candidates.push(found)
      if (found.violations === 0) isHarmless = true
    }
    // Candidates that hurt a budget alone are not enough.
    if (candidates.length >= wanted && isHarmless) break
  }
  return { candidates, failures }
}

/** Makes room for pods by letting pods of lower priority go (kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption). */
export function defaultPreemption(args: DefaultPreemptionArgs = {}): Plugin {
  const percentage = args.minCandidateNodesPercentage ?? 10
  const absolute = args.minCandidateNodesAbsolute ?? 100
  const enough = (nodes: number): number => Math.min(nodes, Math.max(Math.trunc((nodes * percentage) / 100), absolute))
  return {
    name: 'DefaultPreemption',
    postFilter(pod, cycle): PostFilterResult {
      const why = whyNotEligible(pod, cycle)
      if (why !== undefined) return { victims: [], message: `preemption: ${why}` }
      const { candidates, failures } = findCandidates(pod, cycle, enough)
      const [best] = bestCandidates(candidates)
      if (best) return { nominatedNode: best.node, victims: best.victims, candidates }
      const all = cycle.snapshot.nodes.length
      const counts = reasonCounts(failures)
      // Where nobody's leaving helps, nobody was asked.
      if (all > failures.length) counts.set(notHelpful, (counts.get(notHelpful) ?? 0) + all - failures.length)
      const lines = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
      return { nominatedNode: '', victims: [], message: `preemption: 0/${all} nodes are available: ${lines.join(', ')}.` }
    },
  }
}
