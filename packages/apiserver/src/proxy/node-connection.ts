import { core } from '@berth/api'
import type { Node } from '@berth/api/types/core/v1'
import { internalError, notFound } from '../errors.ts'
import type { ResourceStore } from '../interfaces.ts'

const kubeletPort = 10250

/** Where a node's kubelet listens: its first address of a preferred type (--kubelet-preferred-address-types). Throws NotFound, or InternalError where it has no address. */
export function kubeletAddress(store: ResourceStore, nodeName: string, preferred: readonly string[]): { host: string, port: number } {
  const node = store.get(core.nodes, nodeName)
  if (!node) throw notFound(core.nodes, nodeName)
  return { host: preferredAddress(node, preferred), port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPort }
}

function preferredAddress(node: Node, preferred: readonly string[]): string {
  const addresses = node.status?.addresses ?? []
  for (const type of preferred) {
    const found = addresses.find((a) => a.type === type && a.address !== '')
    if (found) return found.address
  }
  throw internalError(new Error(`no preferred addresses found; known addresses: [${addresses.map((a) => `{${a.type} ${a.address}}`).join(' ')}]`))
}
