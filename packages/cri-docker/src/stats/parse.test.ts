import { expect, test } from 'vitest'
import { parentOf, parseCgroups } from './cgroup.ts'
import { parseNetDev } from './net-dev.ts'
import { networkUsage } from './stats.ts'

test('the cgroups of a process are found on version 1 and on version 2', () => {
  const first = '5:pids:/p/a\n4:memory:/m/a\n3:cpu,cpuacct:/c/a\n0::/u/a\n'
  expect(parseCgroups(first)).toEqual({ version: 1, cpu: '/c/a', memory: '/m/a', pids: '/p/a', io: '/m/a', hugetlb: '/m/a' })
  expect(parseCgroups('0::/kubepods/pod1/a\n')).toMatchObject({ version: 2, cpu: '/kubepods/pod1/a', memory: '/kubepods/pod1/a', pids: '/kubepods/pod1/a', io: '/kubepods/pod1/a' })
  expect(parseCgroups('')).toBeUndefined()
})

test('a sandbox’s own cgroup is the one above its pause', () => {
  expect(parentOf({ version: 2, cpu: '/k/pod/a', memory: '/k/pod/a', pids: '/a', io: '/a', hugetlb: '/a' })).toEqual({ version: 2, cpu: '/k/pod', memory: '/k/pod', pids: '/', io: '/', hugetlb: '/' })
})

test('network counters are read, the pod’s interface first and the loopback never', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    '    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0',
    '  net1:       5       1    0    0    0     0          0         0        6       1    0    0    0     0       0          0',
    '  eth0: 1000000     10    2    0    0     0          0         0     2000      20    3    0    0     0       0          0',
  ].join('\n')
  expect(networkUsage(parseNetDev(text), 1n)).toEqual({
    timestamp: 1n,
    defaultInterface: { name: 'eth0', rxBytes: { value: 1000000n }, rxErrors: { value: 2n }, txBytes: { value: 2000n }, txErrors: { value: 3n } },
    interfaces: [{ name: 'net1', rxBytes: { value: 5n }, rxErrors: { value: 0n }, txBytes: { value: 6n }, txErrors: { value: 0n } }],
  })
})
