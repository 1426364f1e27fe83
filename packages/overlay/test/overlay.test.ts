import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createCniRunner, loadCniConfig } from '@berth/cri'
import { runNative } from '@berth/native'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressIn, canPing, isRoot, run, TestCluster, type TestNode } from './cluster.ts'

describe.skipIf(!isRoot)('the overlay in real namespaces', () => {
  let cluster: TestCluster
  beforeEach(() => {
    cluster = new TestCluster()
  })
  afterEach(() => cluster.close())

  const startedNode = async (cidr = '10.244.1.0/24'): Promise<TestNode> => {
    const [node] = cluster.nodes('a')
    if (!node) throw new Error('no node')
    await node.start()
    node.put(node, cidr)
    await node.waitForConflist()
    return node
  }

  test('pods reach each other on one node and across nodes, with their own addresses', async () => {
    const [a, b] = cluster.nodes('a', 'b')
    if (!a || !b) throw new Error('no nodes')
    for (const node of [a, b]) {
      await node.start()
      node.put(a, '10.244.1.0/24')
      node.put(b, '10.244.2.0/24')
      await node.waitForConflist()
    }
    const [one, two, far] = [cluster.namespace('one'), cluster.namespace('two'), cluster.namespace('far')]
    const first = await a.add('one', one)
    const second = await a.add('two', two)
    const third = await b.add('far', far)
    expect([first, second, third]).toEqual(['10.244.1.2', '10.244.1.3', '10.244.2.2'])
    await expect.poll(() => run(a.netns, 'ip', 'route')).toContain('10.244.2.0/24 via 172.31.9.12 dev eth0')
    await expect.poll(() => run(b.netns, 'ip', 'route')).toContain('10.244.1.0/24 via 172.31.9.11 dev eth0')
    expect(canPing(one, second)).toBe(true)
    expect(canPing(one, third)).toBe(true)
    expect(canPing(a.netns, first)).toBe(true)
    // The other pod sees the sender's own address, not the node's.
    run(far, 'nft', '-f', '/dev/null')
    run(far, 'nft', 'table inet t { chain c { type filter hook input priority 0; ip saddr 172.31.9.11 drop; }; }')
    expect(canPing(one, third)).toBe(true)
    expect(canPing(a.netns, third)).toBe(false)
  })

  test('what leaves the cluster bears the node address', async () => {
    const node = await startedNode()
    const pod = cluster.namespace('pod')
    await node.add('pod', pod)
    // The fabric has no route to pods: only a masqueraded packet gets its answer back.
    expect(canPing(pod, '172.31.9.1')).toBe(true)
  })

  test('a pod cannot send with an address that is not its own', async () => {
    const node = await startedNode()
    const pod = cluster.namespace('pod')
    await node.add('pod', pod)
    run(pod, 'ip', 'addr', 'add', '10.244.1.77/32', 'dev', 'eth0')
    run(pod, 'ip', 'route', 'replace', 'default', 'via', '169.254.1.1', 'dev', 'eth0', 'src', '10.244.1.77')
    expect(canPing(pod, node.address)).toBe(false)
  })

  test('the conflist runs through a runtime, with CHECK, and DEL gives the address back', async () => {
    const node = await startedNode()
    const pod = cluster.namespace('pod')
    const { network } = await loadCniConfig(`${node.dir}/conf`)
    if (!network) throw new Error('no network')
    expect([network.name, network.cniVersion]).toEqual(['berth', '1.0.0'])
    const runner = createCniRunner({ binDirs: [`${node.dir}/bin`], cacheDirectory: `${node.dir}/cache` })
    const attachment = { containerId: 'run', netns: cluster.namespace('run'), ifName: 'eth0' }
    expect((await runner.add(network, attachment)).ips?.[0]?.address).toBe('10.244.1.2/32')
    await runner.check(network, attachment)
    await runner.del(network, attachment)
    expect(node.allocations().size).toBe(0)
    expect((await node.cni('CHECK', 'pod', pod)).stdout).toContain('"code":104')
    await node.add('pod', pod)
    expect(await node.cni('CHECK', 'pod', pod)).toMatchObject({ code: 0 })
    run(pod, 'ip', 'route', 'del', 'default')
    expect((await node.cni('CHECK', 'pod', pod)).stdout).toContain('the default route through eth0')
    expect(await node.cni('DEL', 'pod')).toMatchObject({ code: 0, stdout: '' })
    expect(await node.cni('DEL', 'pod')).toMatchObject({ code: 0 })
    expect([node.devices(), node.allocations().size]).toEqual([[], 0])
  })

  test('a repeated ADD keeps the address and repairs the interface', async () => {
    const node = await startedNode()
    const pod = cluster.namespace('pod')
    const address = await node.add('pod', pod)
    run(pod, 'ip', 'link', 'del', 'eth0')
    expect(await node.add('pod', pod)).toBe(address)
    expect(canPing(pod, node.address)).toBe(true)
    expect(node.allocations()).toEqual(new Map([[address, 'pod']]))
  })

  test('results come in the version that is spoken', async () => {
    const node = await startedNode()
    const pod = cluster.namespace('pod')
    const result = async (version: string) => JSON.parse((await node.cni('ADD', 'pod', pod, {}, version)).stdout) as { cniVersion: string; ips: { version?: string }[]; interfaces: { mtu?: number }[] }
    const old = await result('0.3.1')
    expect([old.cniVersion, old.ips[0]?.version, old.interfaces[1]?.mtu]).toEqual(['0.3.1', '4', undefined])
    const latest = await result('1.1.0')
    expect([latest.cniVersion, latest.ips[0]?.version, latest.interfaces[1]?.mtu]).toEqual(['1.1.0', undefined, 1500])
    expect(JSON.parse((await node.cni('ADD', 'pod', pod, {}, '2.0.0')).stdout)).toMatchObject({ code: 1 })
    expect(JSON.parse((await node.cni('ADD', 'pod', pod, { frob: 1 })).stdout)).toMatchObject({ code: 2, msg: expect.stringContaining('"frob"') })
  })

  test('before the node has a pod range ADD says try again, STATUS says not available, and there is no conflist', async () => {
    const [node] = cluster.nodes('a')
    if (!node) throw new Error('no node')
    await node.start()
    const pod = cluster.namespace('pod')
    expect(JSON.parse((await node.cni('ADD', 'pod', pod)).stdout)).toMatchObject({ code: 11 })
    expect(JSON.parse((await node.cni('STATUS', 'pod', '', {}, '1.1.0')).stdout)).toMatchObject({ code: 50 })
    expect(() => readFileSync(`${node.dir}/conf/10-berth.conflist`)).toThrow('ENOENT')
  })

  test('an ADD into a namespace that does not exist leaves nothing behind', async () => {
    const node = await startedNode()
    expect(JSON.parse((await node.cni('ADD', 'pod', '/run/netns/absent')).stdout)).toMatchObject({ code: 102, details: expect.stringContaining('No such file') })
    expect([node.devices(), node.allocations().size]).toEqual([[], 0])
  })

  test('host ports lead to the pod, also from itself, and end with it', async () => {
    const node = await startedNode()
    const [pod, other] = [cluster.namespace('pod'), cluster.namespace('other')]
    await node.add('pod', pod, { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] } })
    await node.add('other', other)
    const server = spawn('nsenter', [`--net=${pod}`, process.execPath, '-e', "require('net').createServer((s) => s.end('hello')).listen(80)"], { stdio: 'ignore' })
    const ask = async (netns: string): Promise<string> => (await runNative(['dial', netns, node.address, '8080'])).stdout
    await expect.poll(() => ask(other)).toBe('hello')
    expect(await ask(`/run/netns/ovl${process.pid}-fabric`)).toBe('hello')
    expect(await ask(node.netns)).toBe('hello')
    expect(await ask(pod)).toBe('hello')
    const clash = await node.cni('ADD', 'other2', other, { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 81, protocol: 'tcp' }] } })
    expect(JSON.parse(clash.stdout)).toMatchObject({ code: 103 })
    await node.cni('DEL', 'pod')
    expect(await ask(other)).toBe('')
    server.kill('SIGKILL')
  })

  test('a UDP client of a host port is led to the next pod when the first one goes', async () => {
    const node = await startedNode()
    const client = cluster.namespace('client')
    await node.add('client', client)
    const program = `const s = require('dgram').createSocket('udp4'); s.bind(5555); s.on('message', (m) => console.log(String(m))); setInterval(() => s.send('x', 5300, '${node.address}'), 50)`
    const echo = (name: string): string => `const s = require('dgram').createSocket('udp4'); s.bind(53); s.on('message', (_, from) => s.send('${name}', from.port, from.address))`
    const run = (netns: string, source: string) => spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', source], { stdio: ['ignore', 'pipe', 'ignore'] })
    const asking = run(client, program)
    let last = ''
    asking.stdout.on('data', (text: Buffer) => (last = String(text).trim().split('\n').at(-1) ?? ''))
    const servers = []
    for (const name of ['one', 'two']) {
      const pod = cluster.namespace(name)
      await node.add(name, pod, { runtimeConfig: { portMappings: [{ hostPort: 5300, containerPort: 53, protocol: 'udp' }] } })
      servers.push(run(pod, echo(name)))
      await expect.poll(() => last, { timeout: 10_000 }).toBe(name)
      await node.cni('DEL', name)
    }
    for (const child of [asking, ...servers]) child.kill('SIGKILL')
  })

  test('GC releases what the runtime does not name', async () => {
    const node = await startedNode()
    await node.add('keep', cluster.namespace('keep'))
    await node.add('drop', cluster.namespace('drop'))
    await node.cni('GC', '', '', { 'cni.dev/valid-attachments': [{ containerID: 'keep', ifname: 'eth0' }] }, '1.1.0')
    expect([...node.allocations().values()]).toEqual(['keep'])
    expect(node.devices()).toHaveLength(1)
  })

  test('addresses of pods whose namespace died while the daemon was away are free again', async () => {
    const node = await startedNode()
    await node.add('gone', cluster.namespace('gone'))
    const kept = await node.add('kept', cluster.namespace('kept'))
    await node.kill()
    cluster.removeNamespace('gone')
    await expect.poll(() => node.devices().length).toBe(1)
    await node.start()
    expect(node.allocations()).toEqual(new Map([[kept, 'kept']]))
  })

  test('a full range is an error that says so, and an address that is given back can be had again', async () => {
    const node = await startedNode('10.244.1.0/30')
    const pod = cluster.namespace('pod')
    const address = await node.add('one', pod)
    expect(JSON.parse((await node.cni('ADD', 'two', cluster.namespace('two'))).stdout)).toMatchObject({ code: 101 })
    await node.cni('DEL', 'one')
    expect(await node.add('three', pod)).toBe(address)
  })

  test('whatever is added, deleted and killed in whatever order, addresses and devices stay exact', async () => {
    const node = await startedNode('10.244.1.0/27')
    let seed = 42
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n
    const pods = Array.from({ length: 6 }, (_, i) => ({ id: `p${i}`, netns: cluster.namespace(`p${i}`) }))
    const attached = new Map<string, string>()
    for (let round = 0; round < 12; round++) {
      // A burst of calls at once; a third of the rounds the daemon dies in the middle of it.
      const calls = pods.map(async (pod) => {
        const adding = random(2) === 0
        const result = await node.cni(adding ? 'ADD' : 'DEL', pod.id, pod.netns)
        if (result.code !== 0) attached.set(pod.id, 'unknown')
        else if (adding) attached.set(pod.id, addressIn(result.stdout))
        else attached.delete(pod.id)
      })
      if (round % 3 === 2) {
        await node.kill()
        await Promise.all(calls)
        await node.start()
        node.put(node, '10.244.1.0/27')
        // As a runtime does with what failed: DEL, then it is certain.
        for (const pod of pods) {
          if (attached.get(pod.id) !== 'unknown') continue
          expect(await node.cni('DEL', pod.id)).toMatchObject({ code: 0 })
          attached.delete(pod.id)
        }
        await expect.poll(async () => (await node.cni('STATUS', '', '', {}, '1.1.0')).code).toBe(0)
      } else await Promise.all(calls)
      const expected = new Map([...attached].map(([id, address]) => [address, id]))
      expect(expected.size).toBe(attached.size)
      expect(node.allocations()).toEqual(expected)
      expect(node.devices()).toHaveLength(attached.size)
    }
  })

  test('a plugin that is killed in the middle of ADD leaves nothing', async () => {
    const node = await startedNode()
    const pod = cluster.namespace('pod')
    // A plugin that gets its actions and never answers.
    const plugin = connect(`${node.dir}/overlay.sock`)
    const conf = JSON.stringify({ cniVersion: '1.0.0', name: 'berth', type: 'berth' })
    plugin.write(`cni 1\nenv CNI_COMMAND=ADD\nenv CNI_CONTAINERID=x\nenv CNI_IFNAME=eth0\nenv CNI_NETNS=${pod}\nconf ${conf.length}\n${conf}`)
    await once(plugin, 'data')
    expect(node.allocations().size).toBe(1)
    plugin.destroy()
    await expect.poll(() => node.allocations().size).toBe(0)
  })
})
