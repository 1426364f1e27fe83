import type { Frontend, ServiceRules } from '../services/frontends.ts'
import { chainOf, maxEndpoints, offsets } from './chains.ts'
import { numberEndpoints, placeEndpoints } from './placement.ts'
import { affinityTag, hex, type MapName } from './table.ts'

/** One element of a map or set. A set's elements have the value ''. */
export interface Element {
  map: MapName
  key: string
  value: string
}

/** What of the table as it is decides where endpoints are placed: who has which number, who has which mark. */
export interface Placement {
  /** The endpoint at a key of the map `endpoints` (frontend . number); undefined: none. */
  endpoint(key: string): string | undefined
  /** Endpoints of a frontend by their affinity mark. */
  marks(frontend: string): ReadonlyMap<number, string>
}

/** The bits of an affinity mark that number an endpoint: all but the tag and the masquerade bit. */
function markOf(number: number, masqueradeMark: number): number {
  // The bits of the number above the masquerade bit move up by one, so that the bit itself stays free.
  const low = number % masqueradeMark
  return affinityTag + low + (number - low) * 2
}

function numberOf(mark: number, masqueradeMark: number): number {
  const plain = (mark - affinityTag) % 2 ** 24
  const low = plain % masqueradeMark
  return low + Math.floor(plain / (masqueradeMark * 2)) * masqueradeMark
}

/** All elements of a frontend, placed with as little change as possible. */
export function frontendElements(frontend: Frontend, before: Placement, masqueradeMark: number): Element[] {
  const { key } = frontend
  const firewall: Element[] = frontend.sources === undefined ? []
    : [{ map: 'firewall', key, value: '' }, ...frontend.sources.map((source): Element => ({ map: 'firewall_allow', key: `${key} . ${source}`, value: '' }))]
  if (frontend.endpoints.length === 0 && !frontend.inside?.length) {
    return [...firewall, { map: 'no_endpoints', key, value: `goto ${frontend.otherwise === 'reject' ? 'refuse' : 'discard'}` }]
  }
  const elements: Element[] = [...firewall, { map: 'services', key, value: `goto ${chainOf(frontend)}` }]
  const groups = [{ wanted: frontend.endpoints, offset: 0 }, { wanted: frontend.inside ?? [], offset: offsets.inside }]
  if (frontend.affinity > 0) return [...elements, ...affinityElements(key, groups, before, masqueradeMark)]
  for (const { wanted, offset } of groups) {
    const had: string[] = []
    for (let i = 0, at = before.endpoint(`${key} . ${offset}`); at !== undefined; at = before.endpoint(`${key} . ${offset + ++i}`)) had.push(at)
    placeEndpoints(had, wanted.slice(0, maxEndpoints)).forEach((endpoint, i) => elements.push({ map: 'endpoints', key: `${key} . ${offset + i}`, value: endpoint }))
  }
  return elements
}

/** With affinity a number leads to a mark, and the mark to the endpoint: numbers may change hands, marks do not. Both exist with and without the masquerade bit. */
function affinityElements(key: string, groups: { wanted: readonly string[]; offset: number }[], before: Placement, masqueradeMark: number): Element[] {
  const had = new Map([...before.marks(key)].map(([mark, endpoint]) => [endpoint, numberOf(mark, masqueradeMark)]))
  const all = [...new Set(groups.flatMap(({ wanted }) => wanted.slice(0, maxEndpoints)))]
  const elements: Element[] = []
  const numbers = numberEndpoints(had, all)
  for (const [endpoint, number] of numbers) {
    const mark = markOf(number, masqueradeMark)
    for (const bits of [mark, mark + masqueradeMark]) elements.push({ map: 'affinity_endpoints', key: `${key} . ${hex(bits)}`, value: endpoint })
  }
  for (const { wanted, offset } of groups) {
    wanted.slice(0, maxEndpoints).forEach((endpoint, i) => {
      const mark = markOf(numbers.get(endpoint) ?? 0, masqueradeMark)
      elements.push({ map: 'affinity_marks', key: `${key} . ${offset + i}`, value: hex(mark) })
      elements.push({ map: 'affinity_marks', key: `${key} . ${offset + offsets.masquerade + i}`, value: hex(mark + masqueradeMark) })
    })
  }
  return elements
}

/** What a service has beside its frontends. */
export function serviceElements(rules: ServiceRules): Element[] {
  return [
    ...rules.clusterIps.map((key): Element => ({ map: 'cluster_ips', key, value: '' })),
    ...rules.hairpins.map((address): Element => ({ map: 'hairpin', key: `${address} . ${address}`, value: '' })),
  ]
}
