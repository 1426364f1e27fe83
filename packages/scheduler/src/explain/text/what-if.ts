import type { Usage, WhatIfAnswer } from '../answers.ts'
import { amountText } from '../deficit.ts'
import { few, table } from './table.ts'
import { groupTable } from './why.ts'

function share({ requested, allocatable }: { requested: number; allocatable: number }): string {
  return allocatable > 0 ? `${Math.round((requested / allocatable) * 100)}%` : '-'
}

function usageCells(usage: Usage | undefined): string[] {
  if (!usage) return ['-', '-', '-']
  return [
    `${amountText('cpu', usage.cpu.requested)}/${amountText('cpu', usage.cpu.allocatable)} (${share(usage.cpu)})`,
    `${amountText('memory', usage.memory.requested)}/${amountText('memory', usage.memory.allocatable)} (${share(usage.memory)})`,
    `${usage.pods.requested}/${usage.pods.allocatable}`,
  ]
}

const nodesShown = 20

/** Pods that wait for the same reasons, together. */
function alike(pending: WhatIfAnswer['pending']): { pods: string[]; message: string; groups: WhatIfAnswer['pending'][number]['groups'] }[] {
  const byMessage = new Map<string, { pods: string[]; message: string; groups: WhatIfAnswer['pending'][number]['groups'] }>()
  for (const { pod, message, groups } of pending) {
    const known = byMessage.get(message)
    if (known) known.pods.push(pod)
    else byMessage.set(message, { pods: [pod], message, groups })
  }
  return [...byMessage.values()]
}

/** The answer for people. */
export function whatIfText(answer: WhatIfAnswer): string {
  const { placements, pending, preempted, lost, before, after, nodes, notes } = answer
  const lines: string[] = []
  if (placements.length > 0) {
    lines.push(table(['POD', 'NODE', 'FROM', 'SCORE', 'PREEMPTS'], placements.map(({ pod, node, from, total, preempts }) => [pod, node, from ?? '', total === undefined ? '' : String(total), few(preempts ?? [])])))
  }
  for (const { pods, message, groups } of alike(pending)) lines.push(`\n${few(pods)} ${pods.length === 1 ? 'stays' : 'stay'} pending: ${message}\n${groups.length > 0 ? groupTable(groups) : ''}`)
  if (preempted.length > 0) lines.push(`\n${table(['PREEMPTED', 'NODE', 'BY'], preempted.map(({ pod, node, by }) => [pod, node, by]))}`)
  for (const { pod, node } of lost) lines.push(`\n${pod} on ${node} would be gone: it has no controller that makes it again.\n`)
  lines.push(`\n${placements.length} placed, ${pending.length} pending, ${preempted.length} preempted, ${lost.length} lost.\n\n`)
  const rows = nodes.slice(0, nodesShown).flatMap(({ node, before: was, after: is }) => [[node, 'before', ...usageCells(was)], ['', 'after', ...usageCells(is)]])
  lines.push(table(['NODE', '', 'CPU', 'MEMORY', 'PODS'], [['all', 'before', ...usageCells(before)], ['', 'after', ...usageCells(after)], ...rows]))
  if (nodes.length > nodesShown) lines.push(`(${nodes.length - nodesShown} more nodes change; -o json lists them)\n`)
  for (const note of notes) lines.push(`Note: ${note}.\n`)
  return lines.join('')
}
