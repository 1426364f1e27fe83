import type { ResourceSlice } from '../types/resource/v1.ts'

/** A taint without a time is given one by the server when it stores the slice: this package has no clock. */
export function defaultResourceSlice(slice: ResourceSlice): void {
  for (const device of slice.spec?.devices ?? []) {
    for (const mapping of Object.values(device.nodeAllocatableResourceMappings ?? {})) mapping.allocationMultiplier ??= '1'
  }
}
