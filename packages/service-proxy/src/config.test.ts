import { expect, test } from 'vitest'
import { settle } from './config.ts'
import { nodePortAddresses } from './services/addresses.ts'

test('without a configuration the defaults are upstream\'s', () => {
  expect(settle({})).toMatchObject({
    healthz: { address: '0.0.0.0', port: 10256 }, metrics: { address: '127.0.0.1', port: 10249 }, detectLocal: { mode: 'ClusterCIDR' }, masqueradeMark: 0x4000, syncPeriodMs: 30_000,
    conntrack: [['nf_conntrack_tcp_timeout_established', 86_400], ['nf_conntrack_tcp_timeout_close_wait', 3600], ['nf_conntrack_max', expect.any(Number)]],
  })
})

test('the first IPv4 range of a dual-stack clusterCIDR counts', () => {
  expect(settle({ clusterCIDR: 'fd00::/48,10.244.0.0/16' }).clusterCidr).toBe('10.244.0.0/16')
})

test.each([
  [{ mode: 'ipvs' }, 'mode: Unsupported value: "ipvs"'],
  [{ nftables: { masqueradeBit: 30 } }, 'nftables.masqueradeBit: must be at most 23'],
  [{ detectLocalMode: 'BridgeInterface' }, 'detectLocal.bridgeInterface: an interface name is required'],
  [{ detectLocalMode: 'Guess' }, 'detectLocalMode: Unsupported value: "Guess"'],
  [{ healthzBindAddress: '[::]:10256' }, 'healthzBindAddress'],
  [{ enableProfiling: true }, 'enableProfiling'],
  [{ featureGates: { Frob: true } }, 'featureGates.Frob: unrecognized feature gate'],
])('%j is refused', (config, words) => {
  expect(() => settle(config)).toThrow(words)
})

test.each([
  { title: 'the primary one by default', ranges: [], want: ['172.30.0.11'] },
  { title: 'the primary one by name', ranges: ['primary'], want: ['172.30.0.11'] },
  { title: 'those in the ranges, never loopback', ranges: ['0.0.0.0/0'], want: ['172.30.0.11', '192.168.1.5'] },
])('node ports answer on $title', ({ ranges, want }) => {
  expect(nodePortAddresses(ranges, '172.30.0.11', ['127.0.0.1', '172.30.0.11', '192.168.1.5', 'fe80::1'])).toEqual(want)
})
