import type { Allocation } from '../allocator/allocator.ts'

export const natTable = 'berth-overlay'

/**
 * The nft program that puts our one table in place, all at once: masquerade of what pods send out of the cluster (`masquerade` is the cluster's pod range;
 * undefined: none), and host ports to their pods. Ports answer on every address of the node but 127.0.0.0/8.
 */
export function renderNat(masquerade: string | undefined, allocations: readonly Allocation[]): string {
  const anywhere: string[] = []
  const somewhere: string[] = []
  const hairpin: string[] = []
  for (const { address, ports } of allocations) {
    if (ports.length > 0) hairpin.push(`${address} . ${address}`)
    for (const { hostIP, hostPort, containerPort, protocol } of ports) {
      if (hostIP === '') anywhere.push(`${protocol} . ${hostPort} : ${address} . ${containerPort}`)
      else somewhere.push(`${hostIP} . ${protocol} . ${hostPort} : ${address} . ${containerPort}`)
    }
  }
  const elements = (list: string[]): string => (list.length > 0 ? `; elements = { ${list.toSorted().join(', ')} }` : '')
  const dnat = [
    '    dnat ip to ip daddr . meta l4proto . th dport map @hostports_on_address',
    '    dnat ip to meta l4proto . th dport map @hostports',
  ].join('\n')
  return `table inet ${natTable}
delete table inet ${natTable}
table inet ${natTable} {
  map hostports_on_address { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service${elements(somewhere)} ; }
  map hostports { type inet_proto . inet_service : ipv4_addr . inet_service${elements(anywhere)} ; }
  set hairpin { type ipv4_addr . ipv4_addr${elements(hairpin)} ; }
  chain hostports_in {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump to_hostport
  }
  chain hostports_out {
    type nat hook output priority -100; policy accept;
    fib daddr type local ip daddr != 127.0.0.0/8 jump to_hostport
  }
  chain to_hostport {
${dnat}
  }
  chain egress {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr . ip daddr @hairpin ct status dnat masquerade fully-random
${masquerade === undefined ? '' : `    ip saddr ${masquerade} ip daddr != { ${masquerade}, 224.0.0.0/4 } masquerade fully-random\n`}  }
}
`
}
