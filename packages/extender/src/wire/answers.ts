import type { FilterAnswer } from '../core/extender.ts'
import type { HostPriority, MetaVictims } from './protocol.ts'
import type { NodesRequest } from './requests.ts'
import type { SentNode } from './sent-node.ts'

const comma = Buffer.from(',')

/** filter's answer: names for names; for whole nodes the same bytes that came in. */
export function filterAnswer(request: NodesRequest, { passed, failed, unresolvable }: FilterAnswer): Buffer[] {
  const rest = `"FailedNodes":${JSON.stringify(failed)},"FailedAndUnresolvableNodes":${JSON.stringify(unresolvable)},"Error":""}`
  const { whole } = request
  if (!whole) return [Buffer.from(`{"Nodes":null,"NodeNames":${JSON.stringify(passed.map((i) => request.nodes[i]))},${rest}`)]
  const parts: Buffer[] = [Buffer.from('{"Nodes":{"metadata":{},"items":[')]
  // Neighbours in the request are neighbours in the answer: one piece, with the commas between them.
  for (let i = 0; i < passed.length;) {
    const first = request.nodes[passed[i] ?? 0] as SentNode
    let last = first
    for (i++; i < passed.length && passed[i] === (passed[i - 1] ?? 0) + 1; i++) last = request.nodes[passed[i] ?? 0] as SentNode
    if (parts.length > 1) parts.push(comma)
    parts.push(whole.subarray(first.start, last.end))
  }
  return [...parts, Buffer.from(`]},"NodeNames":null,${rest}`)]
}

export function prioritizeAnswer(priorities: readonly HostPriority[]): Buffer {
  let text = '['
  for (const [i, { Host, Score }] of priorities.entries()) text += `${i > 0 ? ',' : ''}{"Host":${JSON.stringify(Host)},"Score":${Score}}`
  return Buffer.from(`${text}]`)
}

/** preempt's answer is in UIDs, whatever was asked with. */
export function preemptAnswer(victims: Readonly<Record<string, MetaVictims>>): Buffer {
  return Buffer.from(JSON.stringify({ NodeNameToMetaVictims: victims }))
}

export function errorAnswer(message: string): Buffer {
  return Buffer.from(JSON.stringify({ Error: message }))
}
