import { afterEach, describe, expect, test } from 'vitest'
import { NativeError, runNative, runNetActions } from '../src/index.ts'
import { inNamespace, isRoot, makeNamespace, removeNamespaces } from './namespaces.ts'

describe.skipIf(!isRoot)('network actions', () => {
  afterEach(removeNamespaces)

  test('one batch gives a pod its routed interface and it reaches its node', async () => {
    const node = makeNamespace('node')
    const pod = makeNamespace('pod')
    await runNetActions(
      [
        `veth vethA eth0 ${pod} 1400 0a:58:0a:f4:00:01 0a:58:0a:f4:00:05`,
        'addr-add lo 10.9.0.1/32',
        'link-up vethA',
        'route-set 10.244.0.5/32 vethA',
        'neigh-set vethA 10.244.0.5 0a:58:0a:f4:00:05',
        'sysctl net/ipv4/ip_forward 1',
        `in ${pod}`,
        'addr-add eth0 10.244.0.5/32',
        'link-up eth0',
        'route-set 169.254.1.1/32 eth0 scope link',
        'route-set 0.0.0.0/0 eth0 via 169.254.1.1',
        'neigh-set eth0 169.254.1.1 0a:58:0a:f4:00:01',
      ],
      { netns: node },
    )
    expect(inNamespace(pod, 'busybox', 'ping', '-c1', '-W2', '10.9.0.1')).toContain('1 packets received')
    expect(inNamespace(node, 'cat', '/proc/sys/net/ipv4/ip_forward')).toBe('1\n')
    expect(await runNetActions(['list-routes own'], { netns: pod })).toEqual([
      'route 0.0.0.0/0 eth0 via 169.254.1.1 src - protocol 98 table 254',
      'route 169.254.1.1/32 eth0 via - src - protocol 98 table 254',
    ])
    expect(await runNetActions(['list-addrs eth0'], { netns: pod })).toContain('addr eth0 10.244.0.5/32')
    expect(await runNetActions(['list-neighs vethA'], { netns: node })).toEqual(['neigh 10.244.0.5 0a:58:0a:f4:00:05'])
    expect((await runNetActions(['list-links'], { netns: pod })).find((line) => line.startsWith('link eth0 '))).toMatch(/0a:58:0a:f4:00:05 1400 up veth$/)
  })

  test('the first failing action ends the batch and is named with the kernel error', async () => {
    const node = makeNamespace('node')
    const failure = runNetActions(['link-up lo', 'link-up absent', 'addr-add lo 10.1.1.1/32'], { netns: node })
    await expect(failure).rejects.toThrow('link-up absent: no device absent')
    await expect(failure).rejects.toMatchObject({ errno: 19 })
    expect(await runNetActions(['list-addrs lo'], { netns: node })).not.toContain('addr lo 10.1.1.1/32')
  })

  test('an optional action may fail and says so', async () => {
    const node = makeNamespace('node')
    expect(await runNetActions(['optional link-del absent'], { netns: node })).toEqual(['failed 19 link-del absent'])
  })

  test.each([
    ['sysctl kernel/hostname x', 'must be below net/'],
    ['sysctl net/../kernel/hostname x', 'must be below net/'],
    ['addr-add lo 10.0.0.300/32', 'usage: addr-add'],
    ['addr-add lo 10.0.0.1/33', 'usage: addr-add'],
    ['veth a b /proc/self/ns/net 1500 zz:zz 00:00:00:00:00:01', 'bad MTU or MAC'],
    ['frobnicate', 'unknown action'],
  ])('%s is refused', async (action, words) => {
    await expect(runNetActions([action])).rejects.toThrow(words)
    await expect(runNetActions([`optional ${action}`])).rejects.toBeInstanceOf(NativeError)
  })

  test('IPv6 addresses and routes, and routes to nowhere, are set as well', async () => {
    const node = makeNamespace('node')
    await runNetActions(['addr-add lo fd00::5/128', 'route-set fd01::/64 lo', 'route-set 10.244.3.0/24 unreachable'], { netns: node })
    expect(await runNetActions(['list-routes own'], { netns: node })).toContain('route 10.244.3.0/24 unreachable via - src - protocol 98 table 254')
    expect(await runNetActions(['list-routes own'], { netns: node })).toContain('route fd01::/64 lo via - src - protocol 98 table 254')
  })

  test('a vxlan device is made without learning and takes forwarding entries', async () => {
    const node = makeNamespace('node')
    await runNetActions(['vxlan berth.1 1 8472 127.0.0.1 lo 1450 0e:00:00:00:00:01', 'link-up berth.1', 'fdb-set berth.1 0e:00:00:00:00:02 127.0.0.2'], { netns: node })
    expect(await runNetActions(['list-neighs berth.1'], { netns: node })).toContain('fdb 127.0.0.2 0e:00:00:00:00:02')
    expect(inNamespace(node, 'ip', '-d', 'link', 'show', 'berth.1')).toContain('nolearning')
  })

  test('the plugin says try again later when the daemon is not there', async () => {
    const conf = JSON.stringify({ cniVersion: '1.0.0', name: 'berth', nested: { socket: '/wrong' }, type: 'berth', socket: '/nonexistent/berth.sock' })
    const { code, stdout } = await runNative([], { input: conf, env: { CNI_COMMAND: 'ADD' } })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '1.0.0', code: 11, details: expect.stringContaining('/nonexistent/berth.sock') })
  })

  test('the plugin answers VERSION without a daemon', async () => {
    const { code, stdout } = await runNative([], { input: '{"cniVersion":"1.1.0"}', env: { CNI_COMMAND: 'VERSION' } })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '1.1.0', supportedVersions: expect.arrayContaining(['0.3.1', '1.1.0']) })
  })
})
