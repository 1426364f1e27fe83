import type { Frontend } from '../services/frontends.ts'
import { affinityTag, hex, type TableSettings } from './table.ts'

/** Numbers drawn for traffic from inside under externalTrafficPolicy Local begin here; with affinity, those that bear the masquerade bit begin at `masquerade`. */
export const offsets = { inside: 32768, masquerade: 16384 } as const

/** More endpoints than this of one port are not used. */
export const maxEndpoints = 16383

/**
 * The chain that a frontend's traffic goes through, by name. It depends on the count of endpoints and the policy alone, never on the service, so that frontends share
 * chains and a service comes and goes by map elements. `outside-3`: three endpoints, traffic from outside of the pods is masqueraded; `always-3-stick10800`: with
 * affinity; `local-2-5`: two endpoints here, five in all for traffic from inside.
 */
export function chainOf(frontend: Frontend): string {
  const stick = frontend.affinity > 0 ? `-stick${frontend.affinity}` : ''
  const count = Math.min(frontend.endpoints.length, maxEndpoints)
  if (frontend.inside) return `local-${count}-${Math.min(frontend.inside.length, maxEndpoints)}${stick}`
  return `${frontend.masquerade}-${count}${stick}`
}

/** The rules of a chain that chainOf named; undefined for any other name. */
export function chainRules(name: string, settings: TableSettings): string[] | undefined {
  const match = /^(outside|always|never|local)-(\d+)(?:-(\d+))?(?:-stick(\d+))?$/.exec(name)
  if (!match) return undefined
  const [, policy, countText, insideText, stickText] = match
  const count = Number(countText)
  const stick = Number(stickText ?? 0)
  const { detector } = settings
  const pick = (guard: string, number: number, offset: number, masquerade: boolean): string[] => draw(guard, number, offset, masquerade, stick)
  switch (policy) {
    case 'outside': return detector ? [...pick(detector.notLocal, count, 0, true), ...pick('', count, 0, false)] : pick('', count, 0, false)
    case 'always': return pick('', count, 0, true)
    case 'never': return pick('', count, 0, false)
    default: {
      const inside = Number(insideText)
      const fromPods = detector ? pick(detector.local, inside, offsets.inside, false) : []
      const here = count > 0 ? pick('', count, 0, false) : []
      return [...fromPods, ...pick('fib saddr type local', inside, offsets.inside, true), ...here, 'drop']
    }
  }
}

const frontendKey = 'ip daddr . meta l4proto . th dport'

/**
 * The rules that draw one of `count` endpoints for packets that match the guard and send the connection there. With affinity, first the endpoint that the client had;
 * if it is gone, or there was none, the drawn one is remembered.
 */
function draw(guard: string, count: number, offset: number, masquerade: boolean, stick: number): string[] {
  if (count === 0) return []
  const g = guard === '' ? '' : `${guard} `
  const number = (from: number): string => `numgen random mod ${count} offset ${from}`
  if (stick === 0) {
    return [...(masquerade ? [`${g}jump mark_masquerade`] : []), `${g}dnat ip to ${frontendKey} . ${number(offset)} map @endpoints`]
  }
  const from = offset + (masquerade ? offsets.masquerade : 0)
  const client = `ip saddr . ${frontendKey}`
  const remember = `update @affinity { ${client} timeout ${stick}s : meta mark }`
  const go = `dnat ip to ${frontendKey} . meta mark map @affinity_endpoints`
  return [
    `${g}meta mark set ${client} map @affinity`,
    // Each new connection begins the time anew.
    `${g}meta mark and 0xff000000 == ${hex(affinityTag)} ${remember}`,
    `${g}${go}`,
    // Still here: the client had no endpoint, or one that is gone. An entry's data cannot be overwritten, only deleted.
    `${g}delete @affinity { ${client} : meta mark }`,
    `${g}meta mark set ${frontendKey} . ${number(from)} map @affinity_marks`,
    `${g}${remember}`,
    `${g}${go}`,
  ]
}
