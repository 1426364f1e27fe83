import { describe, expect, test } from 'vitest'
import { hostGw } from '../backends/host-gw.ts'
import { detectMtu } from './mtu.ts'
import { peerOf } from './peers.ts'
import { parseAddresses, parseNodeRoutes, routeActions } from './routes.ts'

const near = { cidr: '10.244.2.0/24', device: 'eth0', via: '172.30.0.12' }

describe('routes to nodes', () => {
  test.each([
    { title: 'nothing to do', wanted: [near], actual: [near], actions: [] },
    { title: 'a new node', wanted: [near], actual: [], actions: ['route-set 10.244.2.0/24 eth0 via 172.30.0.12'] },
    { title: 'a node that is gone', wanted: [], actual: [near], actions: ['optional route-del 10.244.2.0/24 eth0'] },
    { title: 'a node that moved is replaced, never deleted', wanted: [{ ...near, via: '172.30.0.13' }], actual: [near], actions: ['route-set 10.244.2.0/24 eth0 via 172.30.0.13'] },
    { title: 'a range of our own', wanted: [{ cidr: '10.244.1.0/24', device: 'unreachable' }], actual: [], actions: ['route-set 10.244.1.0/24 unreachable'] },
  ])('$title', ({ wanted, actual, actions }) => {
    expect(routeActions(wanted, actual)).toEqual(actions)
  })

  test('are told from the routes of pods', () => {
    const lines = ['route 10.244.1.5/32 bth0123456789 via - src - protocol 98 table 254', 'route 10.244.2.0/24 eth0 via 172.30.0.12 src - protocol 98 table 254', 'addr eth0 172.30.0.11/24']
    expect(parseNodeRoutes(lines)).toEqual([near])
    expect(parseAddresses(lines)).toEqual([{ device: 'eth0', cidr: '172.30.0.11/24' }])
  })

  test('host-gw goes through the network that both nodes are on, and names a node that is on none', () => {
    const peers = [{ name: 'b', podCidr: '10.244.2.0/24', address: '172.30.0.12' }, { name: 'c', podCidr: '10.244.3.0/24', address: '192.168.7.7' }]
    const plan = hostGw.plan(peers, [{ device: 'eth0', cidr: '172.30.0.11/24' }])
    expect(plan.routes).toEqual([near])
    expect(plan.problems).toEqual(['node c: 192.168.7.7 is on no network of this node, which host-gw needs'])
  })
})

test.each([
  { title: 'that of the default route', lines: ['link a 1 - 9000 up -', 'link b 2 - 1400 up -', 'route 0.0.0.0/0 b via 1.1.1.1'], mtu: 1400 },
  { title: 'else the least', lines: ['link lo 1 - 65536 up -', 'link a 1 - 9000 up -', 'link b 2 - 1400 down -'], mtu: 9000 },
  { title: 'else the common one', lines: [], mtu: 1500 },
])('the MTU of pods is $title', ({ lines, mtu }) => {
  expect(detectMtu(lines)).toBe(mtu)
})

test('a node is a peer once it has an IPv4 range and an internal address', () => {
  const metadata = { name: 'b' }
  const addresses = [{ type: 'Hostname', address: 'b' }, { type: 'InternalIP', address: 'fd00::1' }, { type: 'InternalIP', address: '172.30.0.12' }]
  expect(peerOf({ metadata, spec: { podCIDRs: ['fd01::/64', '10.244.2.0/24'] }, status: { addresses } })).toEqual({ name: 'b', podCidr: '10.244.2.0/24', address: '172.30.0.12' })
  expect(peerOf({ metadata, spec: {}, status: { addresses } })).toBeUndefined()
  expect(peerOf({ metadata, spec: { podCIDR: '10.244.2.0/24' } })).toBeUndefined()
})
