import { expect, test } from 'vitest'
import type { Node } from '@berth/api/types/core/v1'
import { routeChanges } from './pod-routes.ts'

const node = (podCIDR: string | undefined, address: string | undefined): Node => ({
  metadata: { name: 'n' }, spec: { ...(podCIDR !== undefined && { podCIDR }) }, status: { addresses: [{ type: 'Hostname', address: 'n' }, ...(address === undefined ? [] : [{ type: 'InternalIP', address }])] },
})
const own = 'default via 172.30.4.254 dev br0 \n172.30.4.0/24 dev br0 proto kernel scope link src 172.30.4.1 \n'

test.each([
  ['are set for nodes that have both a range and an address', own, [node('10.244.0.0/24', '172.30.4.11'), node(undefined, '172.30.4.12'), node('10.244.2.0/24', undefined), node('fd00::/64', '172.30.4.13')], ['route replace 10.244.0.0/24 via 172.30.4.11']],
  ['stay where they are right', `${own}10.244.0.0/24 via 172.30.4.11 dev br0 \n`, [node('10.244.0.0/24', '172.30.4.11')], []],
  ['move with a range, and go with a node', `${own}10.244.0.0/24 via 172.30.4.11 dev br0 \n10.244.1.0/24 via 172.30.4.12 dev br0 \n`, [node('10.244.0.0/24', '172.30.4.13')], ['route del 10.244.1.0/24 via 172.30.4.12', 'route replace 10.244.0.0/24 via 172.30.4.13']],
])('the routes to pods %s', (_name, shown, nodes, expected) => expect(routeChanges(shown, nodes)).toEqual(expected))
