import { gateway, hardwareAddresses, hostDevice } from './names.ts'

export interface Attachment {
  containerId: string
  ifName: string
  /** Path of the pod's network namespace. */
  netns: string
  address: string
  mtu: number
  /** Path of the node's network namespace. */
  nodeNetns: string
}

/** The actions that give a pod its interface. They begin with removing what an earlier, broken attempt left, so they can be repeated. */
export function attachActions({ containerId, ifName, netns, address, mtu, nodeNetns }: Attachment): string[] {
  const device = hostDevice(containerId, ifName)
  const mac = hardwareAddresses(address)
  return [
    `in ${nodeNetns}`,
    `optional link-del ${device}`,
    `veth ${device} ${ifName} ${netns} ${mtu} ${mac.host} ${mac.pod}`,
    // A pod can only send from its own address: what does not route back through this device is dropped.
    `sysctl net/ipv4/conf/${device}/rp_filter 1`,
    `optional sysctl net/ipv6/conf/${device}/disable_ipv6 1`,
    `link-up ${device}`,
    `route-set ${address}/32 ${device}`,
    `neigh-set ${device} ${address} ${mac.pod}`,
    `in ${netns}`,
    'optional link-up lo',
    `addr-add ${ifName} ${address}/32`,
    `link-up ${ifName}`,
    `route-set ${gateway}/32 ${ifName} scope link`,
    `neigh-set ${ifName} ${gateway} ${mac.host}`,
    `route-set 0.0.0.0/0 ${ifName} via ${gateway}`,
  ]
}

/** The actions that take it away: the pod's end goes with the host's. Fine where nothing is. */
export function detachActions(containerId: string, ifName: string, nodeNetns: string): string[] {
  return [`in ${nodeNetns}`, `optional link-del ${hostDevice(containerId, ifName)}`]
}

/** The actions that list what CHECK compares. */
export function checkActions({ ifName, netns, nodeNetns }: Pick<Attachment, 'ifName' | 'netns' | 'nodeNetns'>): string[] {
  return [`in ${nodeNetns}`, 'list-links', 'list-routes own', `in ${netns}`, `list-addrs ${ifName}`, 'list-routes own', `list-neighs ${ifName}`]
}

/** What is missing of an attachment, in words; undefined if all is there. `lines` is what checkActions listed. */
export function findMissing({ containerId, ifName, address }: Pick<Attachment, 'containerId' | 'ifName' | 'address'>, lines: readonly string[]): string | undefined {
  const device = hostDevice(containerId, ifName)
  const wanted: [string, string][] = [
    [`link ${device} `, `interface ${device} on the node`],
    [`route ${address}/32 ${device} `, `the route to ${address} on the node`],
    [`addr ${ifName} ${address}/32`, `address ${address} on ${ifName}`],
    [`route 0.0.0.0/0 ${ifName} via ${gateway} `, `the default route through ${ifName}`],
    [`neigh ${gateway} ${hardwareAddresses(address).host}`, `the neighbour entry of the gateway on ${ifName}`],
  ]
  return wanted.find(([start]) => !lines.some((line) => line.startsWith(start)))?.[1]
}
