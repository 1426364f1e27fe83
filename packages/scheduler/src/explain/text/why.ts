import type { KeptDecision, NearNode, ReasonGroup, Reconsidered, WhyAnswer } from '../answers.ts'
import { scoreTable } from './scores.ts'
import { ago, few, table } from './table.ts'

/** `n7 lacks 200m cpu; evicting default/x would do`. */
export function nearText({ node, lacks, reasons, evict, byPreemption }: NearNode): string {
  const what = lacks.length > 0 ? `lacks ${lacks.join(', ')}` : reasons.join('; ')
  const others = lacks.length > 0 ? reasons.filter((reason) => !reason.startsWith('Insufficient ') && reason !== 'Too many pods') : []
  const also = others.length > 0 ? `, and ${others.join('; ')}` : ''
  if (!evict) return `${node} ${what}${also}`
  return `${node} ${what}${also}; evicting ${few(evict)} would do${byPreemption ? ' (of lower priority)' : ''}`
}

export function groupTable(groups: readonly ReasonGroup[]): string {
  return table(['NODES', 'REASON', 'PLUGIN', 'WHICH'], groups.map(({ count, reason, plugin, nodes }) => [String(count), reason, plugin, few(nodes, count)]))
}

function section(title: string, body: string): string {
  return body === '' ? '' : `\n${title}\n${body}`
}

function keptText(decision: KeptDecision, now: string): string {
  const when = `${ago(decision.time, now)} ago`
  if (decision.node === undefined) return `Decided ${when}: ${decision.message ?? ''}\n`
  const { best = [], feasible = 0, node } = decision
  if (feasible <= 1) return `Decided ${when}: ${node} was the only node it fitted on.\n`
  return `Decided ${when}: it fitted on ${feasible} nodes.${best.length > 0 ? ` The best ${best.length}:\n\n${scoreTable(best, node)}` : '\n'}`
}

function nowText(now: Reconsidered, place: string | undefined): string {
  if (now.node === undefined) return ''
  if (now.best.length === 0) return section('As of now:', `${now.node} is the only node it fits on.\n`)
  return section(`As of now it fits on ${now.feasible} nodes. The best ${now.best.length}:`, scoreTable(now.best, place ?? now.node))
}

/** The answer for people. */
export function whyText(answer: WhyAnswer): string {
  const { pod, node, decision, now, helps, notes, asOf, state, scheduler } = answer
  const head = node === undefined ? `${pod} waits for a node (${state === 'Gated' ? 'gated' : 'pending'}, ${scheduler}).\n` : `${pod} is on ${node} (${scheduler}).\n`
  const lines = [head]
  if (answer.nominatedNode !== undefined) lines.push(`It is to have room on ${answer.nominatedNode}, where pods were preempted for it.\n`)
  if (decision) lines.push(keptText(decision, asOf.time))
  for (const note of notes) lines.push(`Note: ${note}.\n`)
  // What is kept of the decision is the answer; what would be decided now is only worth saying where nothing is kept.
  if (node !== undefined && decision) return lines.join('')
  if (now.message !== undefined && now.message !== decision?.message) lines.push(`As of now: ${now.message}\n`)
  lines.push(nowText(now, node))
  if (now.groups.length > 0) lines.push(section('Nodes by reason:', groupTable(now.groups)))
  if (now.preemptsOn !== undefined) lines.push(section('Preemption:', `on ${now.preemptsOn}, of ${few(now.preempts ?? [])}\n`))
  lines.push(section('Nearest:', now.nearest.map((near) => `  ${nearText(near)}\n`).join('')))
  lines.push(section('It is tried again when:', helps.map((help) => `  ${help}\n`).join('')))
  return lines.join('')
}
