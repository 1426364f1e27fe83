import type { NodeInfo } from '../../framework/node-info.ts'
import { wantedBy } from './bandwidth.ts'
import { groupOf, serviceOf } from './service-of.ts'

/** What plugins want to know of the pods on a node, counted once as long as they are the same. */
export interface Tally {
  readonly podsVersion: number
  /** How many there are. Those that are going do not count, here and in `members`. */
  readonly pods: number
  /** How many of each service and of each scheduling group. */
  readonly members: ReadonlyMap<string, number>
  /** What they have of the node's link, each way; those that are going have it still. One whose wish cannot be read has none. */
  readonly ingress: number
  readonly egress: number
}

const tallies = new WeakMap<NodeInfo, Tally>()

export function tallyOf(node: NodeInfo): Tally {
  const before = tallies.get(node)
  if (before?.podsVersion === node.podsVersion) return before
  let pods = 0
  let ingress = 0
  let egress = 0
  const members = new Map<string, number>()
  const count = (key: string): void => { if (key !== '') members.set(key, (members.get(key) ?? 0) + 1) }
  for (const info of node.pods.values()) {
    const wish = wantedBy(info)
    if (typeof wish !== 'string') {
      ingress += wish.ingress
      egress += wish.egress
    }
    if (info.pod.metadata.deletionTimestamp) continue
    pods++
    const service = serviceOf(info)
    const group = groupOf(info)
    count(service)
    if (group !== service) count(group)
  }
  const tally = { podsVersion: node.podsVersion, pods, members, ingress, egress }
  tallies.set(node, tally)
  return tally
}
