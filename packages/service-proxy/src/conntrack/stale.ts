import type { Frontend } from '../services/frontends.ts'

/** A connection as the kernel tracks it: where the client sent to, and who answers. */
export interface Flow {
  protocol: string
  destination: string
  destinationPort: number
  replySource: string
  replySourcePort: number
}

/** Reads `conntrack -L -o ...` lines; what is not understood is passed over. */
export function parseFlows(text: string): Flow[] {
  return text.split('\n').flatMap((line): Flow[] => {
    const protocol = line.trim().split(/\s+/)[0] ?? ''
    const pairs = [...line.matchAll(/\b(src|dst|sport|dport)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const)
    // First the original direction's four, then the reply's.
    const [original, reply] = [pairs.slice(0, 4), pairs.slice(4, 8)].map((four) => new Map(four))
    const destination = original?.get('dst')
    const replySource = reply?.get('src')
    if (!destination || !replySource || !reply?.has('sport')) return []
    return [{ protocol, destination, destinationPort: Number(original?.get('dport')), replySource, replySourcePort: Number(reply.get('sport')) }]
  })
}

/**
 * Flows to one of these frontends that go where none of its endpoints is (any more): one of each, since all of the same destination and answering side are removed
 * together. UDP has no end that would end them: a client that keeps its port would talk to a dead endpoint for ever, or past a service that got its first endpoint.
 */
export function findStale(flows: readonly Flow[], frontend: (key: string) => Frontend | undefined): Flow[] {
  const stale = new Map<string, Flow>()
  for (const flow of flows) {
    const found = frontend(`${flow.destination} . ${flow.protocol} . ${flow.destinationPort}`)
    if (!found) continue
    const target = `${flow.replySource} . ${flow.replySourcePort}`
    if (!found.endpoints.includes(target) && !found.inside?.includes(target)) stale.set(JSON.stringify(flow), flow)
  }
  return [...stale.values()]
}

/** The arguments that remove all flows like this one. */
export function deleteArguments(flow: Flow): string[] {
  return ['-D', '-p', flow.protocol, '--orig-dst', flow.destination, '--orig-port-dst', String(flow.destinationPort), '--reply-src', flow.replySource, '--reply-port-src', String(flow.replySourcePort)]
}
