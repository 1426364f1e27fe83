import { type ContainerConfig, CriError } from '@berth/cri'
import type { Engine } from '../engine/connect.ts'

/** Docker's device requests came to know CDI with API 1.44 (Docker 25). */
const withCdi = '1.44'

/** CDI devices as the Engine's API has them. Throws CriError naming the field where it has none. */
export function cdiRequests({ CDIDevices }: Pick<ContainerConfig, 'CDIDevices'>, engine: Pick<Engine, 'speaks' | 'version'>): { DeviceRequests?: { Driver: 'cdi'; DeviceIDs: string[] }[] } {
  if (CDIDevices.length === 0) return {}
  if (!engine.speaks(withCdi)) throw new CriError('InvalidArgument', `CDI_devices: ${CDIDevices.map(({ name }) => name).join(', ')} need Docker 25, this is ${engine.version}`)
  return { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: CDIDevices.map(({ name }) => name) }] }
}
