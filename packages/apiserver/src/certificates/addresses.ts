import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'
import type { ApiServerOptions } from '../interfaces.ts'

/** The address other machines reach the server at: --advertise-address, else --bind-address, else the first address that is no loopback. */
export function advertiseAddressOf(options: Pick<ApiServerOptions, 'advertiseAddress' | 'bindAddress'>): string {
  if (options.advertiseAddress) return options.advertiseAddress
  if (isIP(options.bindAddress) && options.bindAddress !== '0.0.0.0' && options.bindAddress !== '::') return options.bindAddress
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((a) => !a.internal)
  return (addresses.find((a) => a.family === 'IPv4') ?? addresses[0])?.address ?? '127.0.0.1'
}

/** The first usable address of the service range: that of the `kubernetes` Service. */
export function firstServiceAddress(range: string): string {
  const [address, bits] = ipaddr.parseCIDR(range.split(',')[0]?.trim() ?? '')
  const network = address.kind() === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${bits}`) : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${bits}`)
  const bytes = network.toByteArray()
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1
  return ipaddr.fromByteArray(bytes).toString()
}

/** Names and addresses that the generated serving certificate is for. */
export function servingNames(options: ApiServerOptions): { dnsNames: string[], ipAddresses: string[] } {
  const bound = isIP(options.bindAddress) && options.bindAddress !== '0.0.0.0' && options.bindAddress !== '::' ? [options.bindAddress] : []
  const all = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost', hostname().toLowerCase(),
    firstServiceAddress(options.serviceClusterIpRange), '127.0.0.1', '::1', advertiseAddressOf(options), ...bound, ...options.certSans]
  const distinct = [...new Set(all.filter((n) => n !== ''))]
  return { dnsNames: distinct.filter((n) => !isIP(n)), ipAddresses: distinct.filter((n) => isIP(n)) }
}
