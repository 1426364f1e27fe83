import { reasonLines } from '../framework/reason-lines.ts'
import type { Candidate, FailedCycle, Plugin, PostFilterResult } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { unresolvable, type Status } from '../framework/status.ts'
import { whyNotEligible } from './default-preemption/eligibility.ts'
import { bestCandidates } from './default-preemption/pick-node.ts'
import { selectVictims } from './default-preemption/select-victims.ts'

/** DefaultPreemptionArgs (kubescheduler.config.k8s.io/v1): how many candidates are enough to choose from. */
export interface DefaultPreemptionArgs {
  readonly minCandidateNodesPercentage?: number
  readonly minCandidateNodesAbsolute?: number
}

const notHelpful = unresolvable('Preemption is not helpful for scheduling')

/** The candidates among the nodes where removing pods could help, or each such node's reason why it cannot. */
function findCandidates(pod: PodInfo, cycle: FailedCycle, enough: (nodes: number) => number): { candidates: Candidate[]; verdicts: Map<string, Status> } {
  const { nodes, budgets } = cycle.snapshot
  const verdicts = new Map<string, Status>(nodes.map(({ name }) => [name, notHelpful]))
  const potential = nodes.filter(({ name }) => cycle.verdict(name)?.code === 'Unschedulable')
  const wanted = enough(potential.length)
  const offset = Math.floor(cycle.random() * potential.length)
  const candidates: Candidate[] = []
  for (const node of [...potential.slice(offset), ...potential.slice(0, offset)]) {
    const found = selectVictims(pod, node, cycle, budgets)
    if ('code' in found) verdicts.set(node.name, found)
    else candidates.push(found)
    // Candidates that hurt a budget alone are not enough.
    if (candidates.length >= wanted && candidates.some(({ violations }) => violations === 0)) break
  }
  return { candidates, verdicts }
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
      const { candidates, verdicts } = findCandidates(pod, cycle, enough)
      const [best] = bestCandidates(candidates)
      if (best) return { nominatedNode: best.node, victims: best.victims, candidates }
      const lines = reasonLines(verdicts.values())
      return { nominatedNode: '', victims: [], message: `preemption: 0/${verdicts.size} nodes are available: ${lines.join(', ')}.` }
    },
  }
}
