import type { Logger } from '@berth/kube'
import { nominatedNode, postFilter, scoreNodes, selectHost } from '../cycle/decide.ts'
import type { NodeScore, PlainDecision } from '../cycle/decision.ts'
import { Filters, runPreFilters } from '../cycle/filters.ts'
import { misfitOf, type Misfit } from '../cycle/fit-error.ts'
import { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { Candidate, PostFilterResult } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { unresolvable, unschedulable, type Status } from '../framework/status.ts'
import { bestCandidates } from '../plugins/default-preemption/pick-node.ts'
import { ExtenderError } from './errors.ts'
import type { Extender } from './extender.ts'
import { extenderName } from './name.ts'

/** The best score of the protocol (extenderv1.MaxExtenderPriority); it is scaled up to ours. */
const maxExtenderPriority = 10

/** What one cycle is about. */
export interface ExtendedCycle {
  readonly pod: PodInfo
  readonly profile: Profile
  /** It must not change before the decision is made: who calls holds changes back. */
  readonly snapshot: Snapshot
  readonly random: () => number
  /** Those that are interested in the pod, in the order in which they are asked. */
  readonly extenders: readonly Extender[]
  readonly logger: Logger
}

/**
 * A scheduling cycle with extenders in it: what passes the filters is sent to the extenders one after the other, and what
 * is left is scored by plugins and by all extenders at once. Throws the ExtenderError of an extender that cannot be ignored.
 */
export async function decideWithExtenders(cycle: ExtendedCycle): Promise<PlainDecision> {
  const { pod, profile, snapshot, random } = cycle
  const verdicts = new Map<string, Status>()
  const allNodes = snapshot.nodes.length
  if (allNodes === 0) return { misfit: misfitOf(allNodes, verdicts) }
  const state = new CycleState()
  const { status, nodes: allowed, choosers } = runPreFilters(state, pod, profile, snapshot)
  const filters = new Filters(state, pod, profile, snapshot)
  let refused = false
  const misfit = async (preFilter?: Status): Promise<PlainDecision> => {
    const found = postFilter(pod, profile, {
      snapshot, random,
      verdict: (node) => verdicts.get(node) ?? preFilter,
      filter: (node) => filters.run(node),
      add: (other, node) => filters.add(other, node),
      remove: (other, node) => filters.remove(other, node),
    })
    const preemption = found?.candidates ? await reviewPreemption(cycle, found, found.candidates) : found
    const plain = misfitOf(allNodes, verdicts, preFilter, preemption?.message)
    const why: Misfit = refused ? { ...plain, plugins: new Set([...plain.plugins, extenderName]) } : plain
    return { misfit: why, ...(preemption ? { preemption } : {}) }
  }
  if (status) return misfit(status)
  const nominated = nominatedNode(pod, snapshot, allowed)
  if (nominated && !filters.run(nominated) && await passesExtenders(cycle, nominated)) return { node: nominated.name, feasible: [nominated.name], scores: [], state }
  const notChosen: Status = { ...unresolvable(`node(s) didn't satisfy plugin(s) [${[...choosers].sort().join(' ')}]`), plugin: choosers.join(',') }
  const passed: NodeInfo[] = []
  for (const node of snapshot.nodes) {
    const verdict = allowed && !allowed.has(node.name) ? notChosen : filters.run(node)
    if (verdict) verdicts.set(node.name, verdict)
    else passed.push(node)
  }
  const feasible = await askFilters(cycle, passed, verdicts)
  refused = feasible.length < passed.length
  if (feasible.length === 0) return misfit()
  const names = feasible.map(({ name }) => name)
  if (feasible.length === 1) return { node: names[0] ?? '', feasible: names, scores: [], state }
  const scores = await addPriorities(cycle, feasible, scoreNodes(state, pod, feasible, profile, snapshot))
  return { node: selectHost(scores, random), feasible: names, scores, state }
}

/** Asks the extenders one after the other; each sees what the ones before it left. */
async function askFilters({ pod, extenders, logger }: ExtendedCycle, passed: readonly NodeInfo[], verdicts: Map<string, Status>): Promise<readonly NodeInfo[]> {
  let nodes = passed
  for (const extender of extenders) {
    if (nodes.length === 0) break
    if (!extender.filters) continue
    try {
      const answer = await extender.filter(pod, nodes)
      for (const [name, reason] of answer.failedAndUnresolvable) verdicts.set(name, { ...unresolvable(reason), plugin: extenderName })
      for (const [name, reason] of answer.failed) if (!answer.failedAndUnresolvable.has(name)) verdicts.set(name, { ...unschedulable(reason), plugin: extenderName })
      nodes = answer.nodes
    } catch (error) {
      if (!extender.ignorable) throw error
      logger.info('Skipping extender as it returned error and has ignorable flag set', { extender: extender.name, err: error })
    }
  }
  return nodes
}

/** Whether the node that was cleared for the pod passes; where that cannot be found out, all nodes are looked at. */
async function passesExtenders(cycle: ExtendedCycle, node: NodeInfo): Promise<boolean> {
  try {
    return (await askFilters(cycle, [node], new Map())).length > 0
  } catch (error) {
    cycle.logger.error(error, 'Evaluation failed on nominated node', { pod: cycle.pod.key, node: node.name })
    return false
  }
}

/** Adds what the extenders give to the plugins' scores. An extender that fails gives nothing to any node. */
async function addPriorities({ pod, extenders, logger }: ExtendedCycle, nodes: readonly NodeInfo[], scores: readonly NodeScore[]): Promise<readonly NodeScore[]> {
  const given = await Promise.all(extenders.filter(({ prioritizes }) => prioritizes).map(async (extender) => {
    try {
      return { extender, priorities: await extender.prioritize(pod, nodes) }
    } catch (error) {
      logger.v(5).info("Failed to run extender's priority function. No score given by this extender.", { pod: pod.key, extender: extender.name, err: error })
      return { extender, priorities: [] }
    }
  }))
  const totals = new Map(scores.map(({ node, total, byPlugin }) => [node, { node, total, byPlugin: { ...byPlugin } }]))
  for (const { extender, priorities } of given) {
    for (const { host, score } of priorities) {
      const node = totals.get(host)
      if (!node) continue
      const scaled = score * extender.weight * (maxNodeScore / maxExtenderPriority)
      node.total += scaled
      node.byPlugin[extender.name] = (node.byPlugin[extender.name] ?? 0) + scaled
    }
  }
  return [...totals.values()]
}

/** Lets the extenders that know of preemption strike candidates and name other victims, and chooses again among what is left. */
async function reviewPreemption({ pod, snapshot, extenders, logger }: ExtendedCycle, found: PostFilterResult, all: readonly Candidate[]): Promise<PostFilterResult> {
  let candidates = all
  let reviewed = false
  for (const extender of extenders) {
    if (!extender.preempts || candidates.length === 0) continue
    try {
      const answer = await extender.preempt(pod, candidates, snapshot)
      const empty = answer.find(({ victims }) => victims.length === 0)
      if (empty) {
        const error = extender.count('preempt', new ExtenderError('no-victims', `expected at least one victim pod on node ${JSON.stringify(empty.node)}`))
        if (!extender.ignorable) throw error
        logger.info("Ignored node for which the extender didn't report victims", { node: empty.node, extender: extender.name })
      }
      candidates = answer.filter(({ victims }) => victims.length > 0)
      reviewed = true
    } catch (error) {
      if (!extender.ignorable) return { victims: [], message: `preemption: ${(error as Error).message}` }
      logger.info('Skipped extender as it returned error and has ignorable flag set', { extender: extender.name, err: error })
    }
  }
  if (!reviewed) return found
  const [best] = bestCandidates(candidates)
  return best ? { nominatedNode: best.node, victims: best.victims, candidates } : { victims: [], message: 'preemption: no candidate node for preemption' }
}
