import { expect, test } from 'vitest'
import { parseResolvConf, parseUpstream } from './forward/resolvers.ts'
import { settle } from './settings.ts'

test('defaults are those of the specification\'s servers', () => {
  expect(settle({ nodeName: 'a', listen: ['172.30.0.11'] }, 0)).toEqual({
    nodeName: 'a', listen: [{ address: '172.30.0.11', port: 53 }], upstreams: undefined, clusterDomain: 'cluster.local', ttl: 5, publish: true, verbosity: 0, serviceIp: undefined, metrics: undefined,
  })
  expect(settle({ nodeName: 'a', listen: ['172.30.0.11'], manageService: true }, 0).serviceIp).toBe('10.96.0.10')
})

test.each([
  [{ listen: [] }, 'listen: at least one address'],
  [{ listen: ['example.com'] }, 'listen[0]: "example.com" is no IP address'],
  [{ listen: ['0.0.0.0'] }, 'listen[0]: 0.0.0.0 cannot be this node\'s endpoint'],
  [{ listen: ['10.0.0.1'], upstreams: ['10.0.0.1:53'] }, 'upstreams: 10.0.0.1 is this server itself'],
  [{ listen: ['10.0.0.1'], clusterDomain: 'a..b' }, 'clusterDomain: "a..b" is no DNS name'],
  [{ listen: ['10.0.0.1'], clusterDomain: 'a'.repeat(64) }, `clusterDomain: "${'a'.repeat(64)}" is no DNS name`],
  [{ listen: ['10.0.0.1'], ttl: -1 }, 'ttl: must be'],
])('%j is refused', (config, words) => {
  expect(() => settle({ nodeName: 'a', ...config }, 0)).toThrow(words)
})

test.each([
  ['10.0.0.1', { address: '10.0.0.1', port: 53 }],
  ['10.0.0.1:5353', { address: '10.0.0.1', port: 5353 }],
  ['fd00::1', { address: 'fd00::1', port: 53 }],
  ['[fd00::1]:5353', { address: 'fd00::1', port: 5353 }],
  ['10.0.0.1:99999', undefined],
  ['host:53', undefined],
])('the address %s is read', (text, want) => {
  expect(parseUpstream(text)).toEqual(want)
})

test('of a resolv.conf the name servers count that can be reached from a node', () => {
  const text = 'search example.com\nnameserver 127.0.0.53\nnameserver ::1 # us\n nameserver   192.0.2.53\nnameserver fe80::1%eth0\n#nameserver 192.0.2.1\nnameserver 2001:db8::53\n'
  expect(parseResolvConf(text)).toEqual(['192.0.2.53', '2001:db8::53'])
})
