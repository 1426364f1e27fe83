import type { ResourceClaim, ResourceSlice } from '../types/resource/v1.ts'
import type { ObjectMeta } from '../types/meta/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

/** DeviceClass, ResourceClaimTemplate, Workload: name and age. */
export const nameAndAgeTable: KindTable<{ metadata: ObjectMeta }> = { columns: [nameColumn, ageColumn], cells: (object, now) => [object.metadata.name, ageOf(object, now)] }

function claimState({ metadata, status }: ResourceClaim): string {
  const deleted = metadata.deletionTimestamp !== undefined
  if (!status?.allocation) return deleted ? 'deleted' : 'pending'
  return [...(deleted ? ['deleted'] : []), 'allocated', ...(status.reservedFor?.length ? ['reserved'] : [])].join(',')
}

export const resourceClaimTable: KindTable<ResourceClaim> = {
  columns: [nameColumn, { name: 'State', description: 'A summary of the current state (allocated, pending, reserved, etc.).' }, ageColumn],
  cells: (claim, now) => [claim.metadata.name, claimState(claim), ageOf(claim, now)],
}

export const resourceSliceTable: KindTable<ResourceSlice> = {
  columns: [
    nameColumn,
    { name: 'Node', description: ['resource/v1', 'ResourceSliceSpec', 'nodeName'] },
    { name: 'Driver', description: ['resource/v1', 'ResourceSliceSpec', 'driver'] },
    { name: 'Pool', description: ['resource/v1', 'ResourcePool', 'name'] },
    ageColumn,
  ],
  cells: (slice, now) => [slice.metadata.name, slice.spec?.nodeName ?? '', slice.spec?.driver ?? '', slice.spec?.pool?.name ?? '', ageOf(slice, now)],
}
