/** What a plugin's ADD answers (CNI 0.3.0 and later). */
export interface CniResult {
  cniVersion: string
  interfaces?: CniInterface[]
  ips?: CniAddress[]
  routes?: CniRoute[]
  dns?: CniDns
  [key: string]: unknown
}

export interface CniInterface {
  name: string
  mac?: string
  mtu?: number
  /** The path of the namespace it is in; absent for the host's. */
  sandbox?: string
}

export interface CniAddress {
  /** CIDR notation. */
  address: string
  gateway?: string
  /** Index into `interfaces`. */
  interface?: number
  /** "4" or "6"; gone since 1.0.0. */
  version?: string
}

export interface CniRoute {
  dst: string
  gw?: string
}

export interface CniDns {
  nameservers?: string[]
  domain?: string
  search?: string[]
  options?: string[]
}

/** The addresses (without prefix lengths) that a result gives to the container, in its order: those on an interface inside a sandbox, or on none named. */
export function containerAddresses(result: CniResult): string[] {
  return (result.ips ?? [])
    .filter((ip) => ip.interface === undefined || result.interfaces?.[ip.interface] === undefined || Boolean(result.interfaces[ip.interface]?.sandbox))
    .map((ip) => ip.address.replace(/\/.*$/, ''))
}
