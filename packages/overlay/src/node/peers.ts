import type { Node } from '@berth/api/types/core/v1'
import type { Peer } from '../backends/backend.ts'
import { isIpv4 } from '../ipv4.ts'

/** Keeps of a Node what the overlay reads, so that a large cluster's nodes cost little. */
export function projectNode(node: Node): Node {
  const { name, uid, resourceVersion } = node.metadata ?? { name: '' }
  const addresses = node.status?.addresses?.filter((address) => address.type === 'InternalIP')
  return { apiVersion: node.apiVersion, kind: node.kind, metadata: { name, uid, resourceVersion }, spec: { podCIDR: node.spec?.podCIDR, podCIDRs: node.spec?.podCIDRs }, status: { addresses } }
}

/** The node's IPv4 pod range; undefined until the control plane has given one. */
export function podCidrOf(node: Node): string | undefined {
  const all = node.spec?.podCIDRs?.length ? node.spec.podCIDRs : [node.spec?.podCIDR ?? '']
  return all.find((cidr) => cidr !== '' && !cidr.includes(':'))
}

/** The node as a peer; undefined while its pod range or address is not known. */
export function peerOf(node: Node): Peer | undefined {
  const podCidr = podCidrOf(node)
  const address = node.status?.addresses?.find((candidate) => candidate.type === 'InternalIP' && isIpv4(candidate.address ?? ''))?.address
  return podCidr && address ? { name: node.metadata?.name ?? '', podCidr, address } : undefined
}
