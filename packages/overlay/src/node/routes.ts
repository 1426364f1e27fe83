import type { LocalAddress, Route } from '../backends/backend.ts'

/** Reads `list-routes own` of the node, without the pods' own routes (/32 over their veth), which belong to the attachments. */
export function parseNodeRoutes(lines: readonly string[]): Route[] {
  return lines.flatMap((line): Route[] => {
    const [kind, cidr = '', device = '', , via = '-'] = line.split(' ')
    if (kind !== 'route' || cidr.endsWith('/32') || cidr.includes(':')) return []
    return [{ cidr, device, ...(via === '-' ? {} : { via }) }]
  })
}

export function parseAddresses(lines: readonly string[]): LocalAddress[] {
  return lines.flatMap((line) => {
    const [kind, device = '', cidr = ''] = line.split(' ')
    return kind === 'addr' && device !== 'lo' ? [{ device, cidr }] : []
  })
}

/** The actions from the routes that are to those that should be. A route that another takes the place of is replaced, not deleted first. */
export function routeActions(wanted: readonly Route[], actual: readonly Route[]): string[] {
  const words = (route: Route): string => `${route.cidr} ${route.device}${route.via ? ` via ${route.via}` : ''}`
  const have = new Set(actual.map(words))
  const want = new Set(wanted.map(words))
  const kept = new Set(wanted.map((route) => route.cidr))
  return [
    ...wanted.filter((route) => !have.has(words(route))).map((route) => `route-set ${words(route)}`),
    ...actual.filter((route) => !want.has(words(route)) && !kept.has(route.cidr)).map((route) => `optional route-del ${route.cidr} ${route.device}`),
  ]
}
