import type { EndpointSlice } from '../types/discovery/v1.ts'

/** A port has a name, though it may be empty, and a protocol. */
export function defaultEndpointSlice(slice: EndpointSlice): void {
  for (const port of slice.ports ?? []) {
    port.name ??= ''
    port.protocol ??= 'TCP'
  }
}
