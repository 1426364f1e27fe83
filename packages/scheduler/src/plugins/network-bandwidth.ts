import { maxNodeScore } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { skip, unresolvable, unschedulable } from '../framework/status.ts'
import { directions, linkOf, wantedBy, type Bandwidth } from './placement/bandwidth.ts'
import { tallyOf } from './placement/tally.ts'

/** NetworkBandwidthArgs: what becomes of pods that ask for bandwidth on nodes that do not say what their link carries. */
export interface NetworkBandwidthArgs {
  readonly unknownCapacity?: 'Reject' | 'Allow'
}

/** What the pod asks of a link; undefined where that is nothing, or cannot be read. */
function wishOf(pod: PodInfo): Bandwidth | undefined {
  const wish = wantedBy(pod)
  return typeof wish === 'string' || (wish.ingress === 0 && wish.egress === 0) ? undefined : wish
}

/**
 * Network bandwidth as a resource: pods ask for it by requests of berth.dev/ingress-bandwidth and berth.dev/egress-bandwidth
 * or by upstream's annotations; nodes say what their link carries. A link is never promised twice: what is decided but
 * not yet bound counts, since it is among the node's pods. Scores are the free share of the busier direction.
 */
export function networkBandwidth(args: NetworkBandwidthArgs = {}): Plugin {
  const allowUnknown = args.unknownCapacity === 'Allow'
  return {
    name: 'NetworkBandwidth',
    dependsOn: 'node-and-pods',
    events: () => [
      { event: 'NodeAdded' }, { event: 'NodeAllocatableChanged' }, { event: 'NodeAnnotationsChanged' }, { event: 'UnscheduledPodUpdated' },
      // Only a pod that had some of a link leaves any of it.
      { event: 'AssignedPodDeleted', helps: (_pod, { old }) => old === undefined || asksForBandwidth(old) },
      { event: 'AssignedPodUpdated', helps: (_pod, { old }) => old === undefined || asksForBandwidth(old) },
    ],
    preFilter(_state, pod) {
      const wish = wantedBy(pod)
      if (typeof wish === 'string') return { status: unresolvable(wish) }
      return wishOf(pod) ? undefined : { status: skip }
    },
    filter(_state, pod, node) {
      const wish = wishOf(pod)
      if (!wish) return undefined
      const link = linkOf(node)
      const hopeless: string[] = []
      const short: string[] = []
      const used = tallyOf(node)
      for (const direction of directions) {
        if (wish[direction] === 0) continue
        const capacity = link[direction]
        if (capacity === null) hopeless.push(`node(s) had an unreadable ${direction} bandwidth`)
        else if (capacity === undefined) {
          if (!allowUnknown) hopeless.push(`node(s) announced no ${direction} bandwidth`)
        } else if (wish[direction] > capacity) hopeless.push(`Insufficient ${direction} bandwidth`)
        else if (used[direction] + wish[direction] > capacity) short.push(`Insufficient ${direction} bandwidth`)
      }
      if (hopeless.length > 0) return unresolvable(...hopeless, ...short)
      return short.length > 0 ? unschedulable(...short) : undefined
    },
    preScore: (_state, pod) => wishOf(pod) ? undefined : skip,
    score(_state, pod, node) {
      const wish = wishOf(pod)
      if (!wish) return 0
      const link = linkOf(node)
      const used = tallyOf(node)
      let score = maxNodeScore
      for (const direction of directions) {
        if (wish[direction] === 0) continue
        const capacity = link[direction]
        score = Math.min(score, capacity ? Math.trunc(((capacity - used[direction] - wish[direction]) * maxNodeScore) / capacity) : 0)
      }
      return Math.max(0, score)
    },
  }
}

function asksForBandwidth(object: unknown): boolean {
  const pod = object as PodInfo['pod']
  const requests = [...pod.spec.containers, ...pod.spec.initContainers ?? []].flatMap(({ resources }) => Object.keys(resources?.requests ?? {}))
  return directions.some((direction) => pod.metadata.annotations?.[`kubernetes.io/${direction}-bandwidth`] !== undefined || requests.includes(`berth.dev/${direction}-bandwidth`))
}
