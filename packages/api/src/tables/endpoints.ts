import type { Endpoints } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { firstThree } from './format.ts'

/** Addresses with their ports, subset by subset, port by port; addresses alone where there are no ports. */
function addresses({ subsets }: Endpoints): string[] {
  return (subsets ?? []).flatMap((subset) => {
    const ips = (subset.addresses ?? []).map(({ ip }) => ip)
    if (!subset.ports?.length) return ips
    return subset.ports.flatMap(({ port }) => ips.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
  })
}

export const endpointsTable: KindTable<Endpoints> = {
  columns: [nameColumn, { name: 'Endpoints', description: ['core/v1', 'Endpoints', 'subsets'] }, ageColumn],
  cells: (endpoints, now) => [endpoints.metadata.name, firstThree(addresses(endpoints), '<none>'), ageOf(endpoints, now)],
}
