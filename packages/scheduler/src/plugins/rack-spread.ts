import type { Plugin } from '../framework/plugin.ts'
import { skip } from '../framework/status.ts'
import { rackOf, zoneOf } from './placement/racks.ts'
import { scoreByRank } from './placement/ranks.ts'
import { serviceOf } from './placement/service-of.ts'
import { tallyOf } from './placement/tally.ts'

const key = 'RackSpread'
/** No domain has as many pods of one service: what counts first is multiplied by it. */
const aboveAllPods = 100_000
/** Nodes in no rack come after all others. */
const rackless = aboveAllPods ** 3

interface Counts { readonly zones: ReadonlyMap<string, number>; readonly racks: ReadonlyMap<string, number>; readonly hosts: ReadonlyMap<string, number> }

/**
 * Spreads a service's pods over zones, within a zone over its racks (label berth.dev/rack), and within a rack over its
 * hosts: the domain with the fewest of them comes first, level by level. A preference; a bound on the skew is
 * PodTopologySpread's to give, with the same label as its topologyKey.
 */
export function rackSpread(): Plugin {
  return {
    name: 'RackSpread',
    dependsOn: 'domain',
    preScore(state, pod, _nodes, snapshot) {
      const service = serviceOf(pod)
      if (service === '') return skip
      const zones = new Map<string, number>()
      const racks = new Map<string, number>()
      const hosts = new Map<string, number>()
      for (const node of snapshot.nodes) {
        const own = tallyOf(node).members.get(service)
        if (own === undefined) continue
        hosts.set(node.name, own)
        zones.set(zoneOf(node), (zones.get(zoneOf(node)) ?? 0) + own)
        const rack = rackOf(node)
        if (rack !== undefined) racks.set(rack, (racks.get(rack) ?? 0) + own)
      }
      state.write(key, { zones, racks, hosts } satisfies Counts)
      return undefined
    },
    score(state, _pod, node) {
      const found = state.read<Counts>(key)
      const rack = rackOf(node)
      if (!found || rack === undefined) return rackless
      return ((found.zones.get(zoneOf(node)) ?? 0) * aboveAllPods + (found.racks.get(rack) ?? 0)) * aboveAllPods + (found.hosts.get(node.name) ?? 0)
    },
    normalize: (_state, _pod, scores) => scoreByRank(scores),
  }
}
