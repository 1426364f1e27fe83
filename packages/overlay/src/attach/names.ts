import { createHash } from 'node:crypto'
import { toNumber } from '../ipv4.ts'

/** The host end's name for a container's interface: the same each time, so that nothing has to be remembered to find it. */
export function hostDevice(containerId: string, ifName: string): string {
  return `bth${createHash('sha1').update(`${containerId}\0${ifName}`).digest('hex').slice(0, 10)}`
}

/** Whether a device's name is one that hostDevice gives: no other software names its devices so. */
export function isHostDevice(name: string): boolean {
  return /^bth[0-9a-f]{10}$/.test(name)
}

/** The pod's gateway: a link-local address that exists nowhere; a static neighbour entry leads to the host end. */
export const gateway = '169.254.1.1'

/** Hardware addresses derived from the pod's address: unique where the address is, and the same after a restart. */
export function hardwareAddresses(address: string): { host: string; pod: string } {
  const tail = toNumber(address).toString(16).padStart(8, '0').replace(/../g, ':$&')
  return { host: `0e:58${tail}`, pod: `0a:58${tail}` }
}
