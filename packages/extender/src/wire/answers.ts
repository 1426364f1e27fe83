import type { FilterAnswer } from '../core/extender.ts'
import type { HostPriority, MetaVictims } from './protocol.ts'
import type { NodesRequest, SentNode } from './requests.ts'

/** filter's answer: names for names; for whole nodes the same bytes that came in. */
export function filterAnswer(request: NodesRequest, { passed, failed, unresolvable }: FilterAnswer): Buffer {
  const rest = `"FailedNodes":${JSON.stringify(failed)},"FailedAndUnresolvableNodes":${JSON.stringify(unresolvable)},"Error":""}`
  if (!request.whole) return Buffer.from(`{"Nodes":null,"NodeNames":${JSON.stringify(passed.map((i) => request.nodes[i]))},${rest}`)
  const parts: Buffer[] = []
  const comma = Buffer.from(',')
  for (const [place, i] of passed.entries()) {
    if (place > 0) parts.push(comma)
    parts.push((request.nodes[i] as SentNode).bytes)
  }
  return Buffer.concat([Buffer.from('{"Nodes":{"metadata":{},"items":['), ...parts, Buffer.from(`]},"NodeNames":null,${rest}`)])
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
