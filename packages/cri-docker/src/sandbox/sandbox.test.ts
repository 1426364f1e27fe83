import { describe, expect, test } from 'vitest'
import { cgroupParentOf } from '../shim.ts'
import type { SandboxSpec } from '../state/labels.ts'
import { hostsFile, resolvConf } from './files.ts'
import { attachmentOf, bandwidthOf, ipRangesOf } from './network.ts'

test('a resolv.conf has what the pod’s DNS says, and none where it says nothing', () => {
  expect(resolvConf({ servers: ['10.96.0.10', '::1'], searches: ['a.b', 'b'], options: ['ndots:5'] })).toBe('nameserver 10.96.0.10\nnameserver ::1\nsearch a.b b\noptions ndots:5\n')
  expect(resolvConf({})).toBeUndefined()
  expect(resolvConf(undefined)).toBeUndefined()
})

test('a hosts file names the pod by each of its addresses', () => {
  expect(hostsFile('web', ['10.0.0.2', 'fd00::2'])).toMatch(/^127\.0\.0\.1\tlocalhost\n[\s\S]*\n10\.0\.0\.2\tweb\nfd00::2\tweb\n$/)
})

describe('what plugins are told of a pod', () => {
  const spec = { metadata: { name: 'web', namespace: 'shop', uid: 'u', attempt: 0 }, annotations: {}, portMappings: [] } as unknown as SandboxSpec

  test('is its name, its interface, and the host ports it has', () => {
    const portMappings = [
      { containerPort: 80, hostPort: 8080, protocol: 'TCP', hostIp: '127.0.0.1' },
      { containerPort: 81, hostPort: 0, protocol: 'UDP', hostIp: '' },
    ]
    expect(attachmentOf('id', '/proc/1/ns/net', { ...spec, portMappings })).toEqual({
      containerId: 'id',
      netns: '/proc/1/ns/net',
      ifName: 'eth0',
      args: [
        ['IgnoreUnknown', '1'],
        ['K8S_POD_NAMESPACE', 'shop'],
        ['K8S_POD_NAME', 'web'],
        ['K8S_POD_INFRA_CONTAINER_ID', 'id'],
        ['K8S_POD_UID', 'u'],
      ],
      capabilityArgs: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '127.0.0.1' }] },
    })
  })

  test.each([
    ['1M', 1_000_000],
    ['1Mi', 1_048_576],
    ['2k', 2000],
    ['1.5G', 1_500_000_000],
    ['100', 100],
  ])('is its bandwidth: %s is %i bits a second', (text, bits) => {
    expect(bandwidthOf({ 'kubernetes.io/egress-bandwidth': text })).toEqual({ egressRate: bits, egressBurst: 2 ** 31 - 1 })
  })
})

test.each([
  ['', '/kubepods/pod1', '/kubepods/pod1'],
  ['/berth/n1', '/kubepods/pod1', '/berth/n1/kubepods/pod1'],
  ['/berth/n1', '/berth/n1/kubepods/pod1', '/berth/n1/kubepods/pod1'],
  ['/berth/n1', '', '/berth/n1'],
])('with the prefix %j the cgroup parent %j is %j', (cgroupParentPrefix, parent, expected) => {
  expect(cgroupParentOf({ cgroupParentPrefix, cgroupDriver: 'cgroupfs' }, parent)).toBe(expected)
})

test('the systemd driver takes the slice alone, and nothing else', () => {
  const systemd = { cgroupParentPrefix: '', cgroupDriver: 'systemd' as const }
  expect(cgroupParentOf(systemd, '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice')).toBe('kubepods-burstable-pod1.slice')
  expect(cgroupParentOf(systemd, '')).toBe('')
  expect(() => cgroupParentOf(systemd, '/kubepods/pod1')).toThrow('linux.cgroup_parent: "/kubepods/pod1" is no slice')
})

test('pod CIDRs become range sets for the plugins that want them', () => {
  expect(ipRangesOf('10.1.0.0/24,fd00::/64')).toEqual([[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]])
  for (const wrong of ['10.1.0.0', '10.1.0.0/33', 'x/24', '10.1.0.0/24,']) expect(() => ipRangesOf(wrong)).toThrow('pod_cidr')
})
