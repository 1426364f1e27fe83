import type { WhyNotAnswer } from '../answers.ts'
import { scoreTable } from './scores.ts'
import { few, table } from './table.ts'

/** The answer for people. */
export function whyNotText(answer: WhyNotAnswer): string {
  const { pod, node, fits, verdicts, lacks, evict, byPreemption, score, best, notes, runsOn } = answer
  const place = runsOn === undefined ? 'waits for a node' : `is on ${runsOn}`
  const lines = [`${pod} ${place}; on ${node} it ${fits ? 'fits' : 'does not fit'} (${answer.scheduler}, as of now).\n\n`]
  lines.push(table(['PLUGIN', 'VERDICT', 'REASON'], verdicts.map(({ plugin, passes, reasons }) => [plugin, passes ? 'ok' : 'no', reasons.join('; ')])))
  if (lacks.length > 0) lines.push(`\n${node} lacks ${lacks.join(', ')}.\n`)
  if (evict) lines.push(`Evicting ${few(evict)} would do${byPreemption ? ' (of lower priority: the scheduler may do so by itself)' : ''}.\n`)
  if (score && best) lines.push(`\n${best.node === score.node ? 'It is the best node:' : `It is not the best node: ${best.node} is ${best.total - score.total} ahead.`}\n${scoreTable(best.node === score.node ? [score] : [best, score], best.node)}`)
  for (const note of notes) lines.push(`Note: ${note}.\n`)
  return lines.join('')
}
