import type { EndpointSlice } from '../types/discovery/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { firstThree } from './format.ts'

export const endpointSliceTable: KindTable<EndpointSlice> = {
  columns: [
    nameColumn,
    { name: 'AddressType', description: ['discovery/v1', 'EndpointSlice', 'addressType'] },
    { name: 'Ports', description: ['discovery/v1', 'EndpointSlice', 'ports'] },
    { name: 'Endpoints', description: ['discovery/v1', 'EndpointSlice', 'endpoints'] },
    ageColumn,
  ],
  cells: (slice, now) => [
    slice.metadata.name,
    slice.addressType,
    firstThree((slice.ports ?? []).map(({ port, name }) => (port === undefined ? name ?? '*' : String(port))), '<unset>'),
    firstThree((slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []), '<unset>'),
    ageOf(slice, now),
  ],
}
