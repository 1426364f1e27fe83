import { gateway, hardwareAddresses, hostDevice } from '../attach/names.ts'
import { atLeast, type CniVersion } from './versions.ts'

/** The result of ADD in the form of the version that the caller speaks. */
export function addResult(version: CniVersion, a: { containerId: string; ifName: string; netns: string; address: string; mtu: number; dns: unknown }): Record<string, unknown> {
  const mac = hardwareAddresses(a.address)
  const mtu = atLeast(version, '1.1.0') ? { mtu: a.mtu } : {}
  return {
    cniVersion: version,
    interfaces: [
      { name: hostDevice(a.containerId, a.ifName), mac: mac.host, ...mtu },
      { name: a.ifName, mac: mac.pod, ...mtu, sandbox: a.netns },
    ],
    // "version" was dropped with 1.0.0.
    ips: [{ ...(atLeast(version, '1.0.0') ? {} : { version: '4' }), interface: 1, address: `${a.address}/32`, gateway }],
    routes: [{ dst: '0.0.0.0/0', gw: gateway }],
    dns: a.dns ?? {},
  }
}

/** An error in the form that runtimes read. */
export function errorResult(version: string, code: number, message: string, details: string): Record<string, unknown> {
  return { cniVersion: version, code, msg: message, ...(details ? { details } : {}) }
}
