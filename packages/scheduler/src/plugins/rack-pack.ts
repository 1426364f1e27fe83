import type { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable } from '../framework/status.ts'
import { rackOf } from './placement/racks.ts'
import { scoreByRank } from './placement/ranks.ts'
import { groupOf } from './placement/service-of.ts'
import { tallyOf } from './placement/tally.ts'

/** RackPackArgs: whether a gang may be split where no rack has room for all of it. */
export interface RackPackArgs {
  readonly mode?: 'Preferred' | 'Required'
}

const key = 'RackPack'
/** How many pods of a group stand and fit in each rack. */
interface Racks { readonly members: Map<string, number>; readonly room: ReadonlyMap<string, number> }

/** How many pods like this one the node still takes, by what they ask for. */
function roomFor({ requests }: PodInfo, node: NodeInfo): number {
  let room = node.allowedPods - node.pods.size
  const bound = (wanted: number, free: number): void => { if (wanted > 0) room = Math.min(room, Math.trunc(free / wanted)) }
  bound(requests.milliCpu, node.allocatable.milliCpu - node.requested.milliCpu)
  bound(requests.memory, node.allocatable.memory - node.requested.memory)
  bound(requests.ephemeralStorage, node.allocatable.ephemeralStorage - node.requested.ephemeralStorage)
  for (const [resource, wanted] of requests.scalar) bound(wanted, node.allocatable.get(resource) - node.requested.get(resource))
  return Math.max(0, room)
}

/** Where the pod's group stands, and where more of it fits. */
function survey(pod: PodInfo, snapshot: Snapshot): Racks {
  const group = groupOf(pod)
  const members = new Map<string, number>()
  const room = new Map<string, number>()
  for (const node of snapshot.nodes) {
    const rack = rackOf(node)
    if (rack === undefined) continue
    const own = tallyOf(node).members.get(group)
    if (own !== undefined) members.set(rack, (members.get(rack) ?? 0) + own)
    room.set(rack, (room.get(rack) ?? 0) + roomFor(pod, node))
  }
  return { members, room }
}

/**
 * Packs a gang into one rack (label berth.dev/rack): pods go where most of their group stands; the first one goes where
 * most like it find room. `Required` keeps the others out of every other rack, `Preferred` (the default) scores alone.
 */
export function rackPack(args: RackPackArgs = {}): Plugin {
  const required = args.mode === 'Required'
  const membersOf = (state: CycleState): Map<string, number> | undefined => state.read<Racks>(key)?.members
  const count = (state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo, change: 1 | -1): void => {
    const rack = rackOf(node)
    const members = membersOf(state)
    if (rack === undefined || !members || other.pod.metadata.deletionTimestamp || groupOf(other) !== groupOf(pod)) return
    members.set(rack, (members.get(rack) ?? 0) + change)
  }
  return {
    name: 'RackPack',
    dependsOn: 'domain',
    // A rack becomes another one's when the group's last pod there goes, or when a node changes its rack.
    events: () => [
      { event: 'NodeAdded', helps: (_pod, { now }) => hasRack(now) },
      { event: 'NodeLabelsChanged', helps: (_pod, { now }) => hasRack(now) },
      { event: 'AssignedPodDeleted' },
    ],
    preFilter(state, pod, snapshot) {
      if (!required || groupOf(pod) === '') return { status: skip }
      state.write(key, survey(pod, snapshot))
      return undefined
    },
    addPod: (state, pod, other, node) => count(state, pod, other, node, 1),
    removePod: (state, pod, other, node) => count(state, pod, other, node, -1),
    filter(state, _pod, node) {
      const members = membersOf(state)
      if (!required || !members) return undefined
      const rack = rackOf(node)
      if (rack === undefined) return unresolvable('node(s) were in no rack')
      if ((members.get(rack) ?? 0) > 0) return undefined
      for (const standing of members.values()) if (standing > 0) return unresolvable("node(s) were in another rack than the pod's group")
      return undefined
    },
    preScore(state, pod, _nodes, snapshot) {
      if (groupOf(pod) === '') return skip
      if (!state.read<Racks>(key)) state.write(key, survey(pod, snapshot))
      return undefined
    },
    score(state, _pod, node) {
      const racks = state.read<Racks>(key)
      const rack = rackOf(node)
      if (!racks || rack === undefined) return 0
      return -((racks.members.get(rack) ?? 0) * 1_000_000 + (racks.room.get(rack) ?? 0) + 1)
    },
    normalize: (_state, _pod, scores) => scoreByRank(scores),
  }
}

function hasRack(node: unknown): boolean {
  const labels = (node as { metadata?: { labels?: Record<string, string> } } | undefined)?.metadata?.labels
  return Boolean(labels?.['berth.dev/rack'])
}
