import { contains, parseRange } from '../ipv4.ts'
import type { Backend, BackendPlan } from './backend.ts'

/** Each node is the gateway to its own pods: a plain route through the network that all nodes share. Nothing is encapsulated, so a node behind a router is out of reach. */
export const hostGw: Backend = {
  type: 'host-gw',
  plan(peers, local) {
    const plan: BackendPlan = { routes: [], problems: [] }
    for (const peer of peers) {
      const near = local.find(({ cidr }) => !cidr.includes(':') && contains(parseRange(cidr), peer.address))
      if (near) plan.routes.push({ cidr: peer.podCidr, device: near.device, via: peer.address })
      else plan.problems.push(`node ${peer.name}: ${peer.address} is on no network of this node, which host-gw needs`)
    }
    return plan
  },
}
