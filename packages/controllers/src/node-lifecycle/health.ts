import type { Lease } from '@berth/api/types/coordination/v1'
import type { Node, NodeCondition } from '@berth/api/types/core/v1'
import { wireTime } from '../common/pods.ts'

/** What the controller remembers of a node: what it last saw, and when (by its own clock) that last changed. */
export interface NodeHealth {
  /** The Ready condition's heartbeat as last seen: what the kubelet alone moves. */
  heartbeat: string
  renewTime: string
  /** When the kubelet last gave a sign of life. */
  probedAt: number
}

export interface GracePeriods {
  monitor: number
  startup: number
}

/** The conditions that a kubelet posts and that become Unknown when it falls silent. */
const posted = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** Takes in what a node and its lease say now. */
export function observe(node: Node, lease: Lease | undefined, known: NodeHealth | undefined, now: number): NodeHealth {
  const ready = readyOf(node)
  const heartbeat = ready?.lastHeartbeatTime ?? ''
  const renewTime = lease?.spec?.renewTime ?? ''
  if (known === undefined) {
    // A node that has never posted is counted from its creation; one that has, from when we first see it.
    return { heartbeat, renewTime, probedAt: ready === undefined ? Date.parse(node.metadata.creationTimestamp ?? '') || now : now }
  }
  // Never backwards: our own NodeStatusNeverUpdated states the node's creation as its heartbeat.
  const alive = heartbeat > known.heartbeat && ready?.reason !== 'NodeStatusNeverUpdated' || renewTime > known.renewTime
  return { heartbeat, renewTime, probedAt: alive ? now : known.probedAt }
}

/** The conditions that a silent node gets; undefined where it is not silent, or they are so already. */
export function silentConditions(node: Node, health: NodeHealth, grace: GracePeriods, now: number): NodeCondition[] | undefined {
  const period = readyOf(node) === undefined ? grace.startup : grace.monitor
  if (now - health.probedAt <= period) return undefined
  const conditions = node.status?.conditions ?? []
  const time = wireTime(now)
  const next = new Map(conditions.map((condition) => [condition.type, condition]))
  for (const type of posted) {
    const known = next.get(type)
    if (known === undefined) next.set(type, { type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.', lastHeartbeatTime: node.metadata.creationTimestamp, lastTransitionTime: time })
    else if (known.status !== 'Unknown') next.set(type, { ...known, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: time })
  }
  const changed = [...next.values()].some((condition) => !conditions.includes(condition))
  return changed ? [...next.values()] : undefined
}

export function readyOf(node: Node): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')
}
